"""Pow: the elements of one tensor to the powers in another."""

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.exact.casting import converted
from cvm.inference.exact.power import integer_power, pow32
from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import BroadcastParameters, broadcast_shape
from cvm.inference.operators.elementwise import NUMBERS, broadcast_type
from cvm.inference.operators.inner_runs import broadcast_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.tensor_type import Array, TensorType

BASES = ("float32", "int32", "int64")


def parse(view: NodeView) -> BroadcastParameters:
    """Check a base and an exponent, maybe of two dtypes, whose shapes broadcast."""
    require_operand_count(view, 2)
    base, exponent = operand_type(view, 0, BASES), operand_type(view, 1, NUMBERS)
    return BroadcastParameters(base.dtype, broadcast_shape(view, base.shape, exponent.shape))


def cost(parameters: BroadcastParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count 24 transcendental steps for each output, one step for a square.

    Where not both are float32 each output takes 40 steps, one by one, in 13 passes.
    """
    size, exponent = outputs[0].size, view.types[1]
    runs = broadcast_steps(view, outputs[0])
    if parameters.dtype != "float32" or exponent is None or exponent.dtype != "float32":
        return Cost(elementwise=40 * SERIAL * size + runs, nodes=12)
    constant = view.constant_at(1)
    if constant is not None and (constant == 2).all():
        return Cost(elementwise=size)
    return Cost(elementwise=runs, transcendental=24 * size)


def power(parameters: BroadcastParameters, base: Array, exponent: Array) -> tuple[Array, ...]:
    """Return Pow-15 elementwise in the dtype of the base, shapes broadcast as in NumPy.

    * float32 base: `exact.power.pow32`; an integer exponent becomes float32 first, rounded once.
    * integer base, integer exponent: `exact.power.integer_power`, which wraps around.
    * integer base, float32 exponent: the base becomes float32, rounded once; pow32; then the
      result is truncated toward zero and saturated, NaN giving 0.
    """
    if base.dtype != np.float32 and exponent.dtype != np.float32:
        return (integer_power(base, exponent),)
    result = pow32(converted(base, "float32"), converted(exponent, "float32"))
    return (converted(result, parameters.dtype),)


POW = OpSpec("Pow", 15, frozenset(), parse, broadcast_type, cost, power)
