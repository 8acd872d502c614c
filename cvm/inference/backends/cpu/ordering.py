"""TopK: a heap of the best k elements of each slice."""

from math import prod
from typing import Any

import numpy as np

from cvm.inference.backends.cpu.copying import words
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.exact.ordering import NAN_KEY
from cvm.inference.operators.topk import TopKParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

INFINITY_BITS = 0x7F800000


@kernel
def rank_of(bits: int, is_float: bool, largest: bool) -> np.int64:
    """Return a number that is less for an element that comes first; see `exact.order_keys`."""
    key = np.int64(bits)
    if is_float:
        magnitude = key & 0x7FFFFFFF
        key = -magnitude if key < 0 else magnitude
        if magnitude > INFINITY_BITS:
            key = np.int64(NAN_KEY)
    return ~key if largest else key


@kernel
def sift_down(
    ranks: Array, places: Array, root: int, size: int, rank: np.int64, place: int
) -> None:
    """Put an element at or below `root` of a heap, whose root comes after all below it."""
    hole = root
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            ranks[right] > ranks[child]
            or (ranks[right] == ranks[child] and places[right] > places[child])
        ):
            child = right
        if ranks[child] < rank or (ranks[child] == rank and places[child] < place):
            break
        ranks[hole], places[hole] = ranks[child], places[child]
        hole = child
    ranks[hole], places[hole] = rank, place


@kernel
def choose(
    x: Array,
    extents: tuple[int, int, int],
    k: int,
    is_float: bool,
    largest: bool,
    ranks: Array,
    places: Array,
    y: Array,
) -> None:
    """Equal `operators.topk`: write where the first k along the middle of three axes stand.

    The heap holds the best k so far; a later element of equal rank displaces none. It is then
    emptied from the last to the first.
    """
    outer, length, inner = extents
    for slice_number in range(outer * inner):
        block, column = slice_number // inner, slice_number % inner
        first = block * length * inner + column
        for i in range(k):
            ranks[i], places[i] = rank_of(x[first + i * inner], is_float, largest), i
        for root in range(k // 2 - 1, -1, -1):
            sift_down(ranks, places, root, k, ranks[root], places[root])
        for i in range(k, length):
            rank = rank_of(x[first + i * inner], is_float, largest)
            if rank < ranks[0]:
                sift_down(ranks, places, 0, k, rank, i)
        for size in range(k - 1, -1, -1):
            y[(block * k + size) * inner + column] = places[0]
            sift_down(ranks, places, 0, size, ranks[size], places[size])


@kernel
def pick(x: Array, extents: tuple[int, int, int], k: int, places: Array, y: Array) -> None:
    """Write the elements that stand at the places along the middle of three axes."""
    outer, length, inner = extents
    for block in range(outer):
        for i in range(k * inner):
            at = block * k * inner + i
            y[at] = x[(block * length + places[at]) * inner + i % inner]


def build_topk(builder: StepBuilder) -> None:
    """Plan a TopK; 8-bit integers are ranked as int32."""
    parameters: TopKParameters = builder.node.parameters
    shape, axis, k = parameters.input_shape, parameters.axis, parameters.k
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    x = flat(builder.operand(0))
    values, indices = builder.results
    numbers: Any = x.view(np.int32) if x.dtype == np.float32 else x
    if x.itemsize == 1:
        numbers = builder.scratch("int32", len(x))
        builder.add(np.copyto, numbers, x)
    heap = builder.scratch("int64", k), builder.scratch("int64", k)
    is_float = x.dtype == np.float32
    y = flat(indices)
    builder.add(choose, numbers, extents, k, is_float, parameters.largest, *heap, y)
    builder.add(pick, words(x), extents, k, y, words(values))
