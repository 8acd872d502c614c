"""BitShift: the bits of each element moved to the left or to the right."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.broadcasting import BroadcastParameters, resolve_broadcast
from cvm.inference.operators.elementwise import broadcast_type, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

DTYPES = ("uint8",)
"""ONNX shifts unsigned integers only."""

DIRECTIONS = ("LEFT", "RIGHT")
WIDTH = 8


@dataclass(frozen=True, slots=True)
class BitShiftParameters(BroadcastParameters):
    """The common type of the operands and the direction."""

    is_left: bool


def parse(view: NodeView) -> BitShiftParameters:
    """Check two uint8 operands whose shapes broadcast, and the direction, which is required."""
    common = resolve_broadcast(view, DTYPES)
    direction = string_attribute(view, "direction", "")
    if direction not in DIRECTIONS:
        raise refusal(
            view, "attribute value", f"direction must be LEFT or RIGHT, found {direction!r}"
        )
    return BitShiftParameters(common.dtype, common.output_shape, direction == "LEFT")


def bit_shift(parameters: BitShiftParameters, x: Array, places: Array) -> tuple[Array, ...]:
    """Return BitShift-11 elementwise, shapes broadcast: bits that leave the byte are lost.

    A shift by 8 or more gives 0.
    """
    is_inside = places < WIDTH
    inside = np.where(is_inside, places, np.uint8(0))
    shifted = x << inside if parameters.is_left else x >> inside
    return (np.where(is_inside, shifted, np.uint8(0)),)


BIT_SHIFT = OpSpec(
    "BitShift",
    11,
    frozenset({"direction"}),
    parse,
    broadcast_type,
    steps(4 * SERIAL, passes=3),
    bit_shift,
)
