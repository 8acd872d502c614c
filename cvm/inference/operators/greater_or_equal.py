"""GreaterOrEqual: where a is not below b."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import NUMBERS, broadcast_bool, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, NUMBERS)


def greater_or_equal(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return GreaterOrEqual-16: a >= b elementwise as bool; shapes broadcast as in NumPy.

    NaN compares false; -0 equals +0.
    """
    return (np.asarray(a >= b),)


GREATER_OR_EQUAL = OpSpec(
    "GreaterOrEqual", 16, frozenset(), parse, broadcast_bool, steps(), greater_or_equal
)
