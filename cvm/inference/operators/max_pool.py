"""MaxPool: the largest element under a sliding window."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.ordering import larger, lowest
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.pooling import (
    POOLING_ATTRIBUTES,
    PoolingShape,
    output_type,
    resolve_pooling,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.window import EVERY, taps
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int8", "uint8")

SOLID_STEPS = 8
"""A comparison by the definition, which takes over from two spatial axes on."""


@dataclass(frozen=True, slots=True)
class MaxPoolParameters(PoolingShape):
    """A resolved pooling window."""


def parse(view: NodeView) -> MaxPoolParameters:
    """Check x (n, c, *spatial) of 1 to 3 spatial axes; column-major indices are refused."""
    if int_attribute(view, "storage_order", 0) != 0:
        raise refusal(
            view, "attribute value", "storage_order must be 0: the Indices output is not offered"
        )
    shape = resolve_pooling(view, DTYPES)
    return MaxPoolParameters(
        shape.kernel_shape,
        shape.strides,
        shape.pads,
        shape.dilations,
        shape.output_shape,
        shape.dtype,
        shape.input_shape,
        shape.full_output_shape,
    )


def cost(parameters: MaxPoolParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one comparison for each tap of each output."""
    taps = parameters.taps_per_output
    each = SOLID_STEPS if parameters.is_solid else 1
    return Cost(
        elementwise=each * SERIAL * outputs[0].size * (taps + 1)
        + RUN // 4 * parameters.window_runs,
        nodes=4 * taps if parameters.is_solid else 0,
    )


def max_pool(parameters: MaxPoolParameters, x: Array) -> tuple[Array, ...]:
    """Return MaxPool-12, first output: a fold of Max over the taps, for float32, int8, uint8.

    Padding never takes part, and every window holds at least one element (`parse`). NaN
    under the window gives NaN; +0 is above -0.
    """
    y = np.full(parameters.full_output_shape, lowest(parameters.dtype))
    for tap in taps(parameters, parameters.input_shape[2:]):
        target = (EVERY, EVERY, *tap.outputs)
        y[target] = larger(y[target], x[(EVERY, EVERY, *tap.inputs)])
    return (y,)


MAX_POOL = OpSpec(
    "MaxPool", 12, POOLING_ATTRIBUTES | {"storage_order"}, parse, output_type, cost, max_pool
)
