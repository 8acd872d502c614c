"""Applies one batch of changes to a trie and encodes every node that it leaves, each once.

The version that it starts from stays whole: an update copies the nodes on its way (a branch is
copied once a batch) and shares the rest, also the caches of resolved children. So a block can be
computed, thrown away, and computed again on the same parent. Changes run through the trie together,
in the order of their keys.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from sha3 import keccak_256

from cvm.evm.rlp_encoding import encode_bytes, encode_list, list_header
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.trie_nodes import (
    EMPTY,
    HASH_REFERENCE_BYTES,
    VALUE,
    Branch,
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_node,
    key_nibbles,
    leaf_head,
    list_start,
    longer_leaf_path,
    new_branch,
    nibble_at,
    whole_key,
)
from cvm.faults import MissingTrieNode

ReadNode: TypeAlias = Callable[[bytes], "bytes | None"]
Items: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Keys and values in the order of the keys; an empty value takes its key away."""
PENDING = b""
"""Stands in a new branch for the reference of a child that is not encoded yet."""


def resolve(read: ReadNode, reference: bytes, born: int) -> Node:
    """Return the node behind a reference; raises `MissingTrieNode`."""
    if len(reference) < HASH_REFERENCE_BYTES:
        return decode_node(reference, reference, born)
    return stored_node(read, reference[1:], born)


def stored_node(read: ReadNode, node_hash: bytes, born: int) -> Node:
    """Return a node by its hash; raises `MissingTrieNode`."""
    data = read(node_hash)
    if data is None:
        raise MissingTrieNode(node_hash)
    return decode_node(data, b"\xa0" + node_hash, born)


