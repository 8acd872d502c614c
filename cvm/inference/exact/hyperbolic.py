"""tanh, sigmoid, sinh and cosh for float32, each one fixed sequence of float64 operations."""

from math import factorial

import numpy as np

from cvm.inference.exact.exponential import HIGHEST, clamped, exp64
from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

TANH_SMALL = 1 / 1024
"""Below it, the first two terms of the series are nearer to tanh than the quotient is."""

TANH_LARGEST = 20.0
"""tanh of it rounds to 1."""

THIRD = 1 / 3
SIGMOID_LARGEST = 110.0
"""The sigmoid of it rounds to 1, and that of its negative to 0."""

SINH_COEFFICIENTS = tuple(1 / factorial(power) for power in range(15, 0, -2))
"""1/15!, 1/13! ... 1/3!, 1/1!, each rounded to float64: the series of sinh(x) / x in x * x."""


def tanh32(x: Array) -> Array:
    """Return tanh x elementwise for a float32 array, within 0.5000001 units in the last place.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. a = |x| clamped to [0, TANH_LARGEST]
    2. e = exp64(a + a)
    3. t = 1 - 2 / (e + 1), with the sign of x
    4. small = x * (1 - (x * x) * THIRD)
    5. the result is small if a < TANH_SMALL, else t; rounded once to float32

    NaN gives NaN, +-inf give +-1, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        d = x.astype(np.float64)
        a = clamped(np.abs(d), 0.0, TANH_LARGEST)
        t = 1.0 - 2.0 / (exp64(a + a) + 1.0)
        small = d * (1.0 - (d * d) * THIRD)
        result = np.where(a < TANH_SMALL, small, np.where(d < 0, -t, t)).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)


def sigmoid32(x: Array) -> Array:
    """Return 1 / (1 + e**-x) elementwise, within 0.5000001 units in the last place.

    1. d = -x clamped to [-SIGMOID_LARGEST, SIGMOID_LARGEST]
    2. the result is 1 / (exp64(d) + 1) in float64, rounded once to float32

    NaN gives NaN, +inf gives 1, -inf gives +0.
    """
    with np.errstate(all="ignore"):
        d = clamped(-x.astype(np.float64), -SIGMOID_LARGEST, SIGMOID_LARGEST)
        result = np.asarray(1.0 / (exp64(d) + 1.0)).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)


def sinh32(x: Array) -> Array:
    """Return sinh x elementwise for a float32 array, within 0.5000001 units in the last place.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. a = |x| clamped to [0, HIGHEST]
    2. e = exp64(a)
    3. t = (e - 1 / e) * 0.5, with the sign of x
    4. q = x * x; p = SINH_COEFFICIENTS[0], then p = p * q + c for each further coefficient c
    5. the result is x * p if a < 1, else t; rounded once to float32

    NaN gives NaN, +-inf give +-inf, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        d = x.astype(np.float64)
        a = clamped(np.abs(d), 0.0, HIGHEST)
        e = exp64(a)
        t = (e - 1.0 / e) * 0.5
        small = d * horner(SINH_COEFFICIENTS, d * d)
        result = np.where(a < 1.0, small, np.where(d < 0, -t, t)).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)


def cosh32(x: Array) -> Array:
    """Return cosh x elementwise for a float32 array, within 0.5000001 units in the last place.

    1. a = |x| clamped to [0, HIGHEST]; e = exp64(a)
    2. the result is (e + 1 / e) * 0.5 in float64, rounded once to float32

    NaN gives NaN, +-inf give +inf.
    """
    with np.errstate(all="ignore"):
        e = exp64(clamped(np.abs(x.astype(np.float64)), 0.0, HIGHEST))
        result = np.asarray((e + 1.0 / e) * 0.5).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)
