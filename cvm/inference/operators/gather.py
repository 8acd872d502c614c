"""Gather: slices of one axis, chosen by indices."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute
from cvm.inference.operators.constant_lists import INDEX_DTYPES, any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.operators.run_time_indices import checked_indices
from cvm.inference.tensor_type import Array, Shape, TensorType

NEAR_STEPS, FAR_STEPS = 10 * SERIAL, 24 * SERIAL
"""Of a slice that is looked up, in a block that a core's own cache holds and in a greater one."""

NEAR_BYTES = 2**15
LINE_BYTES = 64


def slice_steps(block_bytes: int, lookups: int) -> int:
    """Return the steps of a slice where so many are looked up in a block of so many bytes."""
    is_near = block_bytes <= NEAR_BYTES and block_bytes < LINE_BYTES * lookups
    return NEAR_STEPS if is_near else FAR_STEPS


@dataclass(frozen=True, slots=True)
class GatherParameters(ResultType):
    """The result's type, the axis counted from the front, the data's shape, the node's name."""

    axis: int
    data_shape: Shape
    node: str


def parse(view: NodeView) -> GatherParameters:
    """Check data of rank 1 or more, int32 or int64 indices of any shape, and the axis."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    indices = operand_type(view, 1, INDEX_DTYPES)
    axis = axis_attribute(view, 0, data.rank)
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return GatherParameters(data.dtype, shape, axis, data.shape, view.name)


def cost(parameters: GatherParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count each slice that is looked up."""
    block = (
        prod(parameters.data_shape[parameters.axis :]) * outputs[0].size_bytes // outputs[0].size
    )
    slices = outputs[0].size // prod(parameters.data_shape[parameters.axis + 1 :])
    each = slice_steps(block, slices // prod(parameters.data_shape[: parameters.axis]))
    return Cost(elementwise=each * slices + outputs[0].size, nodes=1)


def gather(parameters: GatherParameters, data: Array, indices: Array) -> tuple[Array, ...]:
    """Return Gather-13: the indices' shape in the place of the axis.

    A negative index counts from the end. Raises `InputOutOfRange` before any element moves
    for one outside [-n, n - 1].
    """
    length = parameters.data_shape[parameters.axis]
    places = checked_indices(parameters.node, indices[..., None], (length,))[..., 0]
    return (np.asarray(np.take(data, places, axis=parameters.axis)),)


GATHER = OpSpec(
    "Gather", 13, frozenset({"axis"}), parse, result_type, cost, gather, reads_part=True
)
