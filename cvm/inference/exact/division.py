"""Quotients and remainders of integers, and the exact remainder of float32."""

import numpy as np

from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.tensor_type import Array

STEP_BITS = 39
"""A remainder below 2**24, shifted by this, stays below 2**63."""

STEPS = 8
"""Eight shifts cover the 277 binary places between the greatest and the least float32."""

_SIGNIFICAND_BITS = 23
_LEAST_EXPONENT = -149
_DOUBLE_BIAS = 1023


def truncated_quotient(a: Array, b: Array) -> Array:
    """Return a / b truncated to an integer, both of one integer dtype, broadcast.

    x / 0 is 0 and the least integer divided by -1 is itself (EXACT section 2).
    """
    is_zero, is_minus_one = b == 0, _is_minus_one(b)
    divisor = np.where(is_zero | is_minus_one, np.ones_like(b), b)
    floor = a // divisor
    inexact = floor * divisor != a
    # a negative inexact quotient was rounded down and goes up by one
    truncated = floor + np.asarray(inexact & ((a < 0) != (divisor < 0))).astype(a.dtype)
    negated = np.zeros_like(a) - a
    return np.where(is_zero, np.zeros_like(a), np.where(is_minus_one, negated, truncated))


def floored_remainder(a: Array, b: Array) -> Array:
    """Return a mod b with the sign of b, both of one integer dtype, broadcast; x mod 0 is 0."""
    is_trivial = (b == 0) | _is_minus_one(b)
    remainder = a % np.where(is_trivial, np.ones_like(b), b)
    return np.where(is_trivial, np.zeros_like(a), remainder)


def truncated_remainder(a: Array, b: Array) -> Array:
    """Return a - truncated_quotient(a, b) * b with the sign of a; x mod 0 is 0."""
    remainder = a - truncated_quotient(a, b) * b
    return np.where(b == 0, np.zeros_like(a), remainder)


def fmod32(x: Array, y: Array) -> Array:
    """Return x - n * y with n = x / y truncated, exactly, for float32, with the sign of x.

    |x| = a * 2**i and |y| = b * 2**j with integers a, b below 2**24. Where |x| >= |y|, i >= j:
    the remainder of a * 2**(i - j) and b is found in int64, at most STEP_BITS places at a time,
    and 2**j times it is exact. NaN if either is NaN, x is infinite or y is 0; x if y is infinite.
    """
    x, y = np.broadcast_arrays(x, y)
    is_ordinary = np.isfinite(x) & np.isfinite(y) & (y != 0) & (np.abs(x) >= np.abs(y))
    a, i = _integer_and_exponent(np.where(is_ordinary, x, np.float32(1)))
    b, j = _integer_and_exponent(np.where(is_ordinary, y, np.float32(1)))
    remainder, places = a % b, i - j
    for _ in range(STEPS):
        step = np.where(places > STEP_BITS, STEP_BITS, places)
        remainder = (remainder << step) % b
        places = places - step
    unit = ((j + _DOUBLE_BIAS) << 52).view(np.float64)
    exact = np.copysign(remainder.astype(np.float64) * unit, x).astype(np.float32)
    undefined = np.isnan(x) | np.isnan(y) | np.isinf(x) | (y == 0)
    return np.where(undefined, CANONICAL_NAN, np.where(is_ordinary, exact, x))


def _integer_and_exponent(values: Array) -> tuple[Array, Array]:
    """Return int64 (a, i) with |value| = a * 2**i; a subnormal has the least exponent."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    biased = (bits >> _SIGNIFICAND_BITS) & 0xFF
    fraction = bits & ((1 << _SIGNIFICAND_BITS) - 1)
    is_normal = biased > 0
    integer = np.where(is_normal, fraction | (1 << _SIGNIFICAND_BITS), fraction)
    return integer, np.where(is_normal, biased - 1, 0) + _LEAST_EXPONENT


def _is_minus_one(b: Array) -> Array:
    """Say where a signed integer is -1; an unsigned one never is."""
    return np.asarray((b < 0) & (b + b.dtype.type(1) == 0))
