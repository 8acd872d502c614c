"""Trie tests: changes in order, in one batch and one by one, end in the same root."""

from pathlib import Path
from typing import Any

from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Interpreter
from cvm.evm.trie import Trie
from tests.conformance.outcomes import SKIPPED, Outcome, outcome
from tests.conformance.trie_cases import TrieCase, cases_of


def judge_trie_tests(
    path: str, document: dict[str, Any], interpreter: type[Interpreter]
) -> list[Outcome]:
    """Judge the tries of one file."""
    cases = cases_of(Path(path).name, document)
    if not cases:
        return [Outcome(path, SKIPPED, "iterators over a trie, which nothing here needs")]
    return [outcome(case.name, fault_of(case)) for case in cases]


def fault_of(case: TrieCase) -> str | None:
    """Return what is wrong with the roots of a case, or None."""
    for commit_each in (False, True):
        root = root_of(case, commit_each=commit_each)
        if root != case.root:
            return f"root {root.hex()}, not {case.root.hex()}"
    return None


def root_of(case: TrieCase, *, commit_each: bool) -> bytes:
    """Return the root after all changes of a case, committed each for itself or together."""
    nodes: dict[bytes, bytes] = {}
    trie = Trie(nodes.get)
    for key, value in case.changes:
        trie.set(keccak256(key) if case.secure else key, value or b"")
        if commit_each:
            nodes.update(trie.commit()[1])
    return trie.commit()[0]
