"""Where the places of a resized axis lie in the original one: exact rationals, then taps."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from cvm.inference.tensor_type import Array

TRANSFORMATIONS = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
)

NEAREST_MODES = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")

MAX_DENOMINATOR = 2**26
"""Of coordinates. The quotient of a remainder by it, rounded to float64, is never moved onto or
across the middle of two float32 values, so rounding it again to float32 rounds once: two such
quotients differ by 2**-26 / 2**25 or more, and float64 keeps 2**-53."""


@dataclass(frozen=True, slots=True)
class ResizedAxis:
    """An axis that changes: its length before and after, and the exact scale.

    `scale` is `length / original` where the length is given. Where the scale is given (a
    float32, which is a rational), `length` is floor(original * scale).
    """

    axis: int
    original: int
    length: int
    scale: Fraction


def coordinate(resized: ResizedAxis, transformation: str) -> tuple[int, int, int]:
    """Return integers (first, step, denominator): place i lies at (first + step * i) / denominator.

    With n the original length, s the scale and L = n * s (ONNX Resize-19):

    * half_pixel: (i + 1/2) / s - 1/2
    * half_pixel_symmetric: (n - length / s) / 2 + (i + 1/2) / s - 1/2
    * pytorch_half_pixel: half_pixel, or 0 where L is 1
    * align_corners: i * (n - 1) / (L - 1), or 0 where L is 1
    * asymmetric: i / s
    """
    n, scale = resized.original, resized.scale
    shift, slope = Fraction(0), 1 / scale
    extent = n * scale
    if transformation == "align_corners":
        slope = (n - 1) / (extent - 1) if extent != 1 else Fraction(0)
    elif transformation == "pytorch_half_pixel" and extent == 1:
        slope = Fraction(0)
    elif transformation != "asymmetric":
        shift = slope / 2 - Fraction(1, 2)
        if transformation == "half_pixel_symmetric":
            shift += (n - resized.length * slope) / 2
    denominator = lcm(shift.denominator, slope.denominator)
    return int(shift * denominator), int(slope * denominator), denominator


def places(resized: ResizedAxis, transformation: str) -> tuple[Array, Array, int]:
    """Return for each place the floor of its coordinate and the remainder, and the denominator.

    The coordinate is clamped to [0, n - 1] first. Products stay below 2**63: a coordinate is
    below 2**21 in magnitude, the denominator at most `MAX_DENOMINATOR`.
    """
    first, step, denominator = coordinate(resized, transformation)
    numerators = first + step * np.arange(resized.length)
    end = (resized.original - 1) * denominator
    numerators = np.where(numerators < 0, 0, np.where(numerators > end, end, numerators))
    floors = numerators // denominator
    return floors, numerators - floors * denominator, denominator


def nearest_places(resized: ResizedAxis, transformation: str, nearest_mode: str) -> Array:
    """Return for each place the original place that it repeats, rounded as the mode says."""
    floors, remainders, denominator = places(resized, transformation)
    if nearest_mode == "floor":
        return floors
    if nearest_mode == "ceil":
        return floors + (remainders > 0)
    if nearest_mode == "round_prefer_floor":
        return floors + (2 * remainders > denominator)
    return floors + (2 * remainders >= denominator)


@dataclass(frozen=True, slots=True)
class LinearTaps:
    """For each place two original places and their float32 weights; `single` needs the first."""

    low: Array
    high: Array
    low_weight: Array
    high_weight: Array
    single: Array


def linear_taps(resized: ResizedAxis, transformation: str) -> LinearTaps:
    """Return the taps of linear interpolation.

    With f the fraction of the clamped coordinate, the weights are float32(1 - f) and float32(f),
    each rounded once from the exact rational. Where f is 0 the place is a copy of one element.
    """
    floors, remainders, denominator = places(resized, transformation)
    single = remainders == 0
    return LinearTaps(
        floors,
        np.where(single, floors, floors + 1),
        ((denominator - remainders) / denominator).astype(np.float32),
        (remainders / denominator).astype(np.float32),
        single,
    )
