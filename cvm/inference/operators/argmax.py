"""ArgMax: where along an axis the largest value stands."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.ordering import index_of_largest
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute, flag_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.tensor_type import Array, Shape, TensorType

DTYPES = ("float32", "int8", "int32", "uint8")


STEPS = 104
"""Per element: a comparison that is NaN-aware and two choices, one by one."""


@dataclass(frozen=True, slots=True)
class ArgMaxParameters:
    """The axis, counted from the front, and the shapes; `select_last` breaks ties upwards."""

    axis: int
    select_last: bool
    input_shape: Shape
    output_shape: Shape


def parse(view: NodeView) -> ArgMaxParameters:
    """Check a tensor of rank 1 or more, the axis (by default 0), keepdims (by default 1)."""
    require_operand_count(view, 1)
    data = operand_type(view, 0, DTYPES)
    require_elements(view, 0, data)
    axis = axis_attribute(view, 0, data.rank)
    kept = (1,) if flag_attribute(view, "keepdims", True) else ()
    return ArgMaxParameters(
        axis,
        flag_attribute(view, "select_last_index", False),
        data.shape,
        (*data.shape[:axis], *kept, *data.shape[axis + 1 :]),
    )


def output_types(parameters: ArgMaxParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int64 without the axis, or with length 1 there under keepdims."""
    return (TensorType("int64", parameters.output_shape),)


def cost(parameters: ArgMaxParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count the steps of each input."""
    return Cost(elementwise=STEPS * outputs[0].size * parameters.input_shape[parameters.axis])


def argmax(parameters: ArgMaxParameters, data: Array) -> tuple[Array, ...]:
    """Return ArgMax-13 as int64, for float32, int8, uint8 and int32.

    NaN stands above +inf and all NaN are equal; -0 equals +0. Of equal values the lowest
    index wins, or the highest under `select_last_index`.
    """
    values = np.moveaxis(data, parameters.axis, 0)
    index = index_of_largest(values, last=parameters.select_last)
    return (index.reshape(parameters.output_shape),)


ARGMAX = OpSpec(
    "ArgMax",
    13,
    frozenset({"axis", "keepdims", "select_last_index"}),
    parse,
    output_types,
    cost,
    argmax,
)
