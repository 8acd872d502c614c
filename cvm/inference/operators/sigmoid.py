"""Sigmoid: 1 / (1 + e**-x) of each element."""

from cvm.inference.exact.hyperbolic import sigmoid32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def sigmoid(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Sigmoid-13: `exact.hyperbolic.sigmoid32` elementwise, rounded once.

    NaN gives NaN, +inf gives 1, -inf gives +0.
    """
    return (sigmoid32(x),)


SIGMOID = OpSpec("Sigmoid", 13, frozenset(), parse, same_type, steps(0, 1), sigmoid)
