"""Log: the natural logarithm of each element."""

from cvm.inference.exact.logarithm import log32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def logarithm(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Log-13: `exact.logarithm.log32` elementwise.

    A zero gives -inf, +inf gives +inf, NaN and numbers below zero give NaN.
    """
    return (log32(x),)


LOG = OpSpec("Log", 13, frozenset(), parse, same_type, steps(0, 1), logarithm)
