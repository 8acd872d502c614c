"""HardSwish: each element times its HardSigmoid."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.hard_sigmoid import hard_sigmoid_of
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)

SIXTH = np.float32(1 / 6)
HALF = np.float32(0.5)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def hard_swish(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return HardSwish-14 as its ONNX function body, each step rounded once.

    1. h = HardSigmoid(x) with alpha = float32(1/6) and beta = 0.5
    2. y = x * h
    """
    with np.errstate(all="ignore"):
        return (np.asarray(x * hard_sigmoid_of(x, SIXTH, HALF)),)


HARD_SWISH = OpSpec("HardSwish", 14, frozenset(), parse, same_type, steps(2), hard_swish)
