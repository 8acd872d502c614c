"""Abs: the magnitude of each element."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import NUMBERS, one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> UnchangedType:
    """Check one operand that holds numbers."""
    return one_operand(view, NUMBERS)


def magnitude(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Abs-13: |x| elementwise, for float32, int8, uint8, int32 and int64.

    The sign bit of a float is cleared; the least integer of a dtype is its own magnitude.
    """
    return (np.asarray(np.abs(x)),)


ABS = OpSpec("Abs", 13, frozenset(), parse, same_type, steps(), magnitude)
