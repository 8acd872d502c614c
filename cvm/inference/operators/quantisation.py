"""Scales, zero points and the one rounding rule of the quantised operators."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import constant_operand, operand_type
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}
"""Least and greatest value of the quantised dtypes."""

SMALLEST_NORMAL_BITS = 0x0080_0000
INFINITY_BITS = 0x7F80_0000

REQUANTISE_STEPS = 4
"""Scalar steps of one requantised output: convert, multiply, round and saturate, add."""


def require_normal(view: NodeView, meaning: str, values: Array) -> None:
    """Refuse float32 values unless all are finite, normal and positive."""
    bits = values.reshape(-1).view(np.uint32)
    wrong = (bits < SMALLEST_NORMAL_BITS) | (bits >= INFINITY_BITS)
    if wrong.any():
        raise refusal(
            view,
            "scale",
            f"{meaning} must be positive, finite and normal, found {values.reshape(-1)[wrong][0]}",
        )


def scales(view: NodeView, index: int, channels: int) -> Array:
    """Return a constant float32 scale, one value or one per channel, as (1) or (channels)."""
    operand_type(view, index, ("float32",))
    values = constant_operand(view, index, "scale")
    _require_per_channel(view, index, values, channels)
    require_normal(view, f"scale (input {index})", values)
    return values.reshape(-1)


def zero_points(view: NodeView, index: int, channels: int, dtype: str) -> Array:
    """Return a constant zero point as int32 (1) or (channels); an absent one is 0."""
    if view.type_at(index) is None:
        return np.zeros(1, np.int32)
    operand_type(view, index, (dtype,))
    values = constant_operand(view, index, "zero point")
    _require_per_channel(view, index, values, channels)
    return values.reshape(-1).astype(np.int32)


def scale(view: NodeView, index: int) -> Array:
    """Return a constant float32 scale of the whole tensor as an array of rank 0."""
    return scales(view, index, 1).reshape(())


def zero_point(view: NodeView, index: int, dtype: str) -> int:
    """Return a constant zero point of the whole tensor; an absent one is 0."""
    return int(zero_points(view, index, 1, dtype)[0])


def quantised_dtype(view: NodeView, index: int) -> str:
    """Return the dtype of a required int8 or uint8 input."""
    return operand_type(view, index, LIMITS).dtype


def multipliers(
    view: NodeView, x_scale: Array, w_scales: Array, y_scale: Array, channels: int
) -> Array:
    """Return (x_scale * w_scale) / y_scale in float32, in that order, as (channels).

    Refuses a product or a quotient that is not finite and normal.
    """
    with np.errstate(all="ignore"):
        product = x_scale * w_scales
        quotient = product / y_scale
    require_normal(view, "x_scale * w_scale", product)
    require_normal(view, "(x_scale * w_scale) / y_scale", quotient)
    return np.broadcast_to(quotient, (channels,)).copy()


def per_channel(values: Array, channels: int) -> Array:
    """Return (channels) values made of (1) or (channels)."""
    return np.broadcast_to(values, (channels,)).copy()


def saturate(values: Array, zero_point: Array | int, dtype: str) -> Array:
    """Return clip(rint(values), lo - zero, hi - zero) + zero as int8 or uint8.

    Halves go to the even integer; saturation comes before the conversion to an integer;
    the zero point is added as an integer. NaN gives the zero point. `values` is float32.
    """
    low, high = LIMITS[dtype]
    zero = np.asarray(zero_point, np.int32)
    least, greatest = (low - zero).astype(np.float32), (high - zero).astype(np.float32)
    rounded = np.rint(values)
    rounded = np.where(rounded < least, least, rounded)
    rounded = np.where(rounded > greatest, greatest, rounded)
    rounded = np.where(np.isnan(values), np.float32(0), rounded)
    return np.asarray(rounded.astype(np.int32) + zero).astype(dtype)


def requantise(accumulator: Array, multiplier: Array, zero_point: int, dtype: str) -> Array:
    """Return saturate(float32(accumulator) * multiplier): two roundings, then rint.

    The int32 accumulator becomes float32 by one rounding to nearest even.
    """
    with np.errstate(all="ignore"):
        return saturate(accumulator.astype(np.float32) * multiplier, zero_point, dtype)


def _require_per_channel(view: NodeView, index: int, values: Array, channels: int) -> None:
    if values.shape not in ((), (1,), (channels,)):
        raise refusal(
            view,
            "operand shape",
            f"input {index} must be a scalar or hold {channels} values, found {values.shape}",
        )
