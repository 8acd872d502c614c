"""BitwiseAnd: the bits that two tensors share."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import INTEGERS, broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one integer dtype whose shapes broadcast."""
    return resolve_broadcast(view, INTEGERS)


def bitwise_and(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return BitwiseAnd-18: a & b elementwise on integers; shapes broadcast as in NumPy."""
    return (np.asarray(a & b),)


BITWISE_AND = OpSpec("BitwiseAnd", 18, frozenset(), parse, broadcast_type, steps(), bitwise_and)
