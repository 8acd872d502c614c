"""Exp: e to the power of each element."""

from cvm.inference.exact.exponential import exp32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def exponential(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Exp-13: `exact.exponential.exp32` elementwise.

    NaN gives NaN, +inf gives +inf, -inf gives +0.
    """
    return (exp32(x),)


EXP = OpSpec("Exp", 13, frozenset(), parse, same_type, steps(0, 1), exponential)
