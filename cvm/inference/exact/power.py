"""Powers of float32 and of integers."""

import numpy as np

from cvm.inference.exact.exponential import HIGHEST, LOWEST, clamped, exp64
from cvm.inference.exact.logarithm import log64_of_magnitude
from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.tensor_type import Array

EXPONENT_BITS = 63
"""Bits of a positive int64 exponent."""


def pow32(x: Array, y: Array) -> Array:
    """Return x**y elementwise and broadcast for float32, within 0.5000001 units in the last place.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. z = y * ln |x|; 0 where that is NaN; clamped to [LOWEST, HIGHEST]
    2. p = exp64(z), negated where x is below zero or -0 and y is an odd integer
    3. p = x * x where y is 2, and (x * x) * x where y is 3
    4. the result is p, rounded once to float32

    Specials are those of IEEE 754-2019 pow: 1 for y = 0 and for x = 1, NaN or not; else NaN if
    either is NaN, or if x is finite and below zero and y is finite and no integer; |x| = 1 with
    y = +-inf gives 1.
    """
    x, y = np.broadcast_arrays(x, y)
    with np.errstate(all="ignore"):
        d, exponent = x.astype(np.float64), y.astype(np.float64)
        z = clamped(exponent * log64_of_magnitude(d), LOWEST, HIGHEST)
        p = np.where(np.signbit(d) & is_odd(exponent), -exp64(z), exp64(z))
        p = np.where(exponent == 2, d * d, np.where(exponent == 3, (d * d) * d, p))
        result = p.astype(np.float32)
    is_fraction = np.isfinite(exponent) & (np.trunc(exponent) != exponent)
    undefined = np.isnan(x) | np.isnan(y) | ((x < 0) & np.isfinite(x) & is_fraction)
    is_one = (x == 1) | (y == 0)
    return np.where(is_one, np.float32(1), np.where(undefined, CANONICAL_NAN, result))


def is_odd(y: Array) -> Array:
    """Say where a float64 is an odd integer; infinities are even."""
    half = y * 0.5
    return np.asarray((np.trunc(y) == y) & (np.trunc(half) != half))


def integer_power(x: Array, y: Array) -> Array:
    """Return x**y for integers, reduced to the dtype of x in two's complement.

    A y below zero gives the integer quotient of 1 and x**-y: 0, but for x = 1 (1) and x = -1
    (1 or -1). `y` may have another integer dtype; 0**0 is 1.
    """
    x, y = np.broadcast_arrays(x, y)
    exponent = np.where(y < 0, 0, y).astype(np.int64)
    is_odd_exponent = (y & 1) == 1
    result, square = np.ones_like(x), x
    with np.errstate(all="ignore"):
        for bit in range(EXPONENT_BITS):
            if not (exponent >> bit).any():
                break
            result = np.where((exponent >> bit) & 1 == 1, result * square, result)
            square = square * square
    ones = np.ones_like(x)
    of_minus_one = np.where(is_odd_exponent, -ones, ones)
    inverse = np.where(x == 1, ones, np.where(x == -1, of_minus_one, np.zeros_like(x)))
    return np.where(y < 0, inverse, result)
