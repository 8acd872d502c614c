"""Less: where a is below b."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import NUMBERS, broadcast_bool, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, NUMBERS)


def less(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Less-13: a < b elementwise as bool; shapes broadcast as in NumPy.

    NaN compares false; -0 equals +0.
    """
    return (np.asarray(a < b),)


LESS = OpSpec("Less", 13, frozenset(), parse, broadcast_bool, steps(), less)
