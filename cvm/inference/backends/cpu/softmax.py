"""Softmax, and the float64 sequence of its exponential."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.scalar_operations import double_of_bits, larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.exact.exponential import (
    COEFFICIENTS,
    EXPONENT_BIAS,
    HIGHEST,
    INVERSE_LN2,
    LN2_HIGH,
    LN2_LOW,
    LOWEST,
    SIGNIFICAND_BITS,
)
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.softmax import SoftmaxParameters
from cvm.inference.tensor_type import Array

ROUNDING_MAGIC = 1.5 * 2.0**52
"""Adding and subtracting it rounds a float64 below 2**51 to an integer, ties to even."""

C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11 = COEFFICIENTS


@kernel
def exp32(x: np.float32) -> np.float32:
    """Equal `exact.exponential.exp32`: fifteen float64 products and sums, none of them fused."""
    if x != x:
        return x
    d = np.float64(x)
    d = np.float64(HIGHEST) if d > HIGHEST else d
    d = np.float64(LOWEST) if d < LOWEST else d
    n = (d * INVERSE_LN2 + ROUNDING_MAGIC) - ROUNDING_MAGIC
    r = (d - n * LN2_HIGH) - n * LN2_LOW
    p = C0 * r + C1
    p = p * r + C2
    p = p * r + C3
    p = p * r + C4
    p = p * r + C5
    p = p * r + C6
    p = p * r + C7
    p = p * r + C8
    p = p * r + C9
    p = p * r + C10
    p = p * r + C11
    return np.float32(p * double_of_bits((np.int64(n) + EXPONENT_BIAS) << SIGNIFICAND_BITS))


@kernel
def softmax(x: Array, outer: int, length: int, inner: int, y: Array) -> None:
    """Equal `operators.softmax` along the middle axis of (outer, length, inner)."""
    for slice_number in range(outer * inner):
        first = slice_number // inner * length * inner + slice_number % inner
        greatest = x[first]
        for i in range(1, length):
            greatest = larger(greatest, x[first + i * inner])
        total = np.float32(0)
        for start in range(0, length, CHUNK):
            partial = np.float32(0)
            for i in range(start, min(start + CHUNK, length)):
                value = exp32(x[first + i * inner] - greatest)
                y[first + i * inner] = value
                partial += value
            total += partial
        for i in range(length):
            y[first + i * inner] /= total


def build(builder: StepBuilder) -> None:
    """Plan a Softmax."""
    parameters: SoftmaxParameters = builder.node.parameters
    shape, axis = parameters.shape, parameters.axis
    extents = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    builder.add(softmax, flat(builder.operand(0)), *extents, flat(builder.results[0]))
