"""The trie: HexaryTrie's roots on any history, versions that stay whole, proofs, lists."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from cvm.evm.keccak import keccak256
from cvm.evm.list_root import list_root
from cvm.evm.rlp_encoding import encode_integer
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie import Trie, node_hashes, proven_value
from cvm.evm.trie_update import TrieUpdate
from cvm.faults import DatabaseFault, MissingTrieNode
from tests.unit.evm.state_changes import no_node

NIBBLES = st.sampled_from([0x00, 0x01, 0x10, 0x11, 0x12, 0x21])
KEYS = st.one_of(
    st.lists(NIBBLES, min_size=2, max_size=2).map(bytes),
    st.lists(NIBBLES, min_size=1, max_size=4).map(bytes),
    st.integers(0, 40).map(lambda number: keccak256(bytes((number,)))),
)
VALUES = st.one_of(
    st.just(b""), st.binary(min_size=1, max_size=3), st.binary(min_size=30, max_size=60)
)
BATCHES = st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=12), min_size=1, max_size=5)


def root_of(content: dict[bytes, bytes]) -> bytes:
    trie = HexaryTrie({})
    for key, value in content.items():
        trie[key] = value
    root: bytes = trie.root_hash
    return root


def commit(trie: Trie, batch: list[tuple[bytes, bytes]]) -> tuple[bytes, dict[bytes, bytes]]:
    for key, value in batch:
        trie.set(key, value)
    return trie.commit()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(BATCHES, st.integers(0, 2))
def test_any_history_gives_the_root_of_its_content(
    batches: list[list[tuple[bytes, bytes]]], forget: int
) -> None:
    store: dict[bytes, bytes] = {}
    trie = Trie(store.get)
    content: dict[bytes, bytes] = {}
    for batch in batches:
        root, nodes = commit(trie, batch)
        store.update(nodes)
        content.update(batch)
        content = {key: value for key, value in content.items() if value}
        assert root == root_of(content)
        if forget == 1:
            trie.forget()
        elif forget == 2:
            trie = Trie(store.get, root)
        for key, _value in batch:
            assert trie.get(key) == content.get(key)
            assert proven_value(root, key, trie.prove(key)) == content.get(key)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(BATCHES)
def test_new_and_removed_nodes_are_exactly_the_difference(
    batches: list[list[tuple[bytes, bytes]]],
) -> None:
    store: dict[bytes, bytes] = {}
    root, node = EMPTY_TRIE_ROOT, None
    for batch in batches:
        before = sorted(node_hash for node_hash, _node in node_hashes(store.get, root))
        update = TrieUpdate(store.get)
        # 32-byte keys: no two places of a trie can hold the same node
        items = {keccak256(key): value for key, value in batch}
        root, node = update.apply(root, node, sorted(items.items()))
        store.update(update.nodes)
        after = sorted(node_hash for node_hash, _node in node_hashes(store.get, root))
        kept = [node_hash for node_hash in before if node_hash not in update.removed]
        assert len(set(update.removed)) == len(update.removed)
        assert set(update.removed) <= set(before)
        assert sorted([*kept, *update.nodes]) == after


def test_a_discarded_update_leaves_its_parent_whole() -> None:
    random = Random(5)
    keys = [random.randbytes(32) for _ in range(300)]
    genesis = TrieUpdate(no_node)
    root, node = genesis.apply(EMPTY_TRIE_ROOT, None, sorted((key, b"first") for key in keys))
    thrown_away = TrieUpdate(genesis.nodes.get)
    thrown_away.apply(root, node, sorted((key, b"other") for key in keys[:200]))
    items = sorted((key, b"" if key in keys[:5] else b"second") for key in keys[:100])
    again, afresh = TrieUpdate(genesis.nodes.get), TrieUpdate(genesis.nodes.get)
    assert again.apply(root, node, items)[0] == afresh.apply(root, None, items)[0]
    assert again.nodes == afresh.nodes
    assert sorted(again.removed) == sorted(afresh.removed)


def test_setting_what_is_there_makes_nothing() -> None:
    trie = Trie(no_node)
    batch = [(keccak256(bytes((number,))), b"value") for number in range(50)]
    root, _nodes = commit(trie, batch)
    assert commit(trie, [*batch, (keccak256(b"absent"), b"")]) == (root, {})


def test_reads_see_changes_before_the_commit() -> None:
    trie = Trie(no_node)
    trie.set(b"key", b"value")
    assert trie.get(b"key") == b"value"
    trie.delete(b"key")
    assert trie.get(b"key") is None
    assert trie.commit() == (EMPTY_TRIE_ROOT, {})


def test_a_missing_node_is_a_fault_that_names_it() -> None:
    root, nodes = commit(Trie(no_node), [(bytes((n,)) * 32, b"value" * 9) for n in range(40)])
    missing = next(node_hash for node_hash in sorted(nodes) if node_hash != root)
    del nodes[missing]
    trie = Trie(nodes.get, root)
    with pytest.raises(MissingTrieNode, match=missing.hex()) as caught:
        [trie.get(bytes((n,)) * 32) for n in range(40)]
    assert caught.value.node_hash == missing
    assert isinstance(caught.value, DatabaseFault)
    with pytest.raises(MissingTrieNode, match=root.hex()):
        Trie(no_node, root).prove(b"")


def test_a_proof_of_an_absent_key_ends_where_it_would_be() -> None:
    trie = Trie(no_node)
    root, _nodes = commit(trie, [(bytes((n,)) * 32, b"value" * 9) for n in range(0, 256, 2)])
    proof = trie.prove(b"\x01" * 32)
    assert proven_value(root, b"\x01" * 32, proof) is None
    assert [keccak256(proof[0])] == [root]
    with pytest.raises(MissingTrieNode):
        proven_value(root, b"\x01" * 32, proof[:-1])


def test_an_empty_trie_has_an_empty_proof() -> None:
    assert Trie(no_node).prove(b"key") == []
    assert proven_value(EMPTY_TRIE_ROOT, b"key", []) is None


ITEM_SIZES = {
    "of one byte": [1],
    "that fit in their parents": [1, 2, 20, 27, 28, 29],
    "about where a prefix grows": [54, 55, 56, 255, 256, 257],
    "of every size": [1, 31, 32, 33, 110, 300, 70_000],
}


@pytest.mark.parametrize("sizes", ITEM_SIZES.values(), ids=ITEM_SIZES.keys())
@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 17, 127, 128, 129, 255, 256, 257, 700])
def test_list_root_is_the_root_of_items_under_their_indexes(count: int, sizes: list[int]) -> None:
    random = Random(count)
    items = [random.randbytes(random.choice(sizes)) for _ in range(count)]
    assert list_root(items) == root_of({encode_integer(n): item for n, item in enumerate(items)})


def test_list_root_has_keys_of_three_bytes() -> None:
    items = [n.to_bytes(3, "big") for n in range(66_000)]
    assert list_root(items) == root_of({encode_integer(n): item for n, item in enumerate(items)})


@pytest.mark.parametrize(
    ("items", "rlp"),
    [
        pytest.param({b"": b"\x01"}, "c22001", id="leaf"),
        pytest.param(
            {b"\x01": b"\x05", b"\x12": b"\x06"}, "d5c23105c23206" + "80" * 15, id="branch"
        ),
        pytest.param(
            {b"\x11": b"\x05", b"\x12": b"\x06"}, "d711d580c22005c22006" + "80" * 14, id="extension"
        ),
    ],
)
def test_small_nodes_lie_inside_their_parents(items: dict[bytes, bytes], rlp: str) -> None:
    root, nodes = commit(Trie(no_node), list(items.items()))
    assert {node.hex() for node in nodes.values()} == {rlp}
    assert keccak256(nodes[root]) == root
