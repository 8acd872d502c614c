"""Floor: the greatest integer that is not above each element."""

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


def floor(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Floor-13: floor elementwise, which is exact.

    -0, infinities and NaN stay.
    """
    return (np.asarray(np.floor(x)),)


FLOOR = OpSpec("Floor", 13, frozenset(), parse, same_type, steps(), floor)
