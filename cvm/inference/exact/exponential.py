"""exp for float32, as one fixed sequence of float64 operations."""

from math import factorial

import numpy as np

from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

LOWEST = -110.0
HIGHEST = 90.0
"""exp(-110) rounds to +0 and exp(90) to +inf, so arguments are clamped to this interval."""

INVERSE_LN2 = float.fromhex("0x1.71547652b82fep+0")
LN2_HIGH = float.fromhex("0x1.62e42feep-1")
"""The first 32 bits of ln 2: n * LN2_HIGH is exact for |n| < 2**8."""

LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""ln 2 - LN2_HIGH, rounded to float64."""

COEFFICIENTS = tuple(1 / factorial(power) for power in range(11, -1, -1))
"""1/11!, 1/10! ... 1/1!, 1/0!, each rounded to float64: the Taylor series, highest first."""

EXPONENT_BIAS = 1023
SIGNIFICAND_BITS = 52


def exp64(d: Array) -> Array:
    """Return e**d for float64 d of magnitude at most 128, within 2**-46 of the value.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. n = rint(d * INVERSE_LN2)
    2. r = (d - n * LN2_HIGH) - n * LN2_LOW
    3. p = COEFFICIENTS[0], then p = p * r + c for each further coefficient c
    4. the result is p * 2**n, which is exact
    """
    n = np.rint(d * INVERSE_LN2)
    r = (d - n * LN2_HIGH) - n * LN2_LOW
    power = ((n.astype(np.int64) + EXPONENT_BIAS) << SIGNIFICAND_BITS).view(np.float64)
    return np.asarray(horner(COEFFICIENTS, r) * power)


def clamped(d: Array, low: float, high: float) -> Array:
    """Return float64 d moved to the nearer end of [low, high]; NaN gives 0."""
    d = np.where(d > high, high, np.where(d < low, low, d))
    return np.where(np.isnan(d), 0.0, d)


def exp32(x: Array) -> Array:
    """Return e**x elementwise for a float32 array, within 0.5000001 units in the last place.

    1. d = x clamped to [LOWEST, HIGHEST]
    2. the result is exp64(d), rounded once to float32

    NaN gives NaN, +inf gives +inf, -inf gives +0; exp of either zero is 1.
    """
    with np.errstate(all="ignore"):
        result = exp64(clamped(x.astype(np.float64), LOWEST, HIGHEST)).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)
