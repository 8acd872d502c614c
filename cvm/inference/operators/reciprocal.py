"""Reciprocal: 1 / x of each element."""

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


def reciprocal_of(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Reciprocal-13: the division 1 / x elementwise, rounded once.

    +-0 give +-inf, +-inf give +-0, NaN gives NaN.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(np.float32(1) / x),)


RECIPROCAL = OpSpec("Reciprocal", 13, frozenset(), parse, same_type, steps(), reciprocal_of)
