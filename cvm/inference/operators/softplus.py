"""Softplus: ln(1 + e**x) of each element."""

from cvm.inference.exact.logarithm import softplus32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def softplus(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Softplus-1: `exact.logarithm.softplus32` elementwise, rounded once.

    It is one function and not the logarithm of a rounded sum, which is infinite above 88.
    NaN gives NaN, +inf gives +inf, -inf gives +0.
    """
    return (softplus32(x),)


SOFTPLUS = OpSpec("Softplus", 1, frozenset(), parse, same_type, steps(0, 2), softplus)
