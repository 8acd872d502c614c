"""The root of a block's list of transactions, receipts or withdrawals (Yellow Paper, 4.4.2)."""

from collections.abc import Sequence

import numpy as np

from cvm.evm.keccak import HASH_BYTES
from cvm.evm.native.list_trie import (
    COUNT,
    ENDS,
    ITEMS,
    LEAF,
    LEAF_ROOM,
    MAX_DEPTH,
    NODE_BYTES,
    NODES,
    SCRATCH,
    WORK_WORDS,
    write_root,
)
from cvm.evm.native.machine_memory import Array, address_of, new_scratch
from cvm.evm.state_reader import EMPTY_TRIE_ROOT


def list_root(items: Sequence[bytes]) -> bytes:
    """Return the root of the trie that holds each item under the RLP of its index.

    Items are not empty, and fewer than 2**40.
    """
    if not items:
        return EMPTY_TRIE_ROOT
    sizes = [len(item) for item in items]
    joined = np.frombuffer(b"".join(items), np.uint8)
    ends = np.zeros(len(items) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    nodes = np.empty((MAX_DEPTH + 2) * NODE_BYTES, np.uint8)
    leaf = np.empty(max(sizes) + LEAF_ROOM, np.uint8)
    root = np.empty(1 + HASH_BYTES, np.uint8)
    work = np.zeros(WORK_WORDS, np.int64)
    work[COUNT] = len(items)
    parts: dict[int, Array] = {
        ITEMS: joined,
        ENDS: ends,
        SCRATCH: new_scratch(),
        NODES: nodes,
        LEAF: leaf,
    }
    for place, part in parts.items():
        work[place] = address_of(part)
    write_root(address_of(work), address_of(root))
    return root[1:].tobytes()
