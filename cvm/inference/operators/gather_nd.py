"""GatherND: slices chosen by tuples of indices."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.gather import slice_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.operators.run_time_indices import checked_indices
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class GatherNDParameters(ResultType):
    """The result's type and the parts of the data's shape.

    The data is `batch` blocks of the axes `indexed`, each of whose elements is a slice of
    `slice_size` elements. `node` is the node's name.
    """

    batch: int
    indexed: Shape
    slice_size: int
    node: str


def parse(view: NodeView) -> GatherNDParameters:
    """Check data, int64 indices whose last axis holds the tuples, and `batch_dims`."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    indices = operand_type(view, 1, ("int64",))
    require_elements(view, 0, data)
    batch_dims = int_attribute(view, "batch_dims", 0)
    if not 0 <= batch_dims < min(data.rank, indices.rank):
        raise refusal(
            view, "attribute value", f"batch_dims {batch_dims} for data {data}, indices {indices}"
        )
    batch, split = data.shape[:batch_dims], batch_dims + indices.shape[-1]
    if indices.shape[:batch_dims] != batch or not batch_dims < split <= data.rank:
        raise refusal(
            view, "operand shape", f"indices {indices} do not fit {data} past {batch_dims} axes"
        )
    rest = data.shape[split:]
    shape = (*indices.shape[:-1], *rest)
    indexed = data.shape[batch_dims:split]
    return GatherNDParameters(data.dtype, shape, prod(batch), indexed, prod(rest), view.name)


def cost(parameters: GatherNDParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count each slice that is looked up."""
    block = (
        prod(parameters.indexed) * parameters.slice_size * outputs[0].size_bytes // outputs[0].size
    )
    slices = outputs[0].size // parameters.slice_size
    each = slice_steps(block, slices // parameters.batch)
    return Cost(elementwise=each * slices + outputs[0].size, nodes=1)


def gather_nd(parameters: GatherNDParameters, data: Array, indices: Array) -> tuple[Array, ...]:
    """Return GatherND-13: for each tuple, the slice of its batch block that it names.

    A negative index counts from the end. Raises `InputOutOfRange` before any element moves
    for one outside [-n, n - 1] of its axis.
    """
    batch, depth = parameters.batch, len(parameters.indexed)
    tuples = checked_indices(parameters.node, indices, parameters.indexed)
    tuples = tuples.reshape(batch, prod(indices.shape) // (batch * depth), depth)
    places = np.zeros(tuples.shape[:2], np.int64)
    for axis, length in enumerate(parameters.indexed):
        places = places * length + tuples[..., axis]
    block = prod(parameters.indexed)
    places = places + np.arange(batch)[:, None] * block
    slices = data.reshape(batch * block, parameters.slice_size)
    return (slices[places.reshape(-1)].reshape(parameters.output_shape),)


GATHER_ND = OpSpec(
    "GatherND",
    13,
    frozenset({"batch_dims"}),
    parse,
    result_type,
    cost,
    gather_nd,
    reads_part=True,
)
