"""Identity: the tensor itself."""

from cvm.inference.graph import NodeView
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.result_type import ResultType, no_steps, result_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> ResultType:
    """Check one tensor of any dtype."""
    require_operand_count(view, 1)
    data = any_operand(view, 0)
    return ResultType(data.dtype, data.shape)


def identity(_parameters: ResultType, data: Array) -> tuple[Array, ...]:
    """Return Identity-21: the input, bits unchanged."""
    return (data,)


IDENTITY = OpSpec("Identity", 21, frozenset(), parse, result_type, no_steps, identity, is_view=True)
