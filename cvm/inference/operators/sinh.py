"""Sinh: the hyperbolic sine of each element."""

from cvm.inference.exact.hyperbolic import sinh32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def hyperbolic_sine(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Sinh-9: `exact.hyperbolic.sinh32` elementwise.

    NaN gives NaN, +-inf give +-inf, +-0 give +-0.
    """
    return (sinh32(x),)


SINH = OpSpec("Sinh", 9, frozenset(), parse, same_type, steps(0, 2), hyperbolic_sine)
