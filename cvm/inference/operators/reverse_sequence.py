"""ReverseSequence: the first elements of each sequence of a batch backwards."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.constant_lists import any_operand, constant_integers
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class ReverseSequenceParameters(UnchangedType):
    """The type, and which of the first two axes counts time; the other counts the batch."""

    time_axis: int
    lengths: tuple[int, ...]


def parse(view: NodeView) -> ReverseSequenceParameters:
    """Check data of rank 2 or more, constant lengths (batch), and the two axes."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    if data.rank < 2:
        raise refusal(view, "operand shape", f"{data} has no batch and time axes")
    axes = int_attribute(view, "batch_axis", 1), int_attribute(view, "time_axis", 0)
    if sorted(axes) != [0, 1]:
        raise refusal(view, "attribute value", f"batch_axis, time_axis {axes}: 0 and 1, or 1 and 0")
    batch, time = data.shape[axes[0]], data.shape[axes[1]]
    lengths = constant_integers(view, 1, "sequence_lens", MAX_DIM)
    if len(lengths) != batch or not 0 <= min(lengths) <= max(lengths) <= time:
        raise refusal(
            view, "operand value", f"sequence_lens must be {batch} lengths of 0 to {time}"
        )
    return ReverseSequenceParameters(data.dtype, data.shape, axes[1], lengths)


def reverse_sequence(
    parameters: ReverseSequenceParameters, data: Array, _lengths: Array
) -> tuple[Array, ...]:
    """Return ReverseSequence-10: of sequence b, elements 0 ... lengths[b] - 1 backwards."""
    by_time = np.moveaxis(data, parameters.time_axis, 0)
    result = by_time.copy()
    for index, length in enumerate(parameters.lengths):
        result[:length, index] = by_time[:length, index][::-1]
    return (np.ascontiguousarray(np.moveaxis(result, 0, parameters.time_axis)),)


def cost(
    parameters: ReverseSequenceParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count eight steps, one by one, for each element, and what each sequence starts with."""
    starts = SERIAL * RUN * len(parameters.lengths)
    return Cost(elementwise=8 * SERIAL * outputs[0].size + starts, nodes=6)


REVERSE_SEQUENCE = OpSpec(
    "ReverseSequence",
    10,
    frozenset({"batch_axis", "time_axis"}),
    parse,
    same_type,
    cost,
    reverse_sequence,
)
