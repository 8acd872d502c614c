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
    """Count three steps for each slice that is looked up, wherever it lies."""
    slices = outputs[0].size // prod(parameters.data_shape[parameters.axis + 1 :])
    return Cost(elementwise=3 * SERIAL * slices + outputs[0].size, nodes=1)


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
