"""Xor: whether two truth values differ."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array

DTYPES = ("bool",)


def parse(view: NodeView) -> BroadcastParameters:
    """Check two bool operands whose shapes broadcast."""
    return resolve_broadcast(view, DTYPES)


def logical_xor(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Xor-7: a ^ b elementwise on bool; shapes broadcast as in NumPy."""
    return (np.asarray(a ^ b),)


XOR = OpSpec("Xor", 7, frozenset(), parse, broadcast_type, steps(0), logical_xor)
