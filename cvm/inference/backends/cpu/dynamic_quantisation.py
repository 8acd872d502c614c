"""DynamicQuantizeLinear: the range of a tensor, then its multiples of a scale."""

import numpy as np

from cvm.inference.backends.cpu.reduction_kernels import LANES, extreme_of_floats
from cvm.inference.backends.cpu.scalar_operations import larger, min_f32, round_to_integer
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def clipped_round(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """Return rint of a value clipped to whole bounds below 2**22; NaN gives 0."""
    value = np.float32(0) if value != value else value
    value = low if value < low else value
    value = high if value > high else value
    return round_to_integer(value)


@kernel
def quantise(
    x: Array, lowest: Array, highest: Array, y: Array, y_scale: Array, y_zero: Array
) -> None:
    """Equal `operators.dynamic_quantize_linear`, given the folds of Min and Max over x."""
    nothing, top = np.float32(0), np.float32(255)
    low, high = min_f32(lowest[0], nothing), larger(highest[0], nothing)
    scale = (high - low) / top
    scale = np.float32(1) if scale == nothing else scale
    zero = clipped_round(nothing - low / scale, nothing, top)
    least, greatest = nothing - zero, top - zero
    for i in range(len(x)):
        y[i] = np.uint8(np.int32(clipped_round(x[i] / scale, least, greatest) + zero))
    y_scale[0] = scale
    y_zero[0] = np.uint8(np.int32(zero))


def build(builder: StepBuilder) -> None:
    """Plan a DynamicQuantizeLinear."""
    x = flat(builder.operand(0))
    folded = (1, x.size, 1, np.zeros(LANES, np.int32), builder.scratch("int32", x.size))
    lowest, highest = np.zeros(1, np.float32), np.zeros(1, np.float32)
    builder.add(extreme_of_floats(is_max=False), x.view(np.int32), *folded, lowest.view(np.int32))
    builder.add(extreme_of_floats(is_max=True), x.view(np.int32), *folded, highest.view(np.int32))
    builder.add(quantise, x, lowest, highest, *map(flat, builder.results))
