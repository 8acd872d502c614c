"""GatherElements: for each place of the result, an element chosen along one axis."""

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute
from cvm.inference.operators.constant_lists import INDEX_DTYPES, any_operand
from cvm.inference.operators.gather import GatherParameters
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import result_type
from cvm.inference.operators.run_time_indices import checked_indices
from cvm.inference.tensor_type import Array, TensorType

NEAR_STEPS, FAR_STEPS = 19 * SERIAL, 26 * SERIAL
FAR_BYTES = 2**20
"""Data from which on an element that is looked up lies far."""


def parse(view: NodeView) -> GatherParameters:
    """Check data and int32 or int64 indices of one rank; only the axis may be longer in indices."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    indices = operand_type(view, 1, INDEX_DTYPES)
    axis = axis_attribute(view, 0, data.rank)
    pairs = list(zip(indices.shape, data.shape, strict=False))
    if indices.rank != data.rank or any(n > m for a, (n, m) in enumerate(pairs) if a != axis):
        raise refusal(
            view, "operand shape", f"indices {indices} do not lie within {data} beside axis {axis}"
        )
    return GatherParameters(data.dtype, indices.shape, axis, data.shape, view.name)


def gather_elements(parameters: GatherParameters, data: Array, indices: Array) -> tuple[Array, ...]:
    """Return GatherElements-13: element (i, ..., indices[i, ..., k], ..., k) for place (i, ..., k).

    A negative index counts from the end. Raises `InputOutOfRange` before any element moves
    for one outside [-n, n - 1].
    """
    axis = parameters.axis
    places = checked_indices(parameters.node, indices[..., None], (parameters.data_shape[axis],))[
        ..., 0
    ]
    spans = [slice(length) for length in parameters.output_shape]
    spans[axis] = slice(None)
    return (np.take_along_axis(data[tuple(spans)], places, axis=axis),)


def cost(_parameters: object, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count each element that is looked up; most in data greater than a core's own caches."""
    data = view.types[0]
    is_far = data is not None and data.size_bytes >= FAR_BYTES
    return Cost(elementwise=(FAR_STEPS if is_far else NEAR_STEPS) * outputs[0].size)


GATHER_ELEMENTS = OpSpec(
    "GatherElements",
    13,
    frozenset({"axis"}),
    parse,
    result_type,
    cost,
    gather_elements,
    reads_part=True,
)