class TrieUpdate:
    """One batch: `apply`, then `nodes` (new, by hash) and `removed` (hashes that lost their place).

    `born` marks every node that it makes or resolves, so that a cache knows the old ones.
    """

    def __init__(self, read: ReadNode, born: int = 0) -> None:
        self._read = read
        self._born = born
        self.nodes: dict[bytes, bytes] = {}
        self.removed: list[bytes] = []
        self.resolved = 0

    def merged(self, key: bytes, old: bytes, value: bytes) -> bytes:  # noqa: ARG002  (a hook)
        """Return what a key gets whose leaf has the RLP `old`."""
        return value

    def apply(self, root: bytes, node: Node | None, items: Items) -> tuple[bytes, Node | None]:
        """Return root and root node after the changes; `node` is None where it is not at hand."""
        if node is None and root != EMPTY_TRIE_ROOT:
            node = stored_node(self._read, root, self._born)
            self.resolved += 1
        new = self._apply(node, 0, items) if items else node
        if new is node:
            return root, node
        if root != EMPTY_TRIE_ROOT:
            self.removed.append(root)
        if new is None:
            return EMPTY_TRIE_ROOT, None
        return self._store(encode_node(new)), new

    def _store(self, data: bytes) -> bytes:
        node_hash: bytes = keccak_256(data).digest()
        self.nodes[node_hash] = data
        return node_hash

    def _reference(self, node: Node) -> bytes:
        data = encode_node(node)
        if len(data) < HASH_REFERENCE_BYTES - 1:
            node.reference = data
            return data
        node_hash: bytes = keccak_256(data).digest()
        self.nodes[node_hash] = data
        reference = node.reference = b"\xa0" + node_hash
        return reference

    def _resolve(self, reference: bytes) -> Node:
        self.resolved += 1
        return resolve(self._read, reference, self._born)

    def _apply(self, node: Node | None, depth: int, items: Items) -> Node | None:
        if type(node) is Branch:
            return self._into_branch(node, depth, items)
        if type(node) is Leaf:
            return self._into_leaf(node, depth, items)
        if type(node) is Extension:
            return self._into_extension(node, depth, items)
        return self._build(depth, items)

    def _leaf(self, key: bytes, depth: int, value: bytes) -> Leaf:
        return Leaf(encode_list(leaf_head(key, depth) + encode_bytes(value)), b"", self._born)

    def _build(self, depth: int, items: Items) -> Node | None:
        """Return the node of keys that meet nothing from a depth downwards."""
        live = [item for item in items if item[1]]
        if not live:
            return None
        if len(live) == 1:
            return self._leaf(live[0][0], depth, live[0][1])
        first, last = live[0][0], live[-1][0]
        fork = shared_nibbles(first, last, depth)
        branch = self._new_branch(fork, live)
        if fork == depth:
            return branch
        return self._behind(key_nibbles(first, depth, fork), branch)

    def _new_branch(self, depth: int, items: Items) -> Branch:
        references = [EMPTY] * (VALUE + 1)
        children: list[Node | None] = [None] * VALUE
        for nibble, group in groups(items, depth):
            if nibble == VALUE:
                references[VALUE] = encode_bytes(group[0][1])
                continue
            if len(group) == 1:
                child: Node | None = self._leaf(group[0][0], depth + 1, group[0][1])
            else:
                child = self._build(depth + 1, group)
            if child is not None:
                children[nibble] = child
                references[nibble] = self._reference(child)
        return new_branch(references, children, self._born)

    def _into_leaf(self, leaf: Leaf, depth: int, items: Items) -> Node | None:
        if len(items) == 1:
            key, value = items[0]
            head = leaf_head(key, depth)
            if leaf.data.startswith(head, list_start(leaf.data)):
                if not value:
                    return None
                data = encode_list(head + encode_bytes(self.merged(key, leaf.data, value)))
                return leaf if data == leaf.data else Leaf(data, b"", self._born)
            if not value:
                return leaf
        key, old = whole_key(items[0][0], depth, leaf.path()), leaf.value()
        joined = list(items)
        place = bisect_left(joined, (key, b""))
        if place == len(joined) or joined[place][0] != key:
            joined.insert(place, (key, old))
        elif joined[place][1]:
            joined[place] = (key, self.merged(key, leaf.data, joined[place][1]))
        live = [item for item in joined if item[1]]
        return leaf if live == [(key, old)] else self._build(depth, live)

    def _into_branch(self, branch: Branch, depth: int, items: Items) -> Node | None:
        data, children = branch.data, branch.children
        changed: list[tuple[int, int, int, Node]] = []
        gone: dict[int, Node | None] = {}
        value = None
        for nibble, group in groups(items, depth):
            start, end = branch.slot(nibble)
            reference = data[start:end]
            if nibble == VALUE:
                value = encode_bytes(group[0][1])
                value = None if value == reference else value
                continue
            child = children[nibble]
            if child is not None and child.reference != reference:
                child = None
            if child is None and reference != EMPTY:
                child = children[nibble] = self._resolve(reference)
            new = self._apply(child, depth + 1, group)
            if new is None and child is not None:
                gone[nibble] = None
            elif new is not None and new is not child:
                changed.append((nibble, start, end, new))
        if gone or value is not None:
            gone.update((nibble, child) for nibble, _start, _end, child in changed)
            return self._rebuilt(branch, gone, value)
        return self._settle(branch, changed) if changed else branch

    def _settle(self, branch: Branch, changed: list[tuple[int, int, int, Node]]) -> Branch:
        """Return a branch with new children in the place of some, or in empty places."""
        data, mask, children = branch.data, branch.mask, branch.children
        position = list_start(data)
        length = len(data) - position
        pieces = [b""]
        for nibble, start, end, child in changed:
            if end - start == HASH_REFERENCE_BYTES:
                self.removed.append(data[start + 1 : end])
            children[nibble] = child
            reference = self._reference(child)
            if mask >= 0:
                mask = mask | 1 << nibble if len(reference) == HASH_REFERENCE_BYTES else -1
            pieces += data[position:start], reference
            length += len(reference) + start - end
            position = end
        pieces[0] = list_header(length)
        pieces.append(data[position:])
        return Branch(b"".join(pieces), mask, children, b"", self._born)

    def _rebuilt(
        self, branch: Branch, new: dict[int, Node | None], value: bytes | None
    ) -> Node | None:
        """Return what is left of a branch where children go or its own value changes."""
        references, children = branch.references(), branch.children.copy()
        if value is not None:
            references[VALUE] = value
        for nibble, child in new.items():
            if len(references[nibble]) == HASH_REFERENCE_BYTES:
                self.removed.append(references[nibble][1:])
            children[nibble] = child
            references[nibble] = EMPTY if child is None else PENDING
        if references.count(EMPTY) >= VALUE:
            return self._collapse(references, children)
        for nibble, child in new.items():
            if child is not None:
                references[nibble] = self._reference(child)
        return new_branch(references, children, self._born)

    def _collapse(self, references: list[bytes], children: list[Node | None]) -> Node | None:
        """Return what takes the place of a branch with one child, or none, left."""
        for nibble in range(VALUE):
            reference = references[nibble]
            if reference == EMPTY:
                continue
            child = children[nibble]
            if child is None or reference not in (PENDING, child.reference):
                child = self._resolve(reference)
            if len(reference) == HASH_REFERENCE_BYTES and type(child) is not Branch:
                self.removed.append(reference[1:])
            return self._behind(bytes((nibble,)), child)
        if references[VALUE] == EMPTY:
            return None
        return Leaf(encode_list(b"\x20" + references[VALUE]), b"", self._born)

    def _behind(self, nibbles: bytes, node: Node | None) -> Node | None:
        """Return a node that stands further from its leaves by some nibbles."""
        if type(node) is Leaf:
            path = longer_leaf_path(nibbles, node.path())
            data = encode_list(encode_bytes(path) + encode_bytes(node.value()))
            return Leaf(data, b"", self._born)
        if type(node) is Extension:
            return Extension(nibbles + node.nibbles, node.below, node.child, b"", self._born)
        if type(node) is Branch:
            reference = node.reference or self._reference(node)
            return Extension(nibbles, reference, node, b"", self._born)
        return None

    def _into_extension(self, extension: Extension, depth: int, items: Items) -> Node | None:
        nibbles = extension.nibbles
        end = depth + len(nibbles)
        shared = [common(key_nibbles(key, depth, end), nibbles) for key, _value in items]
        kept = [
            (item, length)
            for item, length in zip(items, shared, strict=True)
            if length == len(nibbles) or item[1]
        ]
        if not kept:
            return extension
        split = min(length for _item, length in kept)
        below = [item for item, _length in kept]
        if split < len(nibbles):
            return self._split(extension, depth, split, below)
        child = extension.child
        if child is None:
            child = extension.child = self._resolve(extension.below)
        new = self._apply(child, end, below)
        if new is child:
            return extension
        if len(extension.below) == HASH_REFERENCE_BYTES:
            self.removed.append(extension.below[1:])
        return self._behind(nibbles, new)

    def _split(self, extension: Extension, depth: int, split: int, items: Items) -> Node | None:
        """Open an extension at one of its nibbles, where a new key leaves it."""
        nibble, rest = extension.nibbles[split], extension.nibbles[split + 1 :]
        child = extension.child
        if child is None:
            child = self._resolve(extension.below)
        old: Node | None = child
        if rest:
            old = Extension(rest, extension.below, child, b"", self._born)
        new: dict[int, Node | None] = {}
        value = EMPTY
        for place, group in groups(items, depth + split):
            if place == VALUE:
                value = encode_bytes(group[0][1])
            else:
                new[place] = self._apply(old if place == nibble else None, depth + split + 1, group)
        if not rest and nibble in new and new[nibble] is not old:
            self._remove(extension.below)
        new.setdefault(nibble, old)
        node = self._joined(new, value)
        return self._behind(extension.nibbles[:split], node) if split else node

    def _remove(self, reference: bytes) -> None:
        if len(reference) == HASH_REFERENCE_BYTES:
            self.removed.append(reference[1:])

    def _joined(self, new: dict[int, Node | None], value: bytes) -> Node | None:
        """Return the branch of some children, or what takes its place where only one is left."""
        references = [EMPTY] * VALUE + [value]
        children: list[Node | None] = [None] * VALUE
        for nibble, child in new.items():
            if child is not None:
                children[nibble] = child
                references[nibble] = PENDING
        if references.count(EMPTY) >= VALUE:
            return self._collapse(references, children)
        for nibble, child in new.items():
            if child is not None:
                references[nibble] = child.reference or self._reference(child)
        return new_branch(references, children, self._born)


def groups(items: Items, depth: int) -> Iterator[tuple[int, Items]] | tuple[tuple[int, Items]]:
    """Return the items of each nibble at a depth, `VALUE` for a key that ends there."""
    if len(items) == 1:
        return ((nibble_at(items[0][0], depth), items),)
    return _many_groups(items, depth)


def _many_groups(items: Items, depth: int) -> Iterator[tuple[int, Items]]:
    place, shift = depth >> 1, 0 if depth & 1 else 4
    start, current = 0, nibble_at(items[0][0], depth)
    if current == VALUE:
        yield VALUE, items[:1]
        start, current = 1, items[1][0][place] >> shift & 15
    for index in range(start + 1, len(items)):
        nibble = items[index][0][place] >> shift & 15
        if nibble != current:
            yield current, items[start:index]
            start, current = index, nibble
    yield current, items[start:]


def shared_nibbles(first: bytes, last: bytes, depth: int) -> int:
    """Return the first position from a depth onwards at which two keys differ, or one ends."""
    end = 2 * min(len(first), len(last))
    while depth < end and nibble_at(first, depth) == nibble_at(last, depth):
        depth += 1
    return depth


def common(first: bytes, second: bytes) -> int:
    """Return how many bytes two strings share at their beginning."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))
