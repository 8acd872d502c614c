"""CumSum and Trilu: kernels that walk along rows."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.copying import words
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.cumsum import CumSumParameters
from cvm.inference.operators.trilu import TriluParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def running_sums(
    x: Array,
    outer: int,
    length: int,
    inner: int,
    exclusive: bool,
    reverse: bool,
    zero: Array,
    y: Array,
) -> None:
    """Equal `operators.cumsum` along the middle of three axes; `zero` holds a 0."""
    size = length * inner
    for block in range(outer):
        at, step = block * size, inner
        if reverse:
            at, step = at + size - inner, -inner
        source, target = x[at:], y[at:]
        for q in range(inner):
            target[q] = zero[0] if exclusive else zero[0] + source[q]
        for _ in range(1, length):
            before, at = at, at + step
            source, total, target = x[before if exclusive else at :], y[before:], y[at:]
            for q in range(inner):
                target[q] = total[q] + source[q]


@kernel
def triangle(x: Array, rows: int, columns: int, k: int, upper: bool, y: Array) -> None:
    """Equal `operators.trilu` on words of a stack of matrices (rows, columns)."""
    for line in range(len(x) // max(columns, 1)):
        bound = line % rows + k
        low, high = (bound, columns) if upper else (0, bound + 1)
        low, high = max(low, 0), min(high, columns)
        at = line * columns
        for j in range(columns):
            y[at + j] = 0
        for j in range(low, high):
            y[at + j] = x[at + j]


def build_cumsum(builder: StepBuilder) -> None:
    """Plan a CumSum."""
    parameters: CumSumParameters = builder.node.parameters
    shape, axis = parameters.shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    flags = (parameters.exclusive, parameters.reverse)
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    if len(x):
        builder.add(running_sums, x, *extents, *flags, np.zeros(1, x.dtype), y)


def build_trilu(builder: StepBuilder) -> None:
    """Plan a Trilu."""
    parameters: TriluParameters = builder.node.parameters
    extents = parameters.shape[-2:]
    x, y = words(builder.operand(0)), words(builder.results[0])
    builder.add(triangle, x, *extents, parameters.diagonal, parameters.upper, y)
