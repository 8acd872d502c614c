"""Mean: several tensors added up and divided by their number."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters
from cvm.inference.operators.elementwise import broadcast_type, several_operands, step_per_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.sum import added_up
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


def parse(view: NodeView) -> BroadcastParameters:
    """Check one or more float32 operands whose shapes broadcast."""
    return several_operands(view, DTYPES)


def mean_of(_parameters: BroadcastParameters, *operands: Array) -> tuple[Array, ...]:
    """Return Mean-13: the Sum of the inputs, divided by float32(their number).

    Every addition and the division round once. Shapes broadcast as in NumPy.
    """
    count = np.asarray(len(operands)).astype(np.float32)
    with np.errstate(all="ignore"):
        return (np.asarray(added_up(operands) / count),)


MEAN = OpSpec("Mean", 13, frozenset(), parse, broadcast_type, step_per_operand, mean_of)
