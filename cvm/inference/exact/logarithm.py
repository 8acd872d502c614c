"""log for float32, as one fixed sequence of float64 operations."""

import numpy as np

from cvm.inference.exact.exponential import (
    EXPONENT_BIAS,
    LN2_HIGH,
    LN2_LOW,
    LOWEST,
    SIGNIFICAND_BITS,
    clamped,
    exp64,
)
from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

SQRT_HALF_BITS = 0x3FE6_A09E_667F_3BCD
"""sqrt(1/2) rounded to float64: significands are taken from [sqrt(1/2), sqrt(2))."""

ONE_BITS = EXPONENT_BIAS << SIGNIFICAND_BITS

COEFFICIENTS = tuple(2 / power for power in range(21, 0, -2))
"""2/21, 2/19 ... 2/3, 2/1, each rounded to float64: the series of 2 artanh(s) / s in s * s."""

SERIES_TO_ONE = tuple(2 / power for power in range(31, 0, -2))
"""The same series with 16 terms, for s up to 1/3."""


def log64(v: Array) -> Array:
    """Return ln v for normal, finite, positive float64 v, within 2**-49 of the value.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. v = m * 2**k with m in [sqrt(1/2), sqrt(2)), on the bits of v
    2. f = m - 1, which is exact
    3. s = f / (f + 2)
    4. q = s * s
    5. p = COEFFICIENTS[0], then p = p * q + c for each further coefficient c
    6. the result is (k * LN2_LOW + p * s) + k * LN2_HIGH
    """
    bits = v.view(np.int64)
    k = (bits - SQRT_HALF_BITS) >> SIGNIFICAND_BITS
    m = np.asarray(bits - (k << SIGNIFICAND_BITS)).view(np.float64)
    f = m - 1.0
    s = f / (f + 2.0)
    exponent = k.astype(np.float64)
    p = horner(COEFFICIENTS, s * s)
    return np.asarray((exponent * LN2_LOW + p * s) + exponent * LN2_HIGH)


def log64_of_magnitude(v: Array) -> Array:
    """Return ln |v| for float64 v made of a float32; a zero gives -inf, +-inf and NaN give +inf."""
    size = np.abs(v)
    is_ordinary = (size > 0) & (size < np.inf)
    result = log64(np.where(is_ordinary, size, 1.0))
    return np.where(is_ordinary, result, np.where(size == 0, -np.inf, np.inf))


def log32(x: Array) -> Array:
    """Return ln x elementwise for a float32 array, within 0.5000001 units in the last place.

    The result is log64(x), rounded once to float32. A zero of either sign gives -inf, +inf
    gives +inf; NaN and every number below zero give NaN.
    """
    with np.errstate(all="ignore"):
        result = log64_of_magnitude(x.astype(np.float64)).astype(np.float32)
    return np.where(np.isnan(x) | (x < 0), CANONICAL_NAN, result)


def softplus32(x: Array) -> Array:
    """Return ln(1 + e**x) elementwise for float32, within 0.5000001 units in the last place.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. u = exp64(-|x|), -|x| clamped to [LOWEST, 0]
    2. s = u / (u + 2)
    3. q = s * s
    4. p = SERIES_TO_ONE[0], then p = p * q + c for each further coefficient c
    5. the result is Max(x, 0) + p * s, rounded once to float32

    NaN gives NaN, +inf gives +inf, -inf gives +0.
    """
    with np.errstate(all="ignore"):
        d = x.astype(np.float64)
        u = exp64(clamped(-np.abs(d), LOWEST, 0.0))
        s = u / (u + 2.0)
        p = horner(SERIES_TO_ONE, s * s)
        result = np.asarray(np.where(d > 0, d, 0.0) + p * s).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)
