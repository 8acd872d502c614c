"""Sinh, Cosh, Asin, Acos and Sign: functions that few networks use, one loop each."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import vector_intrinsic
from cvm.inference.backends.cpu.transcendental import atan64, clamped, exp64, polynomial
from cvm.inference.backends.cpu.unary import plain
from cvm.inference.exact.exponential import HIGHEST
from cvm.inference.exact.hyperbolic import SINH_COEFFICIENTS
from cvm.inference.tensor_type import Array
from cvm.native_code import inlined, kernel

NAN = np.float32(np.nan)

sinh_series = polynomial(SINH_COEFFICIENTS)


@vector_intrinsic
def sqrt_f64(typing_context: Any, x: Any) -> Any:
    """Return the square root of a float64, rounded once; NumPy's would be a call of libm."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.DoubleType()
        function = builder.module.declare_intrinsic(
            "llvm.sqrt.f64", (), ir.FunctionType(number, [number])
        )
        return builder.call(function, values)

    return types.float64(types.float64), codegen


@inlined
def sinh32(x: np.float32) -> np.float32:
    """Equal `exact.hyperbolic.sinh32`."""
    d = np.float64(x)
    a = clamped(-d if d < 0.0 else d, 0.0, HIGHEST)
    e = exp64(a)
    t = (e - 1.0 / e) * 0.5
    small = d * sinh_series(d * d)
    signed = -t if d < 0.0 else t
    result = np.float32(small if a < 1.0 else signed)
    return x if x != x else result


@inlined
def cosh32(x: np.float32) -> np.float32:
    """Equal `exact.hyperbolic.cosh32`."""
    d = np.float64(x)
    e = exp64(clamped(-d if d < 0.0 else d, 0.0, HIGHEST))
    result = np.float32((e + 1.0 / e) * 0.5)
    return x if x != x else result


@inlined
def asin32(x: np.float32) -> np.float32:
    """Equal `exact.inverse_trigonometric.asin32`."""
    d = np.float64(x)
    a = -d if d < 0.0 else d
    result = atan64(a / sqrt_f64((1.0 - a) * (1.0 + a)))
    signed = np.float32(-result if d < 0.0 else result)
    return (x if d == 0.0 else signed) if a <= 1.0 else NAN


@inlined
def acos32(x: np.float32) -> np.float32:
    """Equal `exact.inverse_trigonometric.acos32`."""
    d = np.float64(x)
    result = np.float32(2.0 * atan64(sqrt_f64((1.0 - d) / (1.0 + d))))
    return result if (d >= -1.0) & (d <= 1.0) else NAN


@kernel
def sinh(x: Array, y: Array) -> None:
    """Equal `operators.sinh`."""
    for i in range(len(x)):
        y[i] = sinh32(x[i])


@kernel
def cosh(x: Array, y: Array) -> None:
    """Equal `operators.cosh`."""
    for i in range(len(x)):
        y[i] = cosh32(x[i])


@kernel
def asin(x: Array, y: Array) -> None:
    """Equal `operators.asin`."""
    for i in range(len(x)):
        y[i] = asin32(x[i])


@kernel
def acos(x: Array, y: Array) -> None:
    """Equal `operators.acos`."""
    for i in range(len(x)):
        y[i] = acos32(x[i])


@kernel
def sign(x: Array, y: Array) -> None:
    """Equal `operators.sign`."""
    one = x.dtype.type(1)
    zero = x.dtype.type(0)
    for i in range(len(x)):
        value = x[i]
        below = zero - one if value < zero else (value if value != value else zero)
        y[i] = one if value > zero else below


build_sinh = plain(sinh)
build_cosh = plain(cosh)
build_asin = plain(asin)
build_acos = plain(acos)
build_sign = plain(sign)
