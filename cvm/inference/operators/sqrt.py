"""Sqrt: the square root of each element."""

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


def square_root(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Sqrt-13: the IEEE square root elementwise, rounded once.

    -0 gives -0; numbers below zero and NaN give NaN.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(np.sqrt(x)),)


SQRT = OpSpec("Sqrt", 13, frozenset(), parse, same_type, steps(8), square_root)
