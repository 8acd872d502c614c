"""The scalar rules of EXACT that kernels are written with, instead of Python's own functions."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import vector_intrinsic
from cvm.native_code import kernel

ROUNDING_MAGIC = np.float32(12582912.0)
"""1.5 * 2**23: adding and subtracting it rounds a float32 of magnitude below 2**22 to an integer,
ties to even, because the spacing of float32 is 1 there."""


@vector_intrinsic
def float_bits(typing_context: Any, x: Any) -> Any:
    """Return the bits of a float32 as an int32."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@vector_intrinsic
def double_of_bits(typing_context: Any, bits: Any) -> Any:
    """Return the float64 with these bits."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@vector_intrinsic
def fma_f32(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c rounded once: the step of a dot product."""
    float32 = types.float32

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.FloatType()
        function = builder.module.declare_intrinsic(
            "llvm.fma.f32", (), ir.FunctionType(number, [number] * 3)
        )
        return builder.call(function, values)

    return float32(float32, float32, float32), codegen


@vector_intrinsic
def sqrt_f32(typing_context: Any, x: Any) -> Any:
    """Return the square root of a float32, rounded once; NumPy's would be a call of libm."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.FloatType()
        function = builder.module.declare_intrinsic(
            "llvm.sqrt.f32", (), ir.FunctionType(number, [number])
        )
        return builder.call(function, values)

    return types.float32(types.float32), codegen


@vector_intrinsic
def min_f32(typing_context: Any, a: Any, b: Any) -> Any:
    """Return Min(a, b): NaN if either is NaN, else the smaller, -0 below +0; without a branch."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit_extreme(builder, values, "<", builder.or_)

    return types.float32(types.float32, types.float32), codegen


@vector_intrinsic
def larger(typing_context: Any, a: Any, b: Any) -> Any:
    """Return Max(a, b) of two float32 or of two integers of one type; without a branch."""
    if a != b:
        return None

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if a == types.float32:
            return emit_extreme(builder, values, ">", builder.and_)
        compare = builder.icmp_signed if a.signed else builder.icmp_unsigned
        return builder.select(compare(">", values[0], values[1]), values[0], values[1])

    return a(a, a), codegen


def emit_extreme(builder: Any, values: Any, order: str, join_zeros: Any) -> Any:
    """Emit the choice between two float32 by `order`; equal ones differ at most in a zero's sign.

    Equal values have equal bits but for zeros, whose sign bits `join_zeros` joins.
    """
    a, b = values
    bits = ir.IntType(32)
    chosen = builder.select(builder.fcmp_unordered(order, a, b), a, b)
    chosen = builder.select(builder.fcmp_unordered("uno", b, b), b, chosen)
    joined = join_zeros(builder.bitcast(a, bits), builder.bitcast(b, bits))
    equal = builder.fcmp_ordered("==", a, b)
    return builder.select(equal, builder.bitcast(joined, ir.FloatType()), chosen)


@kernel
def round_to_integer(x: np.float32) -> np.float32:
    """Return x rounded to an integer, ties to even, for |x| < 2**22."""
    return (x + ROUNDING_MAGIC) - ROUNDING_MAGIC


@kernel
def requantise(
    total: np.int32, multiplier: np.float32, low: np.float32, high: np.float32
) -> np.int32:
    """Return clip(rint(float32(total) * multiplier), low, high) as an int32.

    The bounds are integers, so that clipping first gives the same value and stays below 2**22.
    """
    value = np.float32(total) * multiplier
    value = low if value < low else value
    value = high if value > high else value
    return np.int32(round_to_integer(value))
