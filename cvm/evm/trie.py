"""A Merkle-Patricia trie over a store of nodes: read, change, commit, prove.

Keys are strings of bytes: 32-byte hashes in states, anything in tests. The roots of a block's
lists, whose nodes nobody keeps, are made by `list_root`.
"""

from collections.abc import Container, Iterator, Sequence

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
    decode_node,
    encode_node,
    key_nibbles,
    leaf_head,
    list_start,
    nibble_at,
    string_of,
)
from cvm.evm.trie_update import ReadNode, TrieUpdate, resolve, stored_node


class Trie:
    """One trie, whose changes wait in memory for `commit`; reads see them.

    Nodes that were read or made stay at hand until `forget`. Where `read` gives None for a node,
    every method raises `cvm.faults.MissingTrieNode`.
    """

    def __init__(self, read: ReadNode, root: bytes = EMPTY_TRIE_ROOT) -> None:
        self._read = read
        self._node: Node | None = None
        self._changes: dict[bytes, bytes] = {}
        self._generation = 0
        self.root = root

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, None where there is none."""
        if key in self._changes:
            return self._changes[key] or None
        if self._node is None and self.root != EMPTY_TRIE_ROOT:
            self._node = stored_node(self._read, self.root, self._generation)
        return read_value(self._read, self.root, self._node, key, self._generation)

    def set(self, key: bytes, value: bytes) -> None:
        """Give a key a value; an empty one deletes it."""
        self._changes[key] = value

    def delete(self, key: bytes) -> None:
        """Take a key away, if it is there."""
        self._changes[key] = b""

    def commit(self) -> tuple[bytes, dict[bytes, bytes]]:
        """Apply what was set and deleted; return the root and the new nodes by their hash."""
        self._generation += 1
        update = TrieUpdate(self._read, self._generation)
        items = sorted(self._changes.items())
        self.root, self._node = update.apply(self.root, self._node, items)
        self._changes.clear()
        return self.root, update.nodes

    def forget(self, generations: int = 0) -> int:
        """Drop nodes that the last commits did not touch; return how many stay at hand.

        The store must hold what is dropped: write a commit's nodes before they age so far.
        """
        if self._node is None:
            return 0
        return trim(self._node, self._generation - generations)

    def prove(self, key: bytes) -> list[bytes]:
        """Return the RLP of the nodes from the root towards a committed key (EIP-1186).

        For an absent key they end where its place is shown to be empty or another's. Nodes inside
        their parent are not listed by themselves. An empty trie has an empty proof.
        """
        proof: list[bytes] = []
        for node, _depth in self._nodes_on(key):
            data = encode_node(node)
            if len(data) >= HASH_REFERENCE_BYTES - 1 or not proof:
                proof.append(data)
        return proof

    def _nodes_on(self, key: bytes) -> Iterator[tuple[Node, int]]:
        if self._node is None and self.root != EMPTY_TRIE_ROOT:
            self._node = stored_node(self._read, self.root, self._generation)
        return nodes_towards(self._read, self._node, key, self._generation)


def nodes_towards(
    read: ReadNode, node: Node | None, key: bytes, born: int
) -> Iterator[tuple[Node, int]]:
    """Yield the nodes from a root node towards a key, and at which nibble each stands."""
    depth = 0
    while node is not None:
        yield node, depth
        if type(node) is Branch:
            nibble = nibble_at(key, depth)
            start, end = node.slot(nibble)
            reference = node.data[start:end]
            if nibble == VALUE or reference == EMPTY:
                return
            child = node.children[nibble]
            if child is None or child.reference != reference:
                child = resolve(read, reference, born)
                node.children[nibble] = child
            node, depth = child, depth + 1
        elif type(node) is Extension:
            end = depth + len(node.nibbles)
            if key_nibbles(key, depth, end) != node.nibbles:
                return
            if node.child is None:
                node.child = resolve(read, node.below, born)
            node, depth = node.child, end
        else:
            return


def read_value(
    read: ReadNode, root: bytes, node: Node | None, key: bytes, born: int
) -> bytes | None:
    """Return the value of a key under a root, whose node may be at hand."""
    if node is None:
        if root == EMPTY_TRIE_ROOT:
            return None
        node = stored_node(read, root, born)
    last, depth = node, 0
    for last, depth in nodes_towards(read, node, key, born):  # noqa: B007  (the last one counts)
        pass
    return value_at(last, depth, key)


def value_at(node: Node, depth: int, key: bytes) -> bytes | None:
    """Return a key's value, given the last node on the way to it and that node's depth."""
    if type(node) is Leaf:
        ours = node.data.startswith(leaf_head(key, depth), list_start(node.data))
        return node.value() if ours else None
    if type(node) is Branch and depth == 2 * len(key):
        return string_of(node.references()[VALUE]) or None
    return None


def trim(node: Node, oldest: int) -> int:
    """Drop from memory what lies below a node and was born before a generation; count the rest."""
    kept = 1
    if type(node) is Branch:
        children = node.children
        for nibble, child in enumerate(children):
            if child is None:
                continue
            if child.born < oldest:
                children[nibble] = None
            elif type(child) is Leaf:
                kept += 1
            else:
                kept += trim(child, oldest)
    elif type(node) is not Leaf and node.child is not None:
        if node.child.born < oldest:
            node.child = None
        else:
            kept += trim(node.child, oldest)
    return kept


def proven_value(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return what a proof shows of a key; raises `MissingTrieNode` where it shows too little."""
    return Trie({keccak256(node): node for node in proof}.get, root).get(key)


def node_hashes(
    read: ReadNode, root: bytes, known: Container[bytes] = ()
) -> Iterator[tuple[bytes, Node]]:
    """Yield every node of a trie that has a hash, parents first, without keeping any.

    It goes past what is `known` when its turn comes, and what lies below that.
    """
    waiting = [] if root == EMPTY_TRIE_ROOT else [root]
    while waiting:
        node_hash = waiting.pop()
        if node_hash in known:
            continue
        node = stored_node(read, node_hash, 0)
        yield node_hash, node
        waiting.extend(hashes_below(node))


def hashes_below(node: Node) -> list[bytes]:
    """Return the hashes that a node holds, those in nodes inside it among them."""
    if type(node) is Leaf:
        return []
    references = node.references()[:VALUE] if type(node) is Branch else [node.below]
    hashes: list[bytes] = []
    for reference in references:
        if len(reference) == HASH_REFERENCE_BYTES:
            hashes.append(reference[1:])
        elif len(reference) > 1:
            hashes.extend(hashes_below(decode_node(reference, b"", 0)))
    return hashes
