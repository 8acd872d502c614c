"""LogSoftmax and ReduceLogSumExp: exponentials of one axis, their ordered sum, its logarithm."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.reduction import source_and_extents
from cvm.inference.backends.cpu.scalar_operations import larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import exp32, log32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.softmax import SoftmaxParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def greatest_of(x: Array, first: int, length: int, step: int) -> np.float32:
    """Return the fold of Max over a slice."""
    greatest: np.float32 = x[first]
    for i in range(1, length):
        greatest = larger(greatest, x[first + i * step])
    return greatest


@kernel
def exponentiate(values: Array) -> None:
    """Replace each value by its exponential."""
    for i in range(len(values)):
        values[i] = exp32(values[i])


@kernel
def log_of_sum(values: Array) -> np.float32:
    """Return the logarithm of the ordered sum of all values."""
    total = np.float32(0)
    for start in range(0, len(values), CHUNK):
        partial = np.float32(0)
        for i in range(start, min(start + CHUNK, len(values))):
            partial += values[i]
        total += partial
    return log32(total)


@kernel
def log_softmax(
    x: Array, outer: int, length: int, inner: int, exponentials: Array, y: Array
) -> None:
    """Equal `operators.log_softmax` along the middle axis of (outer, length, inner).

    `exponentials` holds `length` elements.
    """
    for index in range(outer * inner):
        first = index // inner * length * inner + index % inner
        greatest = greatest_of(x, first, length, inner)
        if inner == 1:
            row, target = x[first : first + length], y[first : first + length]
            for i in range(length):
                exponentials[i] = target[i] = row[i] - greatest
            exponentiate(exponentials)
            logarithm = log_of_sum(exponentials)
            for i in range(length):
                target[i] -= logarithm
            continue
        for i in range(length):
            exponentials[i] = x[first + i * inner] - greatest
            y[first + i * inner] = exponentials[i]
        exponentiate(exponentials)
        logarithm = log_of_sum(exponentials)
        for i in range(length):
            y[first + i * inner] -= logarithm


@kernel
def log_sum_exp(
    x: Array, outer: int, length: int, inner: int, exponentials: Array, y: Array
) -> None:
    """Equal `operators.reduce_log_sum_exp` along the middle axis of (outer, length, inner)."""
    infinity = np.float32(np.inf)
    for index in range(outer * inner):
        first = index // inner * length * inner + index % inner
        greatest = greatest_of(x, first, length, inner)
        if greatest == infinity or greatest == -infinity:
            greatest = np.float32(0)
        for i in range(length):
            exponentials[i] = x[first + i * inner] - greatest
        exponentiate(exponentials)
        y[index] = log_of_sum(exponentials) + greatest


def build(builder: StepBuilder) -> None:
    """Plan a LogSoftmax."""
    parameters: SoftmaxParameters = builder.node.parameters
    shape, axis = parameters.shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    exponentials = builder.scratch("float32", shape[axis])
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    builder.add(log_softmax, x, *extents, exponentials, y)


def build_log_sum_exp(builder: StepBuilder) -> None:
    """Plan a ReduceLogSumExp of float32; integers run by the definition."""
    y = flat(builder.results[0])
    if y.dtype != np.float32:
        definition.build(builder)
        return
    x, extents = source_and_extents(builder, np.float32)
    builder.add(log_sum_exp, x, *extents, builder.scratch("float32", extents[1]), y)
