"""Squeeze: axes of length 1 removed."""

from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.constant_lists import any_operand, constant_integers, resolve_axes
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, no_steps, result_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> ResultType:
    """Check the tensor and the constant axes, by default every axis of length 1."""
    require_operand_count(view, 1, 2)
    data = any_operand(view, 0)
    axes: tuple[int, ...] = tuple(axis for axis in range(data.rank) if data.shape[axis] == 1)
    if view.type_at(1) is not None:
        listed = constant_integers(view, 1, "axes", MAX_RANK)
        axes = resolve_axes(view, listed, data.rank)
        if any(data.shape[axis] != 1 for axis in axes):
            raise refusal(
                view, "operand value", f"axes {list(listed)} of {data} must have length 1"
            )
    shape = tuple(length for axis, length in enumerate(data.shape) if axis not in axes)
    return ResultType(data.dtype, shape)


def squeeze(parameters: ResultType, data: Array, _axes: Array | None = None) -> tuple[Array, ...]:
    """Return Squeeze-21: the same elements without the axes."""
    return (data.reshape(parameters.output_shape),)


SQUEEZE = OpSpec("Squeeze", 21, frozenset(), parse, result_type, no_steps, squeeze, is_view=True)
