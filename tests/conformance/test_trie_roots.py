"""Every trie test of ethereum/tests ends in its root, however its changes are batched."""

import pytest

from cvm.evm.keccak import keccak256
from cvm.evm.trie import Trie, proven_value
from tests.conformance.trie_cases import WHY_NOT, TrieCase, load_cases

CASES = load_cases()

pytestmark = pytest.mark.skipif(not CASES, reason=WHY_NOT)


@pytest.mark.parametrize("commit_each", [False, True], ids=["one-batch", "batch-per-change"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_ends_in_the_root(case: TrieCase, commit_each: bool) -> None:
    nodes: dict[bytes, bytes] = {}
    trie = Trie(nodes.get)
    for key, value in case.changes:
        trie_key = keccak256(key) if case.secure else key
        if value is None:
            trie.delete(trie_key)
        else:
            trie.set(trie_key, value)
        if commit_each:
            nodes.update(trie.commit()[1])
    assert trie.commit()[0] == case.root


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_proofs_show_every_key(case: TrieCase) -> None:
    nodes: dict[bytes, bytes] = {}
    trie = Trie(nodes.get)
    expected: dict[bytes, bytes | None] = {}
    for key, value in case.changes:
        trie_key = keccak256(key) if case.secure else key
        expected[trie_key] = value
        trie.set(trie_key, value or b"")
    root, _nodes = trie.commit()
    for key, value in expected.items():
        assert proven_value(root, key, trie.prove(key)) == value


def test_plain_and_secure_tries_are_among_them() -> None:
    assert {case.secure for case in CASES} == {False, True}
