"""Parts of tries below a prefix: any part of any trie is whole, and any change of it is seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie import Trie
from cvm.evm.trie_subtree import (
    Subtree,
    WrongSubtree,
    longer_prefixes,
    read_subtree,
    verified_nodes,
)
from cvm.faults import MissingTrieNode

EVERYTHING = 1 << 30
Store = dict[bytes, bytes]
NOTHING: Store = {}


def trie_of(items: dict[bytes, bytes]) -> tuple[bytes, Store]:
    store: Store = {}
    trie = Trie(store.get)
    for key, value in items.items():
        trie.set(key, value)
    root, nodes = trie.commit()
    store.update(nodes)
    return root, store


def key(*nibbles: int) -> bytes:
    text = "".join(f"{nibble:x}" for nibble in nibbles)
    return bytes.fromhex(text.ljust(64, "0"))


@st.composite
def tries(draw: st.DrawFn) -> dict[bytes, bytes]:
    """Draw keys of few nibbles, which share beginnings, and values that may lie inside parents."""
    few = st.lists(st.integers(0, 2), min_size=64, max_size=64)
    ends = st.lists(st.integers(0, 2), max_size=6)
    stems = draw(st.lists(few, min_size=1, max_size=3))
    keys = set()
    for end in draw(st.lists(ends, max_size=12)):
        stem = draw(st.sampled_from(stems))
        place = draw(st.sampled_from([0, 1, 2, 30, 58]))
        changed = [*stem[:place], *end, *stem[place + len(end) :]]
        keys.add(bytes.fromhex("".join(f"{nibble:x}" for nibble in changed)))
    value = st.sampled_from([b"\x01", b"value", b"a value of more than thirty-two bytes"])
    return {one: draw(value) for one in sorted(keys)}


prefixes = st.lists(st.integers(0, 3), max_size=64).map(bytes)


def below(items: dict[bytes, bytes], prefix: bytes) -> tuple[tuple[bytes, bytes], ...]:
    text = "".join(f"{nibble:x}" for nibble in prefix)
    return tuple((one, items[one]) for one in sorted(items) if one.hex().startswith(text))


@settings(derandomize=True, max_examples=400)
@given(tries(), st.data())
def test_a_part_holds_every_key_below_its_prefix_and_is_proven(
    items: dict[bytes, bytes], data: st.DataObject
) -> None:
    root, store = trie_of(items)
    some = [one.hex() for one in items] or ["0" * 64]
    near = data.draw(st.tuples(st.sampled_from(some), st.integers(0, 64)))
    prefix = data.draw(st.one_of(prefixes, st.just(bytes(int(c, 16) for c in near[0][: near[1]]))))
    part = read_subtree(store.get, root, prefix, EVERYTHING)
    assert part.leaves == below(items, prefix)
    nodes = verified_nodes(root, prefix, part.nodes, part.leaves)
    assert nodes.items() <= store.items()


@settings(derandomize=True, max_examples=400)
@given(tries(), st.data())
def test_a_change_of_one_leaf_is_detected(items: dict[bytes, bytes], data: st.DataObject) -> None:
    root, store = trie_of(items)
    near = data.draw(st.sampled_from(sorted(items) or [bytes(32)]))
    length = data.draw(st.integers(0, 8))
    prefix = bytes(int(digit, 16) for digit in near.hex()[:length])
    part = read_subtree(store.get, root, prefix, EVERYTHING)
    leaves = list(part.leaves or ())
    kind = data.draw(st.sampled_from(["value", "key", "gone", "more", "twice"]))
    place = data.draw(st.integers(0, max(0, len(leaves) - 1)))
    if kind == "more":
        new = data.draw(st.binary(min_size=32, max_size=32))
        leaves = sorted({**dict(leaves), new: leaves[0][1] + b"x" if leaves else b"x"}.items())
    elif not leaves:
        return
    elif kind == "value":
        leaves[place] = (leaves[place][0], leaves[place][1] + b"\x00")
    elif kind == "key":
        other = bytes([*leaves[place][0][:31], leaves[place][0][31] ^ 1])
        leaves[place] = (other, leaves[place][1])
        leaves.sort()
    elif kind == "gone":
        del leaves[place]
    else:
        leaves.insert(place, leaves[place])
    if tuple(leaves) == part.leaves:
        return
    with pytest.raises(WrongSubtree):
        verified_nodes(root, prefix, part.nodes, leaves)


@settings(derandomize=True, max_examples=300)
@given(tries(), st.integers(1, 200))
def test_any_split_brings_every_leaf_and_every_node_once_more(
    items: dict[bytes, bytes], most_bytes: int
) -> None:
    root, store = trie_of(items)
    waiting = [b""]
    nodes: Store = {}
    leaves: list[tuple[bytes, bytes]] = []
    while waiting:
        prefix = waiting.pop()
        part = read_subtree(store.get, root, prefix, most_bytes)
        if part.leaves is None:
            longer = longer_prefixes(root, prefix, part.nodes)
            assert all(len(one) > len(prefix) for one in longer)
            waiting.extend(longer)
            continue
        nodes.update(verified_nodes(root, prefix, part.nodes, part.leaves))
        leaves.extend(part.leaves)
    assert dict(leaves) == items
    assert len(leaves) == len(items)
    assert nodes == store


@settings(derandomize=True, max_examples=200)
@given(tries(), prefixes, st.data())
def test_a_node_of_the_way_that_is_changed_or_left_out_is_detected(
    items: dict[bytes, bytes], prefix: bytes, data: st.DataObject
) -> None:
    root, store = trie_of(items)
    part = read_subtree(store.get, root, prefix, EVERYTHING)
    if not part.nodes:
        return
    nodes = list(part.nodes)
    place = data.draw(st.integers(0, len(nodes) - 1))
    byte = data.draw(st.integers(0, len(nodes[place]) - 1))
    if data.draw(st.booleans()):
        del nodes[place]
    else:
        changed = bytearray(nodes[place])
        changed[byte] ^= 1
        nodes[place] = bytes(changed)
    with pytest.raises(WrongSubtree, match="cut off"):
        verified_nodes(root, prefix, nodes, part.leaves or ())


TWO = {key(1, 2, 3): b"first" * 9, key(1, 2, 4): b"second" * 9}


@pytest.mark.parametrize(
    ("prefix", "count"),
    [
        pytest.param(b"", 2, id="all"),
        pytest.param(b"\x01", 2, id="inside what all keys share"),
        pytest.param(b"\x01\x02", 2, id="at the fork"),
        pytest.param(b"\x01\x02\x03", 1, id="one leaf"),
        pytest.param(b"\x01\x02\x03\x00\x00", 1, id="inside the path of a leaf"),
        pytest.param(b"\x01\x02\x05", 0, id="an empty place of a branch"),
        pytest.param(b"\x01\x03", 0, id="beside what all keys share"),
        pytest.param(b"\x01\x02\x03\x01", 0, id="beside the path of a leaf"),
    ],
)
def test_the_leaves_below_a_prefix(prefix: bytes, count: int) -> None:
    root, store = trie_of(TWO)
    part = read_subtree(store.get, root, prefix, EVERYTHING)
    assert part.leaves is not None
    assert len(part.leaves) == count
    assert verified_nodes(root, prefix, part.nodes, part.leaves).items() <= store.items()


def test_an_empty_trie_has_no_leaves_and_needs_no_nodes() -> None:
    part = read_subtree(NOTHING.get, EMPTY_TRIE_ROOT, b"\x01", EVERYTHING)
    assert part == Subtree((), ())
    assert verified_nodes(EMPTY_TRIE_ROOT, b"\x01", (), ()) == {}
    with pytest.raises(WrongSubtree):
        verified_nodes(EMPTY_TRIE_ROOT, b"", (), [(key(1), b"x")])


def test_a_trie_that_is_not_here_is_said_to_be_missing() -> None:
    with pytest.raises(MissingTrieNode):
        read_subtree(NOTHING.get, b"\x01" * 32, b"", EVERYTHING)


REFUSED = [
    pytest.param([(key(1, 2, 3), b"")], "has no value", id="no value"),
    pytest.param([(key(2), b"x")], "is not below", id="another prefix"),
    pytest.param([(key(1)[:31], b"x")], "is not below", id="a short key"),
    pytest.param([(key(1, 2), b"x"), (key(1, 1), b"x")], "out of order", id="out of order"),
    pytest.param([(key(1, 2), b"x"), (key(1, 2), b"x")], "out of order", id="twice"),
]


@pytest.mark.parametrize(("leaves", "rule"), REFUSED)
def test_leaves_that_break_a_rule_are_refused_by_it(
    leaves: list[tuple[bytes, bytes]], rule: str
) -> None:
    root, store = trie_of(TWO)
    part = read_subtree(store.get, root, b"\x01", EVERYTHING)
    with pytest.raises(WrongSubtree, match=rule):
        verified_nodes(root, b"\x01", part.nodes, leaves)


def test_a_split_of_what_is_one_leaf_or_nothing_is_a_lie() -> None:
    root, store = trie_of(TWO)
    leaf = tuple(store.values())
    with pytest.raises(WrongSubtree, match="one leaf"):
        longer_prefixes(root, b"\x01\x02\x03", leaf)
    with pytest.raises(WrongSubtree, match="nothing"):
        longer_prefixes(root, b"\x05", leaf)
    with pytest.raises(WrongSubtree, match="left out"):
        longer_prefixes(root, b"", ())
