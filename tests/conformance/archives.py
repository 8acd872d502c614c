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
}


def conformance_folder() -> Path:
    """Return where the archives lie."""
    given = os.environ.get("CONFORMANCE_DIR")
    return Path(given) if given else ROOT.parent / "shared" / "conformance"


def json_files(name: str) -> dict[str, Any]:
    """Return the JSON documents of a suite by their path in it, or skip the test."""
    folder = conformance_folder()
    if (folder / name).is_dir():
        return dict(unpacked(folder / name))
    archive = folder / f"{name}.tar.xz"
    if not archive.exists():
        pytest.skip(f"{name} is not in {folder}; public source: {SOURCES[name]}")
    return dict(packed(archive))


def unpacked(folder: Path) -> Iterator[tuple[str, Any]]:
    """Read the JSON files below a folder."""
    for path in sorted(folder.rglob("*.json")):
        yield path.relative_to(folder.parent).as_posix(), json.loads(path.read_text("utf-8"))


def packed(path: Path) -> Iterator[tuple[str, Any]]:
    """Read the JSON files of an archive."""
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                yield member.name, json.loads(content.read())
