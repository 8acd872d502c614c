"""The trie tests of ethereum/tests (MIT), read from a folder beside the project."""

import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("CONFORMANCE_DIR", Path(__file__).parents[3] / "shared/conformance"))
ARCHIVE = "TrieTests.tar.xz"
WHY_NOT = f"{FOLDER / ARCHIVE} is not there: pack TrieTests of github.com/ethereum/tests"


@dataclass(frozen=True, slots=True)
class TrieCase:
    """Changes in order (None deletes a key), and the root that they leave."""

    name: str
    secure: bool
    changes: tuple[tuple[bytes, bytes | None], ...]
    root: bytes


def load_cases() -> list[TrieCase]:
    """Return every case that ends in a root; none where the data is absent."""
    folder, archive = FOLDER / "TrieTests", FOLDER / ARCHIVE
    files: dict[str, bytes] = {}
    if folder.is_dir():
        files = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    elif archive.exists():
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member) if member.name.endswith(".json") else None
                if content is not None:
                    files[Path(member.name).name] = content.read()
    cases = []
    for file_name, data in sorted(files.items()):
        if file_name == "trietestnextprev.json":  # iterators, which this trie does not have
            continue
        for name, case in json.loads(data).items():
            pairs = case["in"].items() if isinstance(case["in"], dict) else case["in"]
            changes = tuple((to_bytes(k), None if v is None else to_bytes(v)) for k, v in pairs)
            secure = "secure" in file_name.lower()
            cases.append(TrieCase(f"{file_name}-{name}", secure, changes, to_bytes(case["root"])))
    return cases


def to_bytes(text: str) -> bytes:
    """Return what a string of these tests stands for."""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
