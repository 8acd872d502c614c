"""Ceil: the least integer that is not below each element."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def ceiling(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Ceil-13: ceil elementwise, which is exact.

    -0, infinities and NaN stay; numbers in (-1, 0) give -0.
    """
    return (np.asarray(np.ceil(x)),)


CEIL = OpSpec("Ceil", 13, frozenset(), parse, same_type, steps(), ceiling)
