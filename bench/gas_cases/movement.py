"""Cases of operators that choose, move or make values and compute little."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import SIZES, GasCase, image, normal, rows
from cvm.inference.tensor_type import Array


def _int64(*values: int) -> Array:
    return np.array(values, np.int64)


def places_in(rng: np.random.Generator, length: int, *shape: int) -> Array:
    """Return places on an axis of a length."""
    return rng.integers(0, length, shape)


def copies(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators that put the input's values elsewhere."""
    x = normal(rng, *image(size))
    _, channels, height, width = x.shape
    half = x[:, : channels // 2]
    yield GasCase("Concat", size, (half, half), attributes={"axis": 1})
    parts = {"axis": 1, "num_outputs": 2}
    yield GasCase("Split", size, (x,), attributes=parts, outputs=2)
    places = (_int64(1, 1), _int64(height, width), _int64(2, 3), _int64(1, 1))
    yield GasCase("Slice", size, (x, *places), frozenset({1, 2, 3, 4}))
    for form, order in (("", (0, 2, 3, 1)), ("heads", (0, 2, 1, 3)), ("rows", (0, 1, 3, 2))):
        yield GasCase("Transpose", size, (x,), attributes={"perm": order}, form=form)
    flat = _int64(1, x.size)
    yield GasCase("Reshape", size, (x, flat), frozenset({1}))
    yield GasCase("Squeeze", size, (x, _int64(0)), frozenset({1}))
    yield GasCase("Unsqueeze", size, (x, _int64(0)), frozenset({1}))
    yield GasCase("Expand", size, (x[:, :, :1], _int64(*x.shape)), frozenset({1}))
    yield GasCase("Tile", size, (half, _int64(1, 2, 1, 1)), frozenset({1}))
    for mode in ("constant", "reflect", "edge"):
        pads = _int64(0, 0, 1, 1, 0, 0, 1, 1)
        yield GasCase("Pad", size, (x, pads), frozenset({1}), {"mode": mode}, form=mode)
    quarter = x[:, : channels // 4]
    yield GasCase("DepthToSpace", size, (x,), attributes={"blocksize": 2})
    yield GasCase("SpaceToDepth", size, (quarter,), attributes={"blocksize": 2})
    scales = np.array([1, 1, 2, 2], np.float32)
    for mode in ("nearest", "linear"):
        inputs = (quarter, None, scales)
        yield GasCase("Resize", size, inputs, frozenset({2}), {"mode": mode}, form=mode)
    yield GasCase("Trilu", size, (x,))
    sequences = x.reshape(channels, -1)
    lengths = 1 + places_in(rng, sequences.shape[1], channels)
    attributes = {"batch_axis": 0, "time_axis": 1}
    yield GasCase("ReverseSequence", size, (sequences, lengths), frozenset({1}), attributes)


def choices(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators that read at places which are values."""
    x = normal(rng, *rows(size))
    count, width = x.shape
    chosen = places_in(rng, count, count)
    yield GasCase("Gather", size, (x, chosen), attributes={"axis": 0})
    columns = places_in(rng, width, width)
    yield GasCase("Gather", size, (x, columns), attributes={"axis": 1}, form="columns")
    places = places_in(rng, count, *x.shape)
    yield GasCase("GatherElements", size, (x, places), attributes={"axis": 0})
    yield GasCase("GatherND", size, (x, chosen[:, None]))
    distinct = rng.permutation(count)[: count // 2]
    updates = normal(rng, count // 2, width)
    yield GasCase("ScatterND", size, (x, distinct[:, None], updates), frozenset({1}))
    ascending = np.repeat(np.sort(distinct)[:, None], width, axis=1)
    inputs = (x, ascending, updates)
    yield GasCase("ScatterElements", size, inputs, frozenset({1}), {"axis": 0})
    labels = places_in(rng, width, count)
    off_and_on = np.array([0, 1], np.float32)
    one_hot: tuple[Array, ...] = (labels, np.array(width, np.int64), off_and_on)
    yield GasCase("OneHot", size, one_hot, frozenset({1, 2}))


def fillings(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators whose result follows from shapes and initializers."""
    elements = SIZES[size]
    yield GasCase("ConstantOfShape", size, (_int64(elements),), frozenset({0}))
    numbers = tuple(np.array(value, np.float32) for value in (0, elements, 1))
    yield GasCase("Range", size, numbers, frozenset({0, 1, 2}))
    side = int(elements**0.5)
    square = normal(rng, side, side)
    yield GasCase("EyeLike", size, (square,))
    yield GasCase("Shape", size, (square,))
    yield GasCase("Size", size, (square,))
