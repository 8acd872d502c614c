"""Finds the archives of public test suites, and reads the JSON files in them.

They lie in `CONFORMANCE_DIR`, or in `shared/conformance` beside the repository, packed or unpacked
into folders of the same names. A test without its archive is skipped with the public source.
"""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "RLPTests": "https://github.com/ethereum/tests, RLPTests",
    "TransactionTests": "https://github.com/ethereum/tests, TransactionTests",
    "TrieTests": "https://github.com/ethereum/tests, TrieTests",
    "state-cancun": "https://github.com/ethereum/legacytests, Cancun/GeneralStateTests",
    "state-prague": "https://github.com/ethereum/execution-spec-tests, state_tests",
    "blockchain-cancun": "https://github.com/ethereum/legacytests, Cancun/BlockchainTests",
    "blockchain-prague": "https://github.com/ethereum/execution-spec-tests, blockchain_tests",
    "rpc-compat": "https://github.com/ethereum/execution-apis, tests",
    "sync-chain": "https://github.com/ethereum/hive, simulators/ethereum/sync/chain",
    "p2p": "https://eips.ethereum.org/EIPS/eip-8, and https://github.com/ethereum/devp2p",
    "qbft": "https://github.com/Consensys/qbft-tests",
}


def conformance_folder() -> Path:
    """Return where the archives lie."""
    given = os.environ.get("CONFORMANCE_DIR")
    return Path(given) if given else ROOT.parent / "shared" / "conformance"


def find_suite(name: str) -> Path | None:
    """Return the folder or the archive of a suite, None where it is absent."""
    folder = conformance_folder()
    found = (folder / name, folder / f"{name}.tar.xz")
    return next((path for path in found if path.exists()), None)


def absence(name: str) -> str:
    """Return the line that a skipped suite leaves."""
    return f"{name} is not in {conformance_folder()}; public source: {SOURCES[name]}"


def require_suite(name: str) -> Path:
    """Return the folder or the archive of a suite, or skip the test."""
    path = find_suite(name)
    if path is None:
        pytest.skip(absence(name))
    return path


def json_files(name: str) -> dict[str, Any]:
    """Return the JSON documents of a suite by their path in it, or skip the test."""
    path = require_suite(name)
    return {key: json.loads(data) for key, data in files_of(path) if key.endswith(".json")}


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the files of a folder, or of an archive, with their paths in it."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield file.relative_to(path.parent).as_posix(), file.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield member.name, content.read()
