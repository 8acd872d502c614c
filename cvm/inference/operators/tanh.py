"""Tanh: the hyperbolic tangent of each element."""

from cvm.inference.exact.hyperbolic import tanh32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def hyperbolic_tangent(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Tanh-13: `exact.hyperbolic.tanh32` elementwise.

    NaN gives NaN, +-inf give +-1, +-0 give +-0.
    """
    return (tanh32(x),)


TANH = OpSpec("Tanh", 13, frozenset(), parse, same_type, steps(0, 1), hyperbolic_tangent)
