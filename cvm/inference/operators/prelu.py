"""PRelu: negative values are scaled by a slope of their own."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, require_stretches_to
from cvm.inference.operators.elementwise import broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


def parse(view: NodeView) -> BroadcastParameters:
    """Check x and a slope of its dtype that stretches to its shape."""
    require_operand_count(view, 2)
    x = operand_type(view, 0, DTYPES)
    slope = operand_type(view, 1, (x.dtype,))
    require_stretches_to(view, slope.shape, x.shape)
    return BroadcastParameters(x.dtype, x.shape)


def prelu(_parameters: BroadcastParameters, x: Array, slope: Array) -> tuple[Array, ...]:
    """Return PRelu-16 as its ONNX function body, each step rounded once.

    1. p = slope * x (integers wrap around)
    2. y = p if x < 0, else x

    NaN and -0 in x stay. The slope stretches to the shape of x, as in NumPy.
    """
    with np.errstate(all="ignore"):
        return (np.where(x < 0, slope * x, x),)


PRELU = OpSpec("PRelu", 16, frozenset(), parse, broadcast_type, steps(2, repeats=False), prelu)
