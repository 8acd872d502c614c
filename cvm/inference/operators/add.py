"""Add: the elementwise sum of two tensors."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.inner_runs import broadcast_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int8", "int32", "int64", "uint8")


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, DTYPES)


def output_types(parameters: BroadcastParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the common dtype and the broadcast shape."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def cost(_parameters: BroadcastParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output, and the runs."""
    return Cost(elementwise=outputs[0].size + broadcast_steps(view, outputs[0]))


def add(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Add-14: a + b elementwise, shapes broadcast as in NumPy.

    float32 rounds once, as IEEE 754 says; int8, uint8, int32 and int64 wrap around in two's
    complement.
    """
    with np.errstate(all="ignore"):
        return (np.asarray(a + b),)


ADD = OpSpec("Add", 14, frozenset(), parse, output_types, cost, add)
