"""The proof, from constants alone, that an integer dot product fits an int32 in any order."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

ACCUMULATOR_LIMIT = 2**31
"""Magnitudes below this fit an int32, partial sums in any order included."""

BLOCK = 2**20

HALVINGS = 8
"""255 * 2**8 fits a uint16: so many times may halves of a row be added without widening."""


def largest_distance(dtype: str, zero_points: Array | int) -> int:
    """Return max(hi - zero, zero - lo), the largest magnitude of a value minus its zero point."""
    low, high = LIMITS[dtype]
    zeros: list[int] = np.ravel(zero_points).tolist()
    return max(high - min(zeros), max(zeros) - low)


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
        centred = weights[block].astype(np.int16) - zero_points[block, None].astype(np.int16)
        bounds = _row_totals(np.abs(centred).view(np.uint16)) * largest
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


def _row_totals(distances: Array) -> Array:
    """Add up each row of uint16 values of at most 255, to int64."""
    values = distances
    for _ in range(HALVINGS):
        values = _folded(values)
    values = values.astype(np.int64)
    while values.shape[1] > 1:
        values = _folded(values)
    return values[:, 0]


def _folded(values: Array) -> Array:
    """Add the second half of each row to the first; a row of one value stays as it is."""
    half = (values.shape[1] + 1) // 2
    folded = values[:, :half].copy()
    folded[:, : values.shape[1] - half] += values[:, half:]
    return folded
