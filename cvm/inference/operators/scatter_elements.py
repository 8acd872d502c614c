"""ScatterElements: elements put at constant places along one axis."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute
from cvm.inference.operators.constant_lists import INDEX_DTYPES, any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import steps_each
from cvm.inference.operators.scatter_places import (
    ScatterParameters,
    normalised_places,
    require_distinct,
    require_no_reduction,
)
from cvm.inference.operators.unchanged_type import same_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> ScatterParameters:
    """Check data, constant indices of its rank, updates of the indices' shape, and the axis."""
    require_operand_count(view, 3)
    require_no_reduction(view)
    data = any_operand(view, 0)
    indices = operand_type(view, 1, INDEX_DTYPES)
    updates = operand_type(view, 2, (data.dtype,))
    constant = constant_operand(view, 1, "indices")
    axis = axis_attribute(view, 0, data.rank)
    if indices.rank != data.rank or updates.shape != indices.shape:
        raise refusal(
            view, "operand shape", f"indices {indices}, updates {updates} for data {data}"
        )
    if any(n > m for n, m in zip(indices.shape, data.shape, strict=True)):
        raise refusal(view, "operand shape", f"indices {indices} do not lie within {data}")
    normalised_places(view, constant, data.shape[axis])
    parameters = ScatterParameters(data.dtype, data.shape, axis, 1)
    require_distinct(view, places_of(parameters, constant))
    return parameters


def places_of(parameters: ScatterParameters, indices: Array) -> Array:
    """Return the row-major number of the element that each index names."""
    places = np.zeros(indices.shape, np.int64)
    for axis, length in enumerate(parameters.shape):
        column = indices.astype(np.int64)
        if axis != parameters.axis:
            shape = [1] * indices.ndim
            shape[axis] = indices.shape[axis]
            column = np.arange(indices.shape[axis]).reshape(shape)
        places = places * length + np.where(column < 0, column + length, column)
    return places.reshape(-1)


def scatter_elements(
    parameters: ScatterParameters, data: Array, indices: Array, updates: Array
) -> tuple[Array, ...]:
    """Return ScatterElements-18 without reduction: the data with the named elements replaced."""
    elements = data.copy().reshape(-1)
    elements[places_of(parameters, indices)] = updates.reshape(-1)
    return (elements.reshape(parameters.shape),)


SCATTER_ELEMENTS = OpSpec(
    "ScatterElements",
    18,
    frozenset({"axis", "reduction"}),
    parse,
    same_type,
    steps_each(10, passes=1),
    scatter_elements,
)
