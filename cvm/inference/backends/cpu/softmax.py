"""Softmax along one axis."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.lane_operations import take_larger_block
from cvm.inference.backends.cpu.layout import BLOCK
from cvm.inference.backends.cpu.scalar_operations import larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import exp32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.softmax import SoftmaxParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def softmax(x: Array, outer: int, length: int, inner: int, y: Array) -> None:
    """Equal `operators.softmax` along the middle axis of (outer, length, inner)."""
    for slice_number in range(outer * inner):
        first = slice_number // inner * length * inner + slice_number % inner
        greatest = x[first]
        for i in range(1, length):
            greatest = larger(greatest, x[first + i * inner])
        total = np.float32(0)
        for i in range(length):
            y[first + i * inner] = exp32(x[first + i * inner] - greatest)
        for start in range(0, length, CHUNK):
            partial = np.float32(0)
            for i in range(start, min(start + CHUNK, length)):
                partial += y[first + i * inner]
            total += partial
        for i in range(length):
            y[first + i * inner] /= total


@kernel
def greatest_of(row: Array, best: Array) -> np.float32:
    """Return the fold of Max over a row, which no order changes; `best` holds a block."""
    length = len(row)
    greatest: np.float32 = row[0]
    if length >= BLOCK:
        for lane in range(BLOCK):
            best[lane] = row[lane]
        for i in range(BLOCK, length - BLOCK + 1, BLOCK):
            take_larger_block(best, 0, row, i)
        take_larger_block(best, 0, row, length - BLOCK)
        for lane in range(BLOCK):
            greatest = larger(greatest, best[lane])
    else:
        for i in range(1, length):
            greatest = larger(greatest, row[i])
    return greatest


@kernel
def softmax_rows(x: Array, length: int, best: Array, y: Array) -> None:
    """Equal `softmax` along the last axis, with whole vectors of a row."""
    for first in range(0, len(x), length):
        row, result = x[first : first + length], y[first : first + length]
        greatest = greatest_of(row, best)
        for i in range(length):
            result[i] = exp32(row[i] - greatest)
        total = np.float32(0)
        for start in range(0, length, CHUNK):
            partial = np.float32(0)
            for value in result[start : start + CHUNK]:
                partial += value
            total += partial
        for i in range(length):
            result[i] /= total


def build(builder: StepBuilder) -> None:
    """Plan a Softmax."""
    parameters: SoftmaxParameters = builder.node.parameters
    shape, axis = parameters.shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    if extents[2] == 1:
        builder.add(softmax_rows, x, shape[axis], np.zeros(BLOCK, np.float32), y)
    else:
        builder.add(softmax, x, *extents, y)
