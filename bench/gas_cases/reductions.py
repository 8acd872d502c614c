"""Cases of operators that fold, normalise, pool or order."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase, image, normal, rows
from cvm.inference.tensor_type import Array

REDUCTIONS = (
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean"),
    *("ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
)
GLOBAL_POOLS = ("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool")
POOLS = ("AveragePool", "LpPool", "MaxPool")


def folds(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make folds of rows, of columns, and of whole maps."""
    x = normal(rng, *rows(size))
    for op in REDUCTIONS:
        data = np.abs(x) if op == "ReduceLogSum" else x
        for axis, form in ((-1, ""), (0, "columns")):
            axes = np.array([axis], np.int64)
            yield GasCase(op, size, (data, axes), frozenset({1}), form=form)
    for op in ("ArgMax", "ArgMin"):
        yield GasCase(op, size, (x,), attributes={"axis": -1})
        yield GasCase(op, size, (x,), attributes={"axis": 0}, form="columns")
    for op in GLOBAL_POOLS:
        yield GasCase(op, size, (normal(rng, *image(size)),))
    yield GasCase("CumSum", size, (x, np.array(1, np.int64)), frozenset({1}))
    yield GasCase("TopK", size, (x, np.array([5], np.int64)), frozenset({1}), outputs=2)


def norms(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make normalisations of rows and of maps."""
    x = normal(rng, *rows(size))
    width = x.shape[1]
    for op in ("Softmax", "LogSoftmax"):
        yield GasCase(op, size, (x,), attributes={"axis": -1})
        yield GasCase(op, size, (x,), attributes={"axis": 0}, form="columns")
    scale_and_bias = normal(rng, width), normal(rng, width)
    yield GasCase("LayerNormalization", size, (x, *scale_and_bias), frozenset({1, 2}))
    maps = normal(rng, *image(size))
    channels = maps.shape[1]
    affine = normal(rng, channels), normal(rng, channels)
    yield GasCase("InstanceNormalization", size, (maps, *affine), frozenset({1, 2}))
    groups = {"num_groups": 8}
    yield GasCase("GroupNormalization", size, (maps, *affine), frozenset({1, 2}), groups)
    yield GasCase("MeanVarianceNormalization", size, (maps,))
    statistics = normal(rng, channels), np.abs(normal(rng, channels)) + np.float32(0.1)
    inputs: tuple[Array, ...] = (maps, *affine, *statistics)
    yield GasCase("BatchNormalization", size, inputs, frozenset({1, 2, 3, 4}))
    yield GasCase("LRN", size, (maps,), attributes={"size": 5})


def pools(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make windows of 3 x 3 at a stride of 2, and of 2 x 2."""
    maps = normal(rng, *image(size))
    for op in POOLS:
        for kernel, form in ((3, ""), (2, "2x2")):
            pads = (kernel // 2,) * 2 + (0, 0)
            attributes = {"kernel_shape": (kernel,) * 2, "strides": (2, 2), "pads": pads}
            yield GasCase(op, size, (maps,), attributes=attributes, form=form)
