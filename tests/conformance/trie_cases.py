"""The trie tests of ethereum/tests (MIT), read from a folder beside the project."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.archives import absence, files_of, find_suite

WHY_NOT = absence("TrieTests")


@dataclass(frozen=True, slots=True)
class TrieCase:
    """Changes in order (None deletes a key), and the root that they leave."""

    name: str
    secure: bool
    changes: tuple[tuple[bytes, bytes | None], ...]
    root: bytes


def load_cases() -> list[TrieCase]:
    """Return every case that ends in a root; none where the data is absent."""
    suite = find_suite("TrieTests")
    if suite is None:
        return []
    files = {Path(name).name: data for name, data in files_of(suite) if name.endswith(".json")}
    return [
        case
        for file_name, data in sorted(files.items())
        for case in cases_of(file_name, json.loads(data))
    ]


def cases_of(file_name: str, document: dict[str, Any]) -> list[TrieCase]:
    """Return the cases of one file; iterators, which this trie does not have, are none."""
    if file_name == "trietestnextprev.json":
        return []
    cases = []
    for name, case in document.items():
        pairs = case["in"].items() if isinstance(case["in"], dict) else case["in"]
        changes = tuple((to_bytes(k), None if v is None else to_bytes(v)) for k, v in pairs)
        secure = "secure" in file_name.lower()
        cases.append(TrieCase(f"{file_name}-{name}", secure, changes, to_bytes(case["root"])))
    return cases


def to_bytes(text: str) -> bytes:
    """Return what a string of these tests stands for."""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
