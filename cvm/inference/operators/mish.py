"""Mish: x * tanh(softplus(x)) of each element."""

import numpy as np

from cvm.inference.exact.hyperbolic import tanh32
from cvm.inference.exact.logarithm import softplus32
from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def mish(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Mish-18 as its ONNX function body, each step rounded once.

    1. s = softplus32(x)
    2. t = tanh32(s)
    3. y = x * t

    -inf gives NaN, as -inf * 0 does.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(x * tanh32(softplus32(x))),)


MISH = OpSpec("Mish", 18, frozenset(), parse, same_type, steps(1, 4), mish)
