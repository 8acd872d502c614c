"""Unsqueeze: axes of length 1 added."""

from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.constant_lists import any_operand, constant_integers, resolve_axes
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.result_type import ResultType, no_steps, result_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> ResultType:
    """Check the tensor and the constant axes, which are axes of the result."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    listed = constant_integers(view, 1, "axes", MAX_RANK)
    rank = data.rank + len(listed)
    axes = resolve_axes(view, listed, rank)
    lengths = iter(data.shape)
    return ResultType(data.dtype, tuple(1 if a in axes else next(lengths) for a in range(rank)))


def unsqueeze(parameters: ResultType, data: Array, _axes: Array) -> tuple[Array, ...]:
    """Return Unsqueeze-21: the same elements with the axes."""
    return (data.reshape(parameters.output_shape),)


UNSQUEEZE = OpSpec(
    "Unsqueeze", 21, frozenset(), parse, result_type, no_steps, unsqueeze, is_view=True
)
