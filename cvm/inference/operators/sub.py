"""Sub: the elementwise difference of two tensors."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import NUMBERS, broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, NUMBERS)


def subtract(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Sub-14: a - b elementwise, shapes broadcast as in NumPy.

    float32 rounds once, as IEEE 754 says; int8, uint8, int32 and int64 wrap around in two's
    complement.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(a - b),)


SUB = OpSpec("Sub", 14, frozenset(), parse, broadcast_type, steps(), subtract)
