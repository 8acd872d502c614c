"""Nodes of a Merkle-Patricia trie: their three forms, to and from RLP (Yellow Paper, appendix D).

A node never changes what it says: an update makes new ones. Only `children` and `child` change in
place, which cache what lies behind references. Nodes hold their parts as few strings of bytes,
already encoded: of a hundred thousand accounts most are not in the processor's cache, and every
object that is touched costs a miss.

A *reference* is how a parent holds a child: the child's RLP where that is shorter than 32 bytes,
else 0xa0 and its hash. A *path* is a hex-prefix string: what is left of a key, ready for RLP.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

from cvm.evm.rlp_encoding import STRING_HEADERS, encode_bytes, encode_list
from cvm.evm.strict_rlp import read_header

EMPTY = b"\x80"
"""The reference to no child, and the RLP of no bytes."""
HASH_REFERENCE_BYTES = 33
VALUE = 16
"""The place of a branch's own value; keys of one length, or free of prefixes, never fill it."""
LEAF_EVEN = 0x20
LEAF_ODD = 0x30
EXTENSION_ODD = 0x10
ODD_LEAF = tuple(bytes((LEAF_ODD | nibble,)) for nibble in range(16))


@final
@dataclass(slots=True, eq=False)
class Leaf:
    """The end of a key and its value: the node's RLP."""

    data: bytes
    reference: bytes
    born: int

    def path(self) -> bytes:
        """Return what is left of the key."""
        return string_of(raw_items(self.data[list_start(self.data) :])[0])

    def value(self) -> bytes:
        """Return the value."""
        return string_of(raw_items(self.data[list_start(self.data) :])[1])


@final
@dataclass(slots=True, eq=False)
class Extension:
    """Nibbles (one a byte) that all keys below share, and the branch behind them."""

    nibbles: bytes
    below: bytes
    child: "Node | None"
    reference: bytes
    born: int


@final
@dataclass(slots=True, eq=False)
class Branch:
    """References to 16 children and the RLP of a value: the node's RLP.

    Bit i of `mask` says that child i is a hash; it is -1 where a child lies inside or a value is
    there. `children` is a cache that versions of the branch share: a child of it counts only where
    its own reference is the one that stands in `data`.
    """

    data: bytes
    mask: int
    children: "list[Node | None]"
    reference: bytes
    born: int

    def slot(self, nibble: int) -> tuple[int, int]:
        """Return where the reference to a child begins and ends; `VALUE` asks for the value."""
        mask = self.mask
        first = self.data[0]
        start = 1 if first < 0xF8 else first - 0xF6
        if mask >= 0:
            start += nibble + 32 * (mask & (1 << nibble) - 1).bit_count()
            return start, start + (HASH_REFERENCE_BYTES if mask >> nibble & 1 else 1)
        items = self.references()
        start += sum(map(len, items[:nibble]))
        return start, start + len(items[nibble])

    def references(self) -> list[bytes]:
        """Return the references to the children, and the RLP of the value."""
        return raw_items(self.data[list_start(self.data) :])


Node: TypeAlias = Leaf | Extension | Branch


def new_branch(references: list[bytes], children: "list[Node | None]", born: int) -> Branch:
    """Return the branch of 16 references and the RLP of a value."""
    return Branch(encode_list(b"".join(references)), mask_of(references), children, b"", born)


def mask_of(references: list[bytes]) -> int:
    """Return which references are hashes, -1 where one is neither that nor empty."""
    mask = 0
    for nibble, reference in enumerate(references):
        if len(reference) == HASH_REFERENCE_BYTES and nibble < VALUE:
            mask |= 1 << nibble
        elif reference != EMPTY:
            return -1
    return mask


def list_start(data: bytes) -> int:
    """Return where the items of a list's RLP begin."""
    first = data[0]
    return 1 if first < 0xF8 else first - 0xF6


def encode_node(node: Node) -> bytes:
    """Return a node's RLP."""
    if type(node) is Extension:
        return encode_list(encode_bytes(extension_path(node.nibbles)) + node.below)
    return node.data


def decode_node(data: bytes, reference: bytes, born: int) -> Node:
    """Return the node of an RLP that this package wrote."""
    items = raw_items(data[list_start(data) :])
    if len(items) == VALUE + 1:
        return Branch(data, mask_of(items), [None] * VALUE, reference, born)
    path = string_of(items[0])
    if path[0] >= LEAF_EVEN:
        return Leaf(data, reference, born)
    return Extension(path_nibbles(path), items[1], None, reference, born)


def raw_items(payload: bytes) -> list[bytes]:
    """Return the encodings of the items that stand one after the other."""
    position, end = 0, len(payload)
    items = []
    while position < end:
        prefix = payload[position]
        if prefix <= 0x80:
            stop = position + 1
        elif prefix == 0xA0:
            stop = position + HASH_REFERENCE_BYTES
        else:
            stop = read_header(payload, position, end)[2]
        items.append(payload[position:stop])
        position = stop
    return items


def string_of(encoding: bytes) -> bytes:
    """Return the byte string of an RLP."""
    return encoding[read_header(encoding, 0, len(encoding))[1] :]


def leaf_head(key: bytes, depth: int) -> bytes:
    """Return the RLP of the hex-prefix form of a key from a nibble onwards, as a leaf begins."""
    start = depth >> 1
    path = ODD_LEAF[key[start] & 15] + key[start + 1 :] if depth & 1 else b"\x20" + key[start:]
    length = len(path)
    return path if length == 1 else STRING_HEADERS[length] + path


def whole_key(beginning: bytes, depth: int, path: bytes) -> bytes:
    """Return the key of a leaf at a depth, given any key that runs through the same place."""
    start = depth >> 1
    if depth & 1:
        return beginning[:start] + bytes((beginning[start] & 0xF0 | path[0] & 15,)) + path[1:]
    return beginning[:start] + path[1:]


def path_nibbles(path: bytes) -> bytes:
    """Return the nibbles of a hex-prefix string, one a byte."""
    digits = path.hex()[1 if path[0] & 0x10 else 2 :]
    return bytes([int(digit, 16) for digit in digits])


def key_nibbles(key: bytes, start: int, stop: int) -> bytes:
    """Return the nibbles of a key between two positions, one a byte."""
    return bytes([int(digit, 16) for digit in key.hex()[start:stop]])


def extension_path(nibbles: bytes) -> bytes:
    """Return the hex-prefix form of an extension's nibbles."""
    odd = len(nibbles) & 1
    first = bytes((EXTENSION_ODD | nibbles[0] if odd else 0,))
    rest = nibbles[odd:]
    return first + bytes([high << 4 | low for high, low in zip(rest[::2], rest[1::2], strict=True)])


def longer_leaf_path(nibbles: bytes, path: bytes) -> bytes:
    """Return a leaf's path with nibbles put before it."""
    longer = extension_path(nibbles + path_nibbles(path))
    return bytes((longer[0] | LEAF_EVEN,)) + longer[1:]


def nibble_at(key: bytes, depth: int) -> int:
    """Return a nibble of a key, `VALUE` behind its end."""
    place = depth >> 1
    if place == len(key):
        return VALUE
    return key[place] & 15 if depth & 1 else key[place] >> 4
