"""The trie of a block's list in compiled code: items by the RLP of their index, and its root.

Only the root is wanted, so no node is kept: each depth has one buffer for the branch that is being
written there. Format: Yellow Paper, appendices B (RLP), C (hex prefix) and D (trie).
"""

from cvm.evm.keccak import HASH_BYTES
from cvm.evm.native.keccak import keccak256
from cvm.evm.native.number_types import int64, uint8
from cvm.evm.native.raw_memory import load_byte, load_int, move_bytes, store_byte
from cvm.evm.native.word import store_word
from cvm.native_code import kernel

HASH_PREFIX = 0x80 + HASH_BYTES
SHORT = 55
"""The longest payload whose length stands in the prefix byte."""

KEY_BYTES = 6
"""The RLP of an index below 2**40."""

MAX_DEPTH = 2 * KEY_BYTES
NODE_BYTES = 3 + 17 * (1 + HASH_BYTES)
"""A branch, with the most that stands before its items."""

LEAF_ROOM = 32
"""What a leaf has beside its item: two list prefixes and a path."""

# Where a call finds what it works on, in int64.
ITEMS = 0  # address of the items' bytes, one after the other
ENDS = 1  # address of count + 1 int64: where each item begins, and the end of the last
COUNT = 2
SCRATCH = 3  # address of keccak's scratch
NODES = 4  # address of MAX_DEPTH + 2 buffers of NODE_BYTES
LEAF = 5  # address of a buffer for the longest leaf
WORK_WORDS = 6


@kernel
def index_at(count: int, place: int) -> int:
    """Return the index whose key comes at a place in the order of keys: 1 to 127, 0, 128 on."""
    first = min(count - 1, 127)
    if place < first:
        return place + 1
    return 0 if place == first else place


@kernel
def key_byte(index: int, place: int) -> int:
    """Return a byte of the RLP of an index; it has at least so many."""
    if index == 0:
        return 0x80
    if index < 0x80:
        return index
    size = 1
    while index >> (8 * size):
        size += 1
    return 0x80 + size if place == 0 else index >> (8 * (size - place)) & 0xFF


@kernel
def key_size(index: int) -> int:
    """Return how many bytes the RLP of an index has."""
    if index < 0x80:
        return 1
    size = 1
    while index >> (8 * size):
        size += 1
    return 1 + size


@kernel
def key_nibble(index: int, depth: int) -> int:
    """Return a nibble of an index's key."""
    byte = key_byte(index, depth >> 1)
    return byte & 15 if depth & 1 else byte >> 4


@kernel
def write_prefix(target: int, short: int, size: int) -> int:
    """Write what stands before a string (0x80) or a list (0xc0) of so many bytes; its size."""
    if size <= SHORT:
        store_byte(target, 0, uint8(short + size))
        return 1
    digits = 1
    while size >> (8 * digits):
        digits += 1
    store_byte(target, 0, uint8(short + SHORT + digits))
    for digit in range(digits):
        store_byte(target, 1 + digit, uint8(size >> (8 * (digits - 1 - digit)) & 0xFF))
    return 1 + digits


@kernel
def write_path(target: int, index: int, start: int, stop: int, flag: int) -> int:
    """Write nibbles of a key in hex prefix, as a string; the size that it takes."""
    nibbles = stop - start
    size = 1 + nibbles // 2
    place = target
    if size > 1:
        place += write_prefix(target, 0x80, size)
    odd = nibbles & 1
    first = (flag + 1) << 4 | key_nibble(index, start) if odd else flag << 4
    store_byte(place, 0, uint8(first))
    for i in range(1, size):
        depth = start + odd + 2 * (i - 1)
        byte = key_nibble(index, depth) << 4 | key_nibble(index, depth + 1)
        store_byte(place, i, uint8(byte))
    return place + size - target


@kernel
def list_before(payload: int, size: int) -> int:
    """Write a list's prefix so that it ends at the payload; the address where the list begins."""
    digits = 0
    if size > SHORT:
        digits = 1
        while size >> (8 * digits):
            digits += 1
    start = payload - 1 - digits
    write_prefix(start, 0xC0, size)
    return start


@kernel
def write_leaf(work: int, index: int, depth: int) -> tuple[int, int]:
    """Write the leaf of an item; its address and size."""
    ends = load_int(work, ENDS)
    item = load_int(work, ITEMS) + load_int(ends, index)
    size = load_int(ends, index + 1) - load_int(ends, index)
    payload = load_int(work, LEAF) + LEAF_ROOM // 2
    place = payload + write_path(payload, index, depth, 2 * key_size(index), 2)
    if size != 1 or load_byte(item, 0) >= uint8(0x80):
        place += write_prefix(place, 0x80, size)
    move_bytes(place, item, size)
    end = place + size
    start = list_before(payload, end - payload)
    return start, end - start


@kernel
def refer(work: int, start: int, size: int, target: int) -> int:
    """Write the reference to a node: itself where it is short, else its hash; the size."""
    if size < HASH_BYTES:
        move_bytes(target, start, size)
        return size
    store_byte(target, 0, uint8(HASH_PREFIX))
    store_word(target, 1, keccak256(load_int(work, SCRATCH), start, size))
    return 1 + HASH_BYTES


@kernel
def write_reference(work: int, first: int, last: int, depth: int, target: int) -> int:
    """Write the reference to the node of the keys at places first to last - 1; its size."""
    count = load_int(work, COUNT)
    index = index_at(count, first)
    if last - first == 1:
        start, size = write_leaf(work, index, depth)
        return refer(work, start, size, target)
    other = index_at(count, last - 1)
    fork = depth
    while key_nibble(index, fork) == key_nibble(other, fork):
        fork += 1
    payload = load_int(work, NODES) + fork * NODE_BYTES + 3
    end = payload
    place = first
    for nibble in range(16):
        stop = place
        while stop < last and key_nibble(index_at(count, stop), fork) == nibble:
            stop += 1
        if stop == place:
            store_byte(end, 0, uint8(0x80))
            end += 1
            continue
        end += write_reference(work, place, stop, fork + 1, end)
        place = stop
    store_byte(end, 0, uint8(0x80))
    end += 1
    start = list_before(payload, end - payload)
    if fork == depth:
        return refer(work, start, end - start, target)
    payload = load_int(work, NODES) + (MAX_DEPTH + 1) * NODE_BYTES + 3
    place = payload + write_path(payload, index, depth, fork, 0)
    place += refer(work, start, end - start, place)
    start = list_before(payload, place - payload)
    return refer(work, start, place - start, target)


@kernel
def write_root(work: int, target: int) -> None:
    """Write the root of a list that has items."""
    count = load_int(work, COUNT)
    size = write_reference(work, int64(0), count, int64(0), target)
    if size <= HASH_BYTES:
        store_word(target, 1, keccak256(load_int(work, SCRATCH), target, size))
        store_byte(target, 0, uint8(HASH_PREFIX))
