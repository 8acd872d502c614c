"""Acos: the arc cosine of each element."""

from cvm.inference.exact.inverse_trigonometric import acos32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def arc_cosine(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Acos-7: `exact.inverse_trigonometric.acos32` elementwise.

    NaN and magnitudes above 1 give NaN.
    """
    return (acos32(x),)


ACOS = OpSpec("Acos", 7, frozenset(), parse, same_type, steps(0, 2), arc_cosine)
