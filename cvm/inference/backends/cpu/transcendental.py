"""The float64 sequences of `cvm.inference.exact` once more, one scalar at a time.

Each function has the name of the definition that it equals. All of it is inlined into the
loops that call it, and none of it branches, so that the compiler makes whole vectors of it.
"""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import vector_intrinsic
from cvm.inference.backends.cpu.scalar_operations import double_of_bits, float_bits
from cvm.inference.exact import (
    error_function,
    exponential,
    hyperbolic,
    inverse_trigonometric,
    logarithm,
)
from cvm.inference.exact.error_function import CENTRE, LARGEST
from cvm.inference.exact.exponential import (
    HIGHEST,
    INVERSE_LN2,
    LN2_HIGH,
    LN2_LOW,
    LOWEST,
    SIGNIFICAND_BITS,
)
from cvm.inference.exact.hyperbolic import SIGMOID_LARGEST, TANH_LARGEST, TANH_SMALL, THIRD
from cvm.inference.exact.inverse_trigonometric import (
    HALF_PI,
    QUARTER_PI,
    TAN_EIGHTH_PI,
    TAN_THREE_EIGHTHS_PI,
)
from cvm.inference.exact.logarithm import ONE_BITS, SQRT_HALF_BITS
from cvm.native_code import inlined

MAGIC = 1.5 * 2.0**52
"""Adding and subtracting it rounds a float64 below 2**51 to an integer, ties to even."""

MAGIC_BITS = 0x4338_0000_0000_0000
"""The bits of MAGIC; those of MAGIC + n are greater by n."""

EVEN_FROM = 2.0**24
"""Every float32 of this magnitude or above is an even integer."""

INFINITY = np.inf
NAN = np.float32(np.nan)


