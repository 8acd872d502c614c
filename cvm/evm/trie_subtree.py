"""All that a trie holds below a prefix of keys, shown to be complete by its root.

A part of a trie is one node with what lies below it. Who knows the root, the nodes on the way to
the part and every key and value in it can build the part again and compare: no value can be
changed, left out or added. A prefix is a string of nibbles, one a byte.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie_nodes import (
    EMPTY,
    HASH_REFERENCE_BYTES,
    VALUE,
    Branch,
    Extension,
    Leaf,
    Node,
    encode_node,
    key_nibbles,
    path_nibbles,
)
from cvm.evm.trie_update import Items, ReadNode, TrieUpdate, resolve
from cvm.faults import MissingTrieNode

KEY_BYTES = 32
"""Keys are hashes."""


class NotARoot(Exception):
    """A node within a trie was taken for a root: the keys below it are cut off."""


class WrongSubtree(Exception):
    """What was sent is not what a trie holds below a prefix."""


@dataclass(frozen=True, slots=True)
class Subtree:
    """What lies below a prefix: leaves in the order of their keys, None where they are too many.

    `nodes` is the RLP of every node with a hash from the root towards the prefix, the part's own
    node among them only where the leaves are not.
    """

    nodes: tuple[bytes, ...]
    leaves: tuple[tuple[bytes, bytes], ...] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the way along a prefix ends: a node at a depth, and the way's stored nodes by hash.

    `reference` is `EMPTY` where nothing lies below the prefix.
    """

    reference: bytes
    depth: int
    way: dict[bytes, bytes]


def read_subtree(read: ReadNode, root: bytes, prefix: bytes, most_bytes: int) -> Subtree:
    """Return what a trie holds below a prefix; raises `MissingTrieNode` or `NotARoot`.

    The leaves are left out where keys and values have more bytes than `most_bytes`.
    """
    place = find_place(read, root, prefix)
    if place.reference == EMPTY:
        return Subtree(tuple(place.way.values()), ())
    leaves: list[tuple[bytes, bytes]] = []
    size_bytes = 0
    for key, value in leaves_below(read, place.reference, prefix[: place.depth]):
        size_bytes += len(key) + len(value)
        if size_bytes > most_bytes and leaves:
            own = place.way | stored_way(read, place.reference)
            return Subtree(tuple(own.values()), None)
        leaves.append((key, value))
    return Subtree(tuple(place.way.values()), tuple(leaves))


def find_place(read: ReadNode, root: bytes, prefix: bytes) -> Place:
    """Walk from the root along a prefix; raises `MissingTrieNode`.

    A node whose keys share more than the prefix says counts as the part's own.
    """
    if root == EMPTY_TRIE_ROOT:
        return Place(EMPTY, 0, {})
    way: dict[bytes, bytes] = {}
    reference, depth = b"\xa0" + root, 0
    while depth < len(prefix):
        way |= stored_way(read, reference)
        node = resolve(read, reference, 0)
        rest = prefix[depth:]
        if type(node) is Branch:
            start, end = node.slot(rest[0])
            below, step = node.data[start:end], 1
        elif type(node) is Extension and rest.startswith(node.nibbles):
            below, step = node.below, len(node.nibbles)
        elif shared_path(node).startswith(rest):
            return Place(reference, depth, way)
        else:
            return Place(EMPTY, depth, way)
        if below == EMPTY:
            return Place(EMPTY, depth, way)
        reference, depth = below, depth + step
    return Place(reference, depth, way)


def stored_way(read: ReadNode, reference: bytes) -> dict[bytes, bytes]:
    """Return the RLP of a node by its hash; nothing for one that lies inside its parent."""
    if len(reference) < HASH_REFERENCE_BYTES:
        return {}
    data = read(reference[1:])
    if data is None:
        raise MissingTrieNode(reference[1:])
    return {reference[1:]: data}


def shared_path(node: Node) -> bytes:
    """Return the nibbles that all keys below a node share."""
    if type(node) is Extension:
        return node.nibbles
    return path_nibbles(node.path()) if type(node) is Leaf else b""


