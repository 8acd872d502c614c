"""Where: elements of one tensor or of another, as a third one says."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, broadcast_shape
from cvm.inference.operators.elementwise import NUMBERS, broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.tensor_type import Array

DTYPES = ("bool", *NUMBERS)


def parse(view: NodeView) -> BroadcastParameters:
    """Check a bool condition and two operands of one dtype; all three shapes broadcast."""
    require_operand_count(view, 3)
    condition = operand_type(view, 0, ("bool",))
    x = operand_type(view, 1, DTYPES)
    y = operand_type(view, 2, (x.dtype,))
    shape = broadcast_shape(view, x.shape, y.shape)
    return BroadcastParameters(x.dtype, broadcast_shape(view, condition.shape, shape))


def choose(
    _parameters: BroadcastParameters, condition: Array, x: Array, y: Array
) -> tuple[Array, ...]:
    """Return Where-16: x where the condition holds, else y; shapes broadcast as in NumPy."""
    return (np.where(condition, x, y),)


WHERE = OpSpec("Where", 16, frozenset(), parse, broadcast_type, steps(30), choose)