@vector_intrinsic
def bits_of_double(typing_context: Any, x: Any) -> Any:
    """Return the bits of a float64 as an int64."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.IntType(64))

    return types.int64(types.float64), codegen


def polynomial(coefficients: Sequence[float]) -> Callable[[Any], Any]:
    """Return what equals `exact.polynomial.horner` with these coefficients."""

    @vector_intrinsic
    def horner(typing_context: Any, t: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            double = ir.DoubleType()
            p = ir.Constant(double, coefficients[0])
            for coefficient in coefficients[1:]:
                p = builder.fadd(builder.fmul(p, values[0]), ir.Constant(double, coefficient))
            return p

        return types.float64(types.float64), codegen

    evaluate: Callable[[Any], Any] = horner
    return evaluate


exp_series = polynomial(exponential.COEFFICIENTS)
log_series = polynomial(logarithm.COEFFICIENTS)
log1p_series = polynomial(logarithm.SERIES_TO_ONE)
sinh_series = polynomial(hyperbolic.SINH_COEFFICIENTS)
erf_small = polynomial(error_function.SMALL)
erf_large = polynomial(error_function.LARGE)
atan_series = polynomial(inverse_trigonometric.COEFFICIENTS)


@inlined
def exp64(d: float) -> float:
    """Return e**d for |d| up to 128."""
    shifted = d * INVERSE_LN2 + MAGIC
    n = shifted - MAGIC
    r = (d - n * LN2_HIGH) - n * LN2_LOW
    power = double_of_bits((bits_of_double(shifted) << SIGNIFICAND_BITS) + ONE_BITS)
    result: float = exp_series(r) * power
    return result


@inlined
def clamped(d: float, low: float, high: float) -> float:
    """Return d moved to the nearer end of [low, high]; NaN stays."""
    d = high if d > high else d
    return low if d < low else d


@inlined
def exp32(x: np.float32) -> np.float32:
    """Return e**x."""
    result = np.float32(exp64(clamped(np.float64(x), LOWEST, HIGHEST)))
    return x if x != x else result


@inlined
def log64(v: float) -> float:
    """Return ln v for normal, finite, positive v."""
    bits = bits_of_double(v)
    k = (bits - SQRT_HALF_BITS) >> SIGNIFICAND_BITS
    f = double_of_bits(bits - (k << SIGNIFICAND_BITS)) - 1.0
    s = f / (f + 2.0)
    exponent = double_of_bits(k + MAGIC_BITS) - MAGIC
    result: float = (exponent * LN2_LOW + log_series(s * s) * s) + exponent * LN2_HIGH
    return result


@inlined
def log64_of_magnitude(v: float) -> float:
    """Return ln |v|; -inf for a zero, +inf for infinities and NaN."""
    size = -v if v < 0.0 else v
    is_ordinary = (size > 0.0) & (size < INFINITY)
    result = log64(size if is_ordinary else 1.0)
    extreme = -INFINITY if size == 0.0 else INFINITY
    return result if is_ordinary else extreme


@inlined
def log32(x: np.float32) -> np.float32:
    """Return ln x."""
    d = np.float64(x)
    result = np.float32(log64_of_magnitude(d))
    return NAN if (d != d) | (d < 0.0) else result


@inlined
def softplus32(x: np.float32) -> np.float32:
    """Return ln(1 + e**x)."""
    d = np.float64(x)
    u = exp64(clamped(-d if d > 0.0 else d, LOWEST, 0.0))
    s = u / (u + 2.0)
    result = np.float32((d if d > 0.0 else 0.0) + log1p_series(s * s) * s)
    return x if x != x else result


@inlined
def tanh32(x: np.float32) -> np.float32:
    """Return tanh x."""
    d = np.float64(x)
    a = clamped(-d if d < 0.0 else d, 0.0, TANH_LARGEST)
    t = 1.0 - 2.0 / (exp64(a + a) + 1.0)
    small = d * (1.0 - (d * d) * THIRD)
    signed = -t if d < 0.0 else t
    result = np.float32(small if a < TANH_SMALL else signed)
    return x if x != x else result


@inlined
def sigmoid32(x: np.float32) -> np.float32:
    """Return 1 / (1 + e**-x)."""
    d = clamped(-np.float64(x), -SIGMOID_LARGEST, SIGMOID_LARGEST)
    result = np.float32(1.0 / (exp64(d) + 1.0))
    return x if x != x else result


@inlined
def erf32(x: np.float32) -> np.float32:
    """Return erf x."""
    d = np.float64(x)
    a = clamped(-d if d < 0.0 else d, 0.0, LARGEST)
    t = erf_large(a - CENTRE)
    small = d * erf_small(d * d)
    signed = -t if d < 0.0 else t
    result = np.float32(small if a < 1.0 else signed)
    return x if x != x else result


@inlined
def atan64(a: float) -> float:
    """Return atan a for a >= 0."""
    is_large, is_middle = a > TAN_THREE_EIGHTHS_PI, a > TAN_EIGHTH_PI
    numerator = -1.0 if is_large else (a - 1.0 if is_middle else a)
    denominator = a if is_large else (a + 1.0 if is_middle else 1.0)
    base = HALF_PI if is_large else (QUARTER_PI if is_middle else 0.0)
    u = numerator / denominator
    result: float = base + u * atan_series(u * u)
    return result


@inlined
def atan32(x: np.float32) -> np.float32:
    """Return atan x."""
    d = np.float64(x)
    result = atan64(-d if d < 0.0 else d)
    signed = np.float32(-result if d < 0.0 else result)
    return x if (x != x) | (d == 0.0) else signed


@inlined
def pow32(x: np.float32, y: np.float32) -> np.float32:
    """Return x**y."""
    d, exponent = np.float64(x), np.float64(y)
    z: float = exponent * log64_of_magnitude(d)
    z = 0.0 if z != z else z
    p = exp64(clamped(z, LOWEST, HIGHEST))
    half = exponent * 0.5
    is_even = (exponent >= EVEN_FROM) | (exponent <= -EVEN_FROM) | (half == (half + MAGIC) - MAGIC)
    is_whole = is_even | (exponent == (exponent + MAGIC) - MAGIC)
    p = -p if (float_bits(x) < 0) & is_whole & (not is_even) else p
    p = d * d if exponent == 2.0 else ((d * d) * d if exponent == 3.0 else p)
    result = np.float32(p)
    is_undefined = (d != d) | (exponent != exponent)
    is_undefined |= (d < 0.0) & (d > -INFINITY) & (not is_whole)
    result = NAN if is_undefined else result
    return np.float32(1) if (d == 1.0) | (exponent == 0.0) else result
