"""AveragePool: the mean of the elements under a sliding window."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.pooling import (
    POOLING_ATTRIBUTES,
    PoolingShape,
    output_type,
    resolve_pooling,
)
from cvm.inference.operators.window import Window
from cvm.inference.operators.window_sum import window_sum
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class AveragePoolParameters(PoolingShape):
    """A resolved pooling window, and whether the divisor counts the padding."""

    count_include_pad: bool


def parse(view: NodeView) -> AveragePoolParameters:
    """Check float32 x (n, c, *spatial) of 1 to 3 spatial axes and the window."""
    shape = resolve_pooling(view, ("float32",))
    return AveragePoolParameters(
        shape.kernel_shape,
        shape.strides,
        shape.pads,
        shape.dilations,
        shape.output_shape,
        shape.dtype,
        shape.input_shape,
        shape.full_output_shape,
        flag_attribute(view, "count_include_pad", False),
    )


def cost(
    parameters: AveragePoolParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one addition for each tap of each output, and one division."""
    taps = parameters.taps_per_output
    return Cost(
        elementwise=SERIAL * outputs[0].size * (taps + 2) + RUN // 4 * parameters.window_runs,
        nodes=1 + (2 * taps if parameters.is_solid else 0),
    )


def divisors(window: Window, spatial: Shape, count_include_pad: bool) -> Array:
    """Return how many elements each window averages, as int64 (*output spatial).

    Without `count_include_pad`, those inside the input; with it, those inside the input and
    its pads. Taps beyond the pads, which ceil_mode can bring in, never count.
    """
    rank = len(spatial)
    counts = np.ones(window.output_shape, np.int64)
    for axis, length in enumerate(spatial):
        pad_begin, pad_end = window.pads[axis], window.pads[axis + rank]
        starts = np.arange(window.output_shape[axis]) * window.strides[axis] - pad_begin
        inside = np.zeros(window.output_shape[axis], np.int64)
        for tap in range(window.kernel_shape[axis]):
            position = starts + tap * window.dilations[axis]
            if count_include_pad:
                inside += position < length + pad_end
            else:
                inside += (position >= 0) & (position < length)
        counts = counts * inside.reshape(-1, *(1,) * (rank - 1 - axis))
    return counts


def average_pool(parameters: AveragePoolParameters, x: Array) -> tuple[Array, ...]:
    """Return AveragePool-19 of float32 x (n, c, *spatial): an ordered sum, divided once.

    The sum is that of `window_sum`, its chunks counted along the taps of the window. It is
    divided by float32(count), where count is the number of taps inside the input, or with
    `count_include_pad` inside the input and its pads.
    """
    with np.errstate(all="ignore"):
        total = window_sum(parameters, x)
        counts = divisors(parameters, parameters.input_shape[2:], parameters.count_include_pad)
        return (total / counts.astype(np.float32),)


AVERAGE_POOL = OpSpec(
    "AveragePool",
    19,
    POOLING_ATTRIBUTES | {"count_include_pad"},
    parse,
    output_type,
    cost,
    average_pool,
)
