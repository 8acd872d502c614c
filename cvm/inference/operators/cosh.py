"""Cosh: the hyperbolic cosine of each element."""

from cvm.inference.exact.hyperbolic import cosh32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def hyperbolic_cosine(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Cosh-9: `exact.hyperbolic.cosh32` elementwise.

    NaN gives NaN, +-inf give +inf.
    """
    return (cosh32(x),)


COSH = OpSpec("Cosh", 9, frozenset(), parse, same_type, steps(0, 2), hyperbolic_cosine)