def leaves_below(read: ReadNode, reference: bytes, path: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values below a node that stands at a path, in the order of the keys.

    Raises `NotARoot` where the path does not begin at a root.
    """
    waiting = [(reference, path)]
    while waiting:
        below, at = waiting.pop()
        node = resolve(read, below, 0)
        if type(node) is Leaf:
            nibbles = at + path_nibbles(node.path())
            if len(nibbles) != 2 * KEY_BYTES:
                raise NotARoot
            yield joined_nibbles(nibbles), node.value()
        elif type(node) is Extension:
            waiting.append((node.below, at + node.nibbles))
        elif type(node) is Branch:
            children = node.references()[:VALUE]
            waiting.extend(
                (child, at + bytes((nibble,)))
                for nibble, child in reversed(tuple(enumerate(children)))
                if child != EMPTY
            )


def joined_nibbles(nibbles: bytes) -> bytes:
    """Return the bytes of an even number of nibbles."""
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


class SubtreeBuilder(TrieUpdate):
    """Builds the one node that keys below a prefix make, and all below it, into `nodes`."""

    def __init__(self) -> None:
        super().__init__(lambda _node_hash: None)

    def reference_of(self, depth: int, items: Items) -> bytes:
        """Return the reference of the node of some keys at a depth; a root is always hashed."""
        node = self._build(depth, items)
        if node is None:
            return EMPTY
        if depth == 0:
            return b"\xa0" + self._store(encode_node(node))
        return self._reference(node)


def verified_nodes(
    root: bytes, prefix: bytes, nodes: Sequence[bytes], leaves: Items
) -> dict[bytes, bytes]:
    """Check that leaves are all that lies below a prefix; return the nodes that hold them, by hash.

    The way from the root is among them. Keys have 32 bytes. Raises `WrongSubtree`.
    """
    validate_leaves(prefix, leaves)
    place = proven_place(root, prefix, nodes)
    builder = SubtreeBuilder()
    built = builder.reference_of(place.depth, leaves) if leaves else EMPTY
    if built != place.reference:
        raise WrongSubtree(f"{len(leaves)} leaves do not make the part below {prefix.hex()}")
    return place.way | builder.nodes


def longer_prefixes(root: bytes, prefix: bytes, nodes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return prefixes that together hold all that lies below one; raises `WrongSubtree`.

    Only parts that the trie has come out of it, so whoever sends splits cannot go on for ever.
    """
    by_hash = {keccak256(node): node for node in nodes}
    place = proven_place(root, prefix, nodes)
    if place.reference == EMPTY:
        raise WrongSubtree(f"nothing lies below {prefix.hex()}")
    try:
        node = resolve(by_hash.get, place.reference, 0)
    except MissingTrieNode as error:
        raise WrongSubtree(f"the node at {prefix.hex()} is left out") from error
    at = prefix[: place.depth]
    if type(node) is Extension:
        return (at + node.nibbles,)
    if type(node) is not Branch:
        raise WrongSubtree(f"there is one leaf below {prefix.hex()}")
    children = node.references()[:VALUE]
    return tuple(at + bytes((nibble,)) for nibble, child in enumerate(children) if child != EMPTY)


def proven_place(root: bytes, prefix: bytes, nodes: Sequence[bytes]) -> Place:
    """Walk as `find_place` over nodes from outside: each is read only once its hash is known."""
    by_hash = {keccak256(node): node for node in nodes}
    try:
        return find_place(by_hash.get, root, prefix)
    except MissingTrieNode as error:
        raise WrongSubtree(f"the way to {prefix.hex()} is cut off") from error


def validate_leaves(prefix: bytes, leaves: Items) -> None:
    """Check that leaves have values, and keys below a prefix, each once and in order."""
    before = b""
    for key, value in leaves:
        if len(key) != KEY_BYTES or key_nibbles(key, 0, len(prefix)) != prefix:
            raise WrongSubtree(f"the key {key.hex()} is not below {prefix.hex()}")
        if key <= before:
            raise WrongSubtree(f"the key {key.hex()} is out of order")
        if not value:
            raise WrongSubtree(f"the key {key.hex()} has no value")
        before = key
