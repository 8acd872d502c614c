"""Not: the other truth value of each element."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("bool",)


def parse(view: NodeView) -> UnchangedType:
    """Check one bool operand."""
    return one_operand(view, DTYPES)


def logical_not(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Not-1: elementwise negation of bool."""
    return (np.asarray(~x),)


NOT = OpSpec("Not", 1, frozenset(), parse, same_type, steps(0), logical_not)
