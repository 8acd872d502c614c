"""Trees as their kernels walk them: every branch asks one question, feature <= value."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.operators.tree_ensemble import (
    ABOVE,
    BELOW,
    EQUAL,
    MISSING,
    TreeEnsemble,
)
from cvm.inference.tensor_type import Array

NODE_WORDS = 4
"""A node is 16 bytes: its feature, value, left child and right child."""

LOWEST_BITS = 0x80000001
"""The greatest float32 below zero."""


@dataclass(frozen=True, slots=True)
class LoweredTrees:
    """Nodes as uint32, `NODE_WORDS` each: a value by its bits, a child by the place of its words.

    `roots` are places too. Where `reads_repeated`, rows are read as `trees.repeat_features` writes
    them: a NaN goes right in the first half of a row and left in the second.
    """

    words: Array
    roots: Array
    depths: Array
    reads_repeated: bool


def lowered(trees: TreeEnsemble, features: int) -> LoweredTrees:
    """Write each mode with <= alone; every row reaches the leaves of `operators.tree_ensemble`.

    x < v is x <= the float32 before v; x >= v and x > v swap the children of x < v and x <= v.
    x == v asks x <= v, then whether x <= the float32 before v, by a node of its own behind all
    others; x != v is the same with its children swapped. NaN takes the side that it must take.
    """
    count = len(trees.values)
    mode = trees.ways & (BELOW | EQUAL | ABOVE)
    swaps = (mode == EQUAL | ABOVE) | (mode == ABOVE) | (mode == BELOW | ABOVE)
    hit = np.where(swaps, trees.false_children, trees.true_children)
    miss = np.where(swaps, trees.true_children, trees.false_children)
    asks_twice = np.flatnonzero((mode == EQUAL) | (mode == BELOW | ABOVE))
    before = (mode == BELOW) | (mode == EQUAL | ABOVE)
    second = np.arange(count, count + len(asks_twice))
    nan_hits = ((trees.ways & MISSING) != 0) != swaps
    nodes = np.zeros((count + len(asks_twice), NODE_WORDS), np.uint32)
    nodes[:count, 0] = trees.features + features * nan_hits
    nodes[:count, 1] = np.where(before, bits_before(trees.values), bits(trees.values))
    nodes[:count, 2] = hit * NODE_WORDS
    nodes[asks_twice, 2] = second * NODE_WORDS
    nodes[:count, 3] = miss * NODE_WORDS
    nodes[count:, 0] = trees.features[asks_twice]
    nodes[count:, 1] = bits_before(trees.values)[asks_twice]
    nodes[count:, 2] = miss[asks_twice] * NODE_WORDS
    nodes[count:, 3] = hit[asks_twice] * NODE_WORDS
    return LoweredTrees(
        nodes.reshape(-1),
        (trees.roots * NODE_WORDS).astype(np.uint32),
        trees.depths * (2 if len(asks_twice) else 1),
        bool(nan_hits.any()),
    )


def bits(values: Array) -> Array:
    """Return float32 values as uint32."""
    return np.ascontiguousarray(values).view(np.uint32)


def bits_before(values: Array) -> Array:
    """Return the bits of the greatest float32 below each finite value; below the least is -inf."""
    own = bits(values)
    is_positive = (own != 0) & (own < 0x80000000)
    is_zero = (own & 0x7FFFFFFF) == 0
    return np.where(is_zero, np.uint32(LOWEST_BITS), np.where(is_positive, own - 1, own + 1))
