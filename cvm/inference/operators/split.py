"""Split: a tensor cut along one axis."""

from dataclasses import dataclass
from math import prod

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import axis_attribute, int_attribute
from cvm.inference.operators.constant_lists import any_operand, constant_integers
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class SplitParameters:
    """The axis, counted from the front, and the length of each part."""

    axis: int
    lengths: tuple[int, ...]


def parse(view: NodeView) -> SplitParameters:
    """Check the tensor, the axis, and either constant lengths or `num_outputs`."""
    require_operand_count(view, 1, 2)
    data = any_operand(view, 0)
    axis = axis_attribute(view, 0, data.rank)
    count = len(view.wanted)
    if (view.type_at(1) is None) == ("num_outputs" not in view.attributes):
        raise refusal(view, "attribute value", "give either the input split or num_outputs")
    if view.type_at(1) is None:
        lengths = _equal_lengths(view, data.shape[axis], count)
    else:
        lengths = constant_integers(view, 1, "split", MAX_DIM)
    found = f"lengths {list(lengths[:20])} for axis {axis} of {data} and {count} outputs"
    if len(lengths) != count or min(lengths, default=0) < 0 or sum(lengths) != data.shape[axis]:
        raise refusal(view, "operand value", f"{found}: one for each output, adding up to the axis")
    return SplitParameters(axis, lengths)


def _equal_lengths(view: NodeView, length: int, count: int) -> tuple[int, ...]:
    """Return ceil(length / count) for each part but the last, which takes what is left."""
    asked = int_attribute(view, "num_outputs", 0)
    if asked != count:
        raise refusal(view, "attribute value", f"num_outputs {asked}, but {count} outputs")
    part = -(-length // count)
    last = length - part * (count - 1)
    if last < 1:
        raise refusal(
            view, "attribute value", f"num_outputs {asked} leaves the last part of {length} empty"
        )
    return (*(part,) * (count - 1), last)


def output_types(parameters: SplitParameters, view: NodeView) -> tuple[TensorType, ...]:
    """Return the tensor's type with each length in the axis' place."""
    data, axis = any_operand(view, 0), parameters.axis
    return tuple(
        TensorType(data.dtype, (*data.shape[:axis], length, *data.shape[axis + 1 :]))
        for length in parameters.lengths
    )


def split(
    parameters: SplitParameters, data: Array, _lengths: Array | None = None
) -> tuple[Array, ...]:
    """Return Split-18: consecutive parts of the tensor along the axis, bits unchanged."""
    parts, start = [], 0
    for length in parameters.lengths:
        span = slice(start, start + length)
        parts.append(data[(*(slice(None),) * parameters.axis, span)].copy())
        start += length
    return tuple(parts)


def cost(parameters: SplitParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each element, and a run for each piece."""
    pieces = prod(outputs[0].shape[: parameters.axis]) * len(outputs)
    return Cost(elementwise=sum(output.size for output in outputs) + RUN // 16 * pieces)


SPLIT = OpSpec("Split", 18, frozenset({"axis", "num_outputs"}), parse, output_types, cost, split)
