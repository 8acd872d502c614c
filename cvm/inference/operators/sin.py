"""Sin: the sine of each element, in radians."""

from cvm.inference.exact.trigonometric import sin32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def sine(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Sin-7: `exact.trigonometric.sin32` elementwise.

    NaN and +-inf give NaN, +-0 give +-0.
    """
    return (sin32(x),)


SIN = OpSpec("Sin", 7, frozenset(), parse, same_type, steps(38, 3), sine)
