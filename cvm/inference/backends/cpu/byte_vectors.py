"""Bytes to float32 and back, sixteen at a time: the steps of (de)quantisation in registers."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import (
    FLOAT,
    INT32,
    broadcast,
    element_pointer,
    vector_intrinsic,
)
from cvm.inference.backends.cpu.scalar_operations import ROUNDING_MAGIC

LANES = 16
"""Elements of one call."""

NUMBERS = ir.VectorType(FLOAT, LANES)
WORDS = ir.VectorType(INT32, LANES)
OCTETS = ir.VectorType(ir.IntType(8), LANES)


@vector_intrinsic
def dequantise_vector(
    typing_context: Any, x: Any, i: Any, zero: Any, scale: Any, y: Any, j: Any
) -> Any:
    """Write float32(x[i:] - zero) * scale to y[j:], `LANES` elements of int8 or uint8 or int32."""
    signature = types.void(x, types.intp, types.int32, types.float32, y, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = dequantised(context, builder, (x, values[0], values[1]), values[2], values[3])
        place = element_pointer(context, builder, y, values[4], values[5])
        builder.store(made, builder.bitcast(place, NUMBERS.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, codegen


@vector_intrinsic
def quantise_vector(
    typing_context: Any,
    x: Any,
    i: Any,
    scale: Any,
    least: Any,
    greatest: Any,
    zero: Any,
    y: Any,
    j: Any,
) -> Any:
    """Write clip(rint(x[i:] / scale), least, greatest) + zero to y[j:], `LANES` bytes; NaN is 0."""
    number = types.float32
    signature = types.void(x, types.intp, number, number, number, types.int32, y, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = element_pointer(context, builder, x, values[0], values[1])
        loaded = builder.load(builder.bitcast(place, NUMBERS.as_pointer()), align=4)
        made = quantised(builder, loaded, *values[2:6])
        store_octets(context, builder, made, (y, values[6], values[7]))
        return context.get_dummy_value()

    return signature, codegen


@vector_intrinsic
def quantise_sum_vector(
    typing_context: Any,
    a: Any,
    a_zero: Any,
    a_scale: Any,
    b: Any,
    b_zero: Any,
    b_scale: Any,
    low: Any,
    high: Any,
    scale: Any,
    least: Any,
    greatest: Any,
    zero: Any,
    y: Any,
    i: Any,
) -> Any:
    """Dequantise a[i:] and b[i:], add, bound by low and high, and quantise to y[i:], `LANES` bytes.

    Bounds as for `pixel_tile_f32`.
    """
    word, number, at = types.int32, types.float32, types.intp
    signature = types.void(
        *(a, word, number, b, word, number),
        *(number, number, number, number, number, word, y, at),
    )

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        left = dequantised(context, builder, (a, values[0], values[13]), values[1], values[2])
        right = dequantised(context, builder, (b, values[3], values[13]), values[4], values[5])
        total = builder.fadd(left, right)
        for order, bound in ((">", values[6]), ("<", values[7])):
            limit = broadcast(builder, bound, LANES)
            total = builder.select(builder.fcmp_unordered(order, total, limit), total, limit)
        made = quantised(builder, total, *values[8:12])
        store_octets(context, builder, made, (y, values[12], values[13]))
        return context.get_dummy_value()

    return signature, codegen


def dequantised(
    context: Any, builder: Any, source: tuple[Any, Any, Any], zero: Any, scale: Any
) -> Any:
    """Return a vector of float32(x - zero) * scale; `source` is an array's type, value and index.

    The difference of a byte and a zero point of its type is exact in int32; that of int32, whose
    zero point is 0, is the value itself.
    """
    array_type, array, index = source
    place = element_pointer(context, builder, array_type, array, index)
    size = array_type.dtype.bitwidth // 8
    kind = ir.VectorType(place.type.pointee, LANES)
    loaded = builder.load(builder.bitcast(place, kind.as_pointer()), align=size)
    if size == 1:
        loaded = (builder.sext if array_type.dtype.signed else builder.zext)(loaded, WORDS)
    centred = builder.sub(loaded, broadcast(builder, zero, LANES))
    return builder.fmul(builder.sitofp(centred, NUMBERS), broadcast(builder, scale, LANES))


def quantised(builder: Any, numbers: Any, scale: Any, least: Any, greatest: Any, zero: Any) -> Any:
    """Return bytes: clip(rint(number / scale), least, greatest) + zero, and zero for a NaN.

    Bounds are integers, so that clipping before rounding gives the same value.
    """
    low, high = broadcast(builder, least, LANES), broadcast(builder, greatest, LANES)
    value = builder.fdiv(numbers, broadcast(builder, scale, LANES))
    is_nan = builder.fcmp_unordered("uno", value, value)
    value = builder.select(is_nan, ir.Constant(NUMBERS, [0.0] * LANES), value)
    value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
    value = builder.select(builder.fcmp_ordered(">", value, high), high, value)
    magic = ir.Constant(NUMBERS, [float(ROUNDING_MAGIC)] * LANES)
    value = builder.fsub(builder.fadd(value, magic), magic)
    words = builder.add(builder.fptosi(value, WORDS), broadcast(builder, zero, LANES))
    return builder.trunc(words, OCTETS)


def store_octets(context: Any, builder: Any, made: Any, target: tuple[Any, Any, Any]) -> None:
    """Store bytes; `target` is an array's type, value and index."""
    place = element_pointer(context, builder, *target)
    builder.store(made, builder.bitcast(place, OCTETS.as_pointer()), align=1)
