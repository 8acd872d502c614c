"""atan, asin and acos for float32, each one fixed sequence of float64 operations."""

import numpy as np

from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

TAN_EIGHTH_PI = float.fromhex("0x1.a827999fcef32p-2")
TAN_THREE_EIGHTHS_PI = float.fromhex("0x1.3504f333f9de6p+1")
QUARTER_PI = float.fromhex("0x1.921fb54442d18p-1")
HALF_PI = float.fromhex("0x1.921fb54442d18p+0")

COEFFICIENTS = tuple((1 - power % 4 // 2 * 2) / power for power in range(33, 0, -2))
"""1/33, -1/31 ... -1/3, 1/1, each rounded to float64: the series of atan(u) / u in u * u."""


def atan64(a: Array) -> Array:
    """Return atan a for float64 a >= 0, +inf included, within 2**-46 of the value.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. a > TAN_THREE_EIGHTHS_PI: u = -1 / a, b = HALF_PI; else a > TAN_EIGHTH_PI:
       u = (a - 1) / (a + 1), b = QUARTER_PI; else u = a / 1, b = 0
    2. q = u * u; p = COEFFICIENTS[0], then p = p * q + c for each further coefficient c
    3. the result is b + u * p
    """
    is_large, is_middle = a > TAN_THREE_EIGHTHS_PI, a > TAN_EIGHTH_PI
    numerator = np.where(is_large, -1.0, np.where(is_middle, a - 1.0, a))
    denominator = np.where(is_large, a, np.where(is_middle, a + 1.0, 1.0))
    base = np.where(is_large, HALF_PI, np.where(is_middle, QUARTER_PI, 0.0))
    u = numerator / denominator
    return np.asarray(base + u * horner(COEFFICIENTS, u * u))


def atan32(x: Array) -> Array:
    """Return atan x elementwise for a float32 array, within 0.5000001 units in the last place.

    The result is atan64(|x|) with the sign of x, rounded once to float32. NaN gives NaN,
    +-inf give +-pi/2, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        result = np.copysign(atan64(np.abs(x.astype(np.float64))), x).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)


def asin32(x: Array) -> Array:
    """Return asin x elementwise for a float32 array, within 0.5000001 units in the last place.

    The result is atan64(|x| / sqrt((1 - |x|) * (1 + |x|))) with the sign of x, every step one
    float64 operation, rounded once to float32. NaN and |x| above 1 give NaN, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        a = np.abs(x.astype(np.float64))
        result = atan64(a / np.sqrt((1.0 - a) * (1.0 + a)))
        signed = np.copysign(result, x).astype(np.float32)
    return np.where(np.abs(x) <= 1, signed, CANONICAL_NAN)


def acos32(x: Array) -> Array:
    """Return acos x elementwise for a float32 array, within 0.5000001 units in the last place.

    The result is 2 * atan64(sqrt((1 - x) / (1 + x))), every step one float64 operation, rounded
    once to float32. NaN and |x| above 1 give NaN; acos 1 is +0.
    """
    with np.errstate(all="ignore"):
        d = x.astype(np.float64)
        result = np.asarray(2.0 * atan64(np.sqrt((1.0 - d) / (1.0 + d)))).astype(np.float32)
    return np.where(np.abs(x) <= 1, result, CANONICAL_NAN)
