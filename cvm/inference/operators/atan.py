"""Atan: the arc tangent of each element."""

from cvm.inference.exact.inverse_trigonometric import atan32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def arc_tangent(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Atan-7: `exact.inverse_trigonometric.atan32` elementwise.

    NaN gives NaN, +-inf give +-pi/2, +-0 give +-0.
    """
    return (atan32(x),)


ATAN = OpSpec("Atan", 7, frozenset(), parse, same_type, steps(0, 1), arc_tangent)
