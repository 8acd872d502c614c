"""The proof, from constants alone, that an integer dot product fits an int32 in any order."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

ACCUMULATOR_LIMIT = 2**31
"""Magnitudes below this fit an int32, partial sums in any order included."""

BLOCK = 2**20


def largest_distance(dtype: str, zero_points: Array | int) -> int:
    """Return max(hi - zero, zero - lo), the largest magnitude of a value minus its zero point."""
    low, high = LIMITS[dtype]
    return max(max(high - int(zero), int(zero) - low) for zero in np.unique(zero_points))


def require_fits_int32(
    view: NodeView, weights: Array, zero_points: Array, largest: int, bias: Array | None = None
) -> None:
    """Refuse weights (channels, depth) for which sum|w - zero| * largest + |bias| >= 2**31.

    `zero_points` and `bias` are (channels), `largest` bounds the other side's magnitude.
    """
    channels, depth = weights.shape
    rows = max(1, BLOCK // depth)
    for first in range(0, channels, rows):
        block = slice(first, first + rows)
        centred = weights[block].astype(np.int64) - zero_points[block, None]
        bounds = _row_totals(np.abs(centred)) * largest
        if bias is not None:
            bounds = bounds + np.abs(bias[block].astype(np.int64))
        over = bounds >= ACCUMULATOR_LIMIT
        if over.any():
            worst = int(np.argmax(over))
            raise refusal(
                view,
                "accumulator bound",
                f"sum |w - zero point| * {largest} + |bias| = {int(bounds[worst])} in output "
                f"channel {first + worst} must be below {ACCUMULATOR_LIMIT}",
            )


def require_dynamic_fits_int32(view: NodeView, depth: int, a: int, b: int) -> None:
    """Refuse a dot product of `depth` terms whose factors reach magnitudes `a` and `b`."""
    bound = depth * a * b
    if bound >= ACCUMULATOR_LIMIT:
        raise refusal(
            view,
            "accumulator bound",
            f"{depth} products of magnitude {a} * {b} = {bound} must be below {ACCUMULATOR_LIMIT}",
        )


def _row_totals(values: Array) -> Array:
    """Add up each row of int64 values by folding the second half onto the first."""
    while values.shape[1] > 1:
        half = (values.shape[1] + 1) // 2
        folded = values[:, :half].copy()
        folded[:, : values.shape[1] - half] += values[:, half:]
        values = folded
    return values[:, 0]
