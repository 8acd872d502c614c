"""Max: the largest of the elements of several tensors."""

from cvm.inference.exact.ordering import larger
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


def largest(_parameters: BroadcastParameters, *operands: Array) -> tuple[Array, ...]:
    """Return Max-13: a fold of `exact.ordering.larger` over the inputs in their order.

    NaN if any is NaN; +0 is above -0. Shapes broadcast as in NumPy.
    """
    result = operands[0]
    for operand in operands[1:]:
        result = larger(result, operand)
    return (result,)


MAX = OpSpec("Max", 13, frozenset(), parse, broadcast_type, step_per_operand, largest)
