"""Min: the smallest of the elements of several tensors."""

from cvm.inference.exact.ordering import smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters
from cvm.inference.operators.elementwise import (
    NUMBERS,
    broadcast_type,
    several_operands,
    step_per_operand,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> BroadcastParameters:
    """Check one or more operands of one dtype whose shapes broadcast."""
    return several_operands(view, NUMBERS)


def smallest(_parameters: BroadcastParameters, *operands: Array) -> tuple[Array, ...]:
    """Return Min-13: a fold of `exact.ordering.smaller` over the inputs in their order.

    NaN if any is NaN; -0 is below +0. Shapes broadcast as in NumPy.
    """
    result = operands[0]
    for operand in operands[1:]:
        result = smaller(result, operand)
    return (result,)


MIN = OpSpec("Min", 13, frozenset(), parse, broadcast_type, step_per_operand, smallest)
