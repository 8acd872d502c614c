"""A sum of two quantised images that is quantised again: three steps of the graph in one pass."""

import numpy as np

from cvm.inference.backends.cpu.byte_vectors import LANES, quantise_sum_vector
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.backends.cpu.task import QuantisedSum
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.operators.quantize_linear import QuantizeLinearParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def add_quantised(
    a: Array,
    a_zero: int,
    a_scale: np.float32,
    b: Array,
    b_zero: int,
    b_scale: np.float32,
    low: np.float32,
    high: np.float32,
    scale: np.float32,
    least: np.float32,
    greatest: np.float32,
    zero: int,
    rest: tuple[Array, Array, Array],
    y: Array,
) -> None:
    """Equal DequantizeLinear twice, Add, Min(Max(sum, low), high) and QuantizeLinear.

    `rest` holds `LANES` elements of each array for what is left at the end.
    """
    whole = len(y) // LANES * LANES
    for i in range(0, whole, LANES):
        quantise_sum_vector(
            a, a_zero, a_scale, b, b_zero, b_scale, low, high, scale, least, greatest, zero, y, i
        )
    left, right, made = rest
    count = len(y) - whole
    if count > 0:
        for i in range(count):
            left[i], right[i] = a[whole + i], b[whole + i]
        quantise_sum_vector(
            *(left, a_zero, a_scale, right, b_zero, b_scale, low, high),
            *(scale, least, greatest, zero, made, 0),
        )
        for i in range(count):
            y[whole + i] = made[i]


def build(builder: StepBuilder, terms: QuantisedSum) -> None:
    """Plan a QuantizeLinear with the sum before it; both operands lie as the result does."""
    parameters: QuantizeLinearParameters = builder.node.parameters
    a, b, y = builder.stored(0), builder.stored(1), builder.stored_results[0]
    low, high = LIMITS[parameters.dtype]
    zero = int(np.asarray(parameters.zero).reshape(())[()])
    result = y.array.view(np.uint8)
    rest = tuple(np.zeros(LANES, array.dtype) for array in (a.array, b.array, result))
    builder.add(
        add_quantised,
        *(a.array, *terms.first, b.array, *terms.second, terms.low, terms.high),
        np.float32(np.asarray(parameters.scale).reshape(())[()]),
        *(np.float32(low - zero), np.float32(high - zero), zero, rest, result),
    )
