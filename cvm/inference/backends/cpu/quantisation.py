"""QuantizeLinear and DequantizeLinear, for a whole tensor or along one axis."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.byte_vectors import LANES, dequantise_vector, quantise_vector
from cvm.inference.backends.cpu.scalar_operations import round_to_integer
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat, flat_bytes
from cvm.inference.operators.axis_scale import AxisScale
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.operators.quantize_linear import QuantizeLinearParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def quantise(
    x: Array, inner: int, scales: Array, zeros: Array, low: int, high: int, y: Array
) -> None:
    """Equal `operators.quantize_linear`; scale `i // inner % len(scales)` belongs to element i.

    The bounds are integers, so that clipping before rounding gives the same value.
    """
    for block in range(len(x) // inner):
        scale, zero = scales[block % len(scales)], np.int32(zeros[block % len(scales)])
        least, greatest = np.float32(low - zero), np.float32(high - zero)
        first, stop = block * inner, (block + 1) * inner
        rest = stop - inner % LANES
        for i in range(first, rest, LANES):
            quantise_vector(x, i, scale, least, greatest, zero, y, i)
        for i in range(rest, stop):
            value = x[i] / scale
            value = np.float32(0) if value != value else value
            value = least if value < least else value
            value = greatest if value > greatest else value
            y[i] = np.uint8((np.int32(round_to_integer(value)) + zero) & 0xFF)


@kernel
def dequantise(x: Array, inner: int, scales: Array, zeros: Array, y: Array) -> None:
    """Equal `operators.dequantize_linear`; scales are laid out as for `quantise`."""
    for block in range(len(x) // inner):
        scale, zero = scales[block % len(scales)], zeros[block % len(scales)]
        first, stop = block * inner, (block + 1) * inner
        rest = stop - inner % LANES
        for i in range(first, rest, LANES):
            dequantise_vector(x, i, zero, scale, y, i)
        for i in range(rest, stop):
            y[i] = np.float32(np.int32(x[i]) - zero) * scale


def per_block(parameters: AxisScale) -> tuple[int, Array, Array]:
    """Return the elements that share a scale, the scales and the int32 zero points.

    An axis' scales are shaped (length, 1 ...), so what stands after the first axis is shared.
    """
    scale = parameters.scale
    inner = prod(parameters.shape)
    if scale.ndim:
        inner = prod(parameters.shape[len(parameters.shape) - scale.ndim + 1 :])
    zero = np.broadcast_to(parameters.zero, scale.shape).astype(np.int32)
    return max(inner, 1), flat(scale).copy(), flat(zero)


def build_quantise(builder: StepBuilder) -> None:
    """Plan a QuantizeLinear."""
    parameters: QuantizeLinearParameters = builder.node.parameters
    y = flat_bytes(builder.results[0])
    limits = LIMITS[parameters.dtype]
    builder.add(quantise, flat(builder.operand(0)), *per_block(parameters), *limits, y)


def build_dequantise(builder: StepBuilder) -> None:
    """Plan a DequantizeLinear."""
    parameters: AxisScale = builder.node.parameters
    y = flat(builder.results[0])
    builder.add(dequantise, flat(builder.operand(0)), *per_block(parameters), y)
