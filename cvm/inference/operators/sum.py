"""Sum: several tensors added up."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters
from cvm.inference.operators.elementwise import broadcast_type, several_operands, step_per_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> BroadcastParameters:
    """Check one or more float32 operands whose shapes broadcast."""
    return several_operands(view, DTYPES)


def total(_parameters: BroadcastParameters, *operands: Array) -> tuple[Array, ...]:
    """Return Sum-13: the first input, to which the others are added in their order.

    Every addition rounds once; one input is returned as it is. Shapes broadcast as in NumPy.
    """
    return (added_up(operands),)


def added_up(operands: tuple[Array, ...]) -> Array:
    """Return ((a + b) + c) + ... for one or more float32 arrays."""
    result = operands[0]
    with np.errstate(all="ignore"):
        for operand in operands[1:]:
            result = np.asarray(result + operand)
    return result


SUM = OpSpec("Sum", 13, frozenset(), parse, broadcast_type, step_per_operand, total)
