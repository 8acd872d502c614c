"""Equal: where two tensors hold the same value."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import broadcast_bool, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array

DTYPES = ("bool", "float32", "int8", "int32", "int64", "uint8")


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, DTYPES)


def equal(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Equal-19: a == b elementwise as bool; shapes broadcast as in NumPy.

    NaN equals nothing; -0 equals +0.
    """
    return (np.asarray(a == b),)


EQUAL = OpSpec("Equal", 19, frozenset(), parse, broadcast_bool, steps(), equal)
