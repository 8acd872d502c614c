"""Mod: the elementwise remainder of a division."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.exact.division import floored_remainder, fmod32, truncated_remainder
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import NUMBERS, broadcast_type
from cvm.inference.operators.inner_runs import broadcast_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

FLOAT_STEPS = 170
"""Per element: a float remainder takes eight divisions of integers."""

INTEGER_STEPS = 14


@dataclass(frozen=True, slots=True)
class ModParameters(BroadcastParameters):
    """The common type of the operands, and whether the remainder has the dividend's sign."""

    follows_dividend: bool


def parse(view: NodeView) -> ModParameters:
    """Check two operands of one dtype whose shapes broadcast; float32 needs fmod = 1."""
    common = resolve_broadcast(view, NUMBERS)
    fmod = flag_attribute(view, "fmod", False)
    if common.dtype == "float32" and not fmod:
        raise refusal(view, "attribute value", "fmod must be 1 for float32, found 0")
    return ModParameters(common.dtype, common.output_shape, fmod)


def cost(parameters: ModParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count the steps of each output, one by one, and the definition's passes."""
    is_float = parameters.dtype == "float32"
    steps, passes = (FLOAT_STEPS, 15) if is_float else (INTEGER_STEPS, 5)
    runs = broadcast_steps(view, outputs[0])
    return Cost(elementwise=steps * SERIAL * outputs[0].size + runs, nodes=passes)


def remainder_of(parameters: ModParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return Mod-13 elementwise, shapes broadcast as in NumPy; every result is exact.

    Integers: with fmod = 0 the remainder has the sign of b, with fmod = 1 that of a; x mod 0
    is 0. float32 (fmod = 1): `exact.division.fmod32`, the remainder of C, with the sign of a.
    """
    if a.dtype == np.float32:
        return (fmod32(a, b),)
    return (truncated_remainder(a, b) if parameters.follows_dividend else floored_remainder(a, b),)


MOD = OpSpec("Mod", 13, frozenset({"fmod"}), parse, broadcast_type, cost, remainder_of)
