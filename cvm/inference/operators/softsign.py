"""Softsign: x / (1 + |x|) of each element."""

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


def softsign(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Softsign-1 as its ONNX function body, each step rounded once.

    1. a = |x|
    2. s = 1 + a
    3. y = x / s

    Infinities give NaN.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(x / (np.float32(1) + np.abs(x))),)


SOFTSIGN = OpSpec("Softsign", 1, frozenset(), parse, same_type, steps(2), softsign)
