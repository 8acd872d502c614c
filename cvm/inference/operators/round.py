"""Round: the integer nearest to each element."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def nearest_integer(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Round-11: rint elementwise: halves go to the even integer.

    -0, infinities and NaN stay; numbers in [-0.5, 0) give -0.
    """
    return (np.asarray(np.rint(x)),)


ROUND = OpSpec("Round", 11, frozenset(), parse, same_type, steps(), nearest_integer)
