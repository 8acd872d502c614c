"""Neg: each element with the other sign."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int8", "int32", "int64")


def parse(view: NodeView) -> UnchangedType:
    """Check one operand of a signed dtype."""
    return one_operand(view, DTYPES)


def negated(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Neg-13: -x elementwise, for float32, int8, int32 and int64.

    The sign bit of a float is flipped; the least integer of a dtype is its own negative.
    """
    return (np.asarray(-x),)


NEG = OpSpec("Neg", 13, frozenset(), parse, same_type, steps(), negated)
