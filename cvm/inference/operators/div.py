"""Div: the elementwise quotient of two tensors."""

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.exact.division import truncated_quotient
from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import NUMBERS, broadcast_type
from cvm.inference.operators.inner_runs import broadcast_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array, TensorType


def parse(view: NodeView) -> BroadcastParameters:
    """Check two operands of one dtype whose shapes broadcast."""
    return resolve_broadcast(view, NUMBERS)


def cost(parameters: BroadcastParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output; the rules of integers take 18, one by one, in 8 passes."""
    runs = broadcast_steps(view, outputs[0])
    if parameters.dtype == "float32":
        return Cost(elementwise=outputs[0].size + runs)
    return Cost(elementwise=18 * SERIAL * outputs[0].size + runs, nodes=7)


def divide(_parameters: BroadcastParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Div-14: a / b elementwise, shapes broadcast as in NumPy.

    float32 rounds once, as IEEE 754 says. Integers truncate toward zero; x / 0 is 0 and the
    least integer divided by -1 is itself.
    """
    return (quotient(a, b),)


def quotient(a: Array, b: Array) -> Array:
    """Return a / b by the rule of the operands' dtype."""
    if a.dtype != np.float32:
        return truncated_quotient(a, b)
    with np.errstate(all="ignore"):
        return np.asarray(a / b)


DIV = OpSpec("Div", 14, frozenset(), parse, broadcast_type, cost, divide)
