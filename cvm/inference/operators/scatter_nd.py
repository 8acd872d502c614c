"""ScatterND: slices put at constant places of a tensor."""

from math import prod

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.constant_lists import any_operand
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
    """Check data, constant int64 indices whose last axis holds the tuples, and the updates."""
    require_operand_count(view, 3)
    require_no_reduction(view)
    data = any_operand(view, 0)
    indices = operand_type(view, 1, ("int64",))
    updates = operand_type(view, 2, (data.dtype,))
    constant = constant_operand(view, 1, "indices")
    depth = indices.shape[-1] if indices.rank else 0
    if not 1 <= depth <= data.rank:
        raise refusal(view, "operand shape", f"indices {indices} for data {data}")
    expected = (*indices.shape[:-1], *data.shape[depth:])
    if updates.shape != expected:
        raise refusal(view, "operand shape", f"updates {updates} must have shape {list(expected)}")
    for axis in range(depth):
        normalised_places(view, constant[..., axis], data.shape[axis])
    parameters = ScatterParameters(data.dtype, data.shape, 0, prod(data.shape[depth:]))
    require_distinct(view, places_of(parameters, constant))
    return parameters


def places_of(parameters: ScatterParameters, indices: Array) -> Array:
    """Return the number of the slice that each tuple names, the slices counted row-major."""
    places = np.zeros(indices.shape[:-1], np.int64)
    for axis in range(indices.shape[-1]):
        length = parameters.shape[axis]
        column = indices[..., axis]
        places = places * length + np.where(column < 0, column + length, column)
    return places.reshape(-1)


def scatter_nd(
    parameters: ScatterParameters, data: Array, indices: Array, updates: Array
) -> tuple[Array, ...]:
    """Return ScatterND-18 without reduction: the data with slice i replaced by update i."""
    places = places_of(parameters, indices)
    slices = data.copy().reshape(prod(parameters.shape) // parameters.slice_size, -1)
    slices[places] = updates.reshape(places.size, parameters.slice_size)
    return (slices.reshape(parameters.shape),)


SCATTER_ND = OpSpec(
    "ScatterND",
    18,
    frozenset({"reduction"}),
    parse,
    same_type,
    steps_each(10, passes=1),
    scatter_nd,
)
