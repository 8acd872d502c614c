"""BitwiseNot: each bit of each element flipped."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import INTEGERS, one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> UnchangedType:
    """Check one operand of an integer dtype."""
    return one_operand(view, INTEGERS)


def bitwise_not(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return BitwiseNot-18: ~x elementwise, for int8, uint8, int32 and int64."""
    return (np.asarray(~x),)


BITWISE_NOT = OpSpec("BitwiseNot", 18, frozenset(), parse, same_type, steps(), bitwise_not)
