"""Erf: the error function of each element."""

from cvm.inference.exact.error_function import erf32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def error_function(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Erf-13: `exact.error_function.erf32` elementwise.

    NaN gives NaN, +-inf give +-1, +-0 give +-0.
    """
    return (erf32(x),)


ERF = OpSpec("Erf", 13, frozenset(), parse, same_type, steps(0, 2), error_function)
