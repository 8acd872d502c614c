"""OneHot: along a new axis, one value at the index and another elsewhere."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.constant_lists import any_operand, resolve_axis
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType

INDEX_DTYPES = ("float32", "int8", "int32", "int64", "uint8")


@dataclass(frozen=True, slots=True)
class OneHotParameters(ResultType):
    """The result's type, and the new axis and its length."""

    axis: int
    depth: int


def parse(view: NodeView) -> OneHotParameters:
    """Check numbers as indices, a constant depth, two values of any dtype, and the new axis."""
    require_operand_count(view, 3)
    indices = operand_type(view, 0, INDEX_DTYPES)
    if operand_type(view, 1, INDEX_DTYPES).size != 1:
        raise refusal(view, "operand shape", f"depth must be one number: {view.type_at(1)}")
    depth = float(constant_operand(view, 1, "depth").reshape(()))
    if not depth.is_integer() or not 1 <= depth <= MAX_DIM:
        raise refusal(view, "operand value", f"depth must be 1 to {MAX_DIM}, found {depth}")
    values = any_operand(view, 2)
    if values.shape != (2,):
        raise refusal(view, "operand shape", f"values must be off and on, found {values}")
    axis = resolve_axis(view, int_attribute(view, "axis", -1), indices.rank + 1, "attribute value")
    shape = (*indices.shape[:axis], int(depth), *indices.shape[axis:])
    return OneHotParameters(values.dtype, shape, axis, int(depth))


def one_hot(
    parameters: OneHotParameters, indices: Array, _depth: Array, values: Array
) -> tuple[Array, ...]:
    """Return OneHot-11: values[1] at place i of the new axis if the index is i or i - depth.

    Everything else is values[0]: an index outside [-depth, depth - 1], a fraction or a NaN
    marks no place and is no fault.
    """
    dtype = "float32" if indices.dtype == np.float32 else "int64"
    index = np.expand_dims(indices.astype(dtype), parameters.axis)
    places_shape = [1] * index.ndim
    places_shape[parameters.axis] = parameters.depth
    places = np.arange(parameters.depth).astype(dtype).reshape(places_shape)
    hot = (index == places) | (index == places - parameters.depth)
    return (np.where(hot, values[1], values[0]).astype(parameters.dtype),)


def cost(parameters: OneHotParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count two steps, one by one, for each element, a run for each index, and five passes."""
    indices = outputs[0].size // parameters.depth
    return Cost(elementwise=2 * SERIAL * outputs[0].size + RUN * indices, nodes=4)


ONE_HOT = OpSpec(
    "OneHot",
    11,
    frozenset({"axis"}),
    parse,
    result_type,
    cost,
    one_hot,
)
