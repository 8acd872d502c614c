"""The integer register tile: exact int32 dot products of packed 8-bit values, in any order."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.feature_level import QUADS
from cvm.inference.backends.cpu.llvm_vectors import (
    INT32,
    INT64,
    are_literal,
    broadcast,
    counted_loop,
    element_pointer,
    load_vector,
    offset_by,
    store_vector,
    vector_intrinsic,
)

INT8 = ir.IntType(8)
INT16 = ir.IntType(16)
WIDEST_PAIRS = 8


def multiply_quads(builder: Any, total: Any, columns: Any, factor: Any, lanes: int) -> Any:
    """Return total + the dot product of four uint8 by four int8 in every lane (vpdpbusd).

    The four products and their sum do not saturate; the int32 addition wraps.
    """
    word = ir.VectorType(INT32, lanes)
    octets = ir.VectorType(INT8, 4 * lanes)
    function = builder.module.declare_intrinsic(
        "llvm.x86.avx512.vpdpbusd.512", (), ir.FunctionType(word, [word, octets, octets])
    )
    operands = [total, builder.bitcast(columns, octets), builder.bitcast(factor, octets)]
    return builder.call(function, operands)


def multiply_pairs(builder: Any, total: Any, columns: Any, factor: Any, lanes: int) -> Any:
    """Return total + the dot product of two int16 pairs in every lane.

    A factor lies in [-255, 255], so that a pair sum stays below 2**17. Eight lanes are
    vpmaddwd of AVX2; fewer are plain arithmetic, in which LLVM finds what the CPU has.
    """
    pairs = ir.VectorType(INT16, 2 * lanes)
    word = ir.VectorType(INT32, lanes)
    a, b = builder.bitcast(columns, pairs), builder.bitcast(factor, pairs)
    if lanes == WIDEST_PAIRS:
        function = builder.module.declare_intrinsic(
            "llvm.x86.avx2.pmadd.wd", (), ir.FunctionType(word, [pairs, pairs])
        )
        return builder.add(total, builder.call(function, [a, b]))
    halves = []
    for first in (0, 1):
        mask = ir.Constant(ir.VectorType(INT32, lanes), [2 * i + first for i in range(lanes)])
        left = builder.sext(builder.shuffle_vector(a, a, mask), word)
        right = builder.sext(builder.shuffle_vector(b, b, mask), word)
        halves.append(builder.mul(left, right))
    return builder.add(total, builder.add(*halves))


@vector_intrinsic
def dot_tile_int8(
    typing_context: Any,
    word_depth: Any,
    lanes: Any,
    vectors: Any,
    rows: Any,
    width: Any,
    a: Any,
    a_offset: Any,
    b: Any,
    b_offset: Any,
    terms: Any,
    terms_offset: Any,
    out: Any,
    out_offset: Any,
    out_stride: Any,
    depth: Any,
) -> Any:
    """Write an int32 tile: out[r, c] = terms[r] + the sum over words k of a[k, r] . b[k, c].

    A word holds four values (a int8, b uint8) or two int16, by `word_depth`. Panels and tile are
    laid out as for `dot_tile_f32`. Sums wrap at 32 bits; EXACT section 3 bounds the true value.
    """
    if not are_literal(word_depth, lanes, vectors, rows, width):
        return None
    offset = types.intp
    literals = (word_depth, lanes, vectors, rows, width)
    arguments = (a, offset, b, offset, terms, offset, out, offset, offset, offset)
    signature = types.void(*literals, *arguments)
    shape = tuple(literal.literal_value for literal in literals)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointers = [
            element_pointer(context, builder, signature.args[i], values[i], values[i + 1])
            for i in (5, 7, 9, 11)
        ]
        emit_tile(builder, shape, pointers, values[13], values[14])
        return context.get_dummy_value()

    return signature, codegen


def emit_tile(
    builder: Any, shape: tuple[int, ...], pointers: list[Any], stride: Any, depth: Any
) -> None:
    """Emit the loop over words and the stores of one integer tile."""
    word_depth, lanes, vectors, rows, width = shape
    a, b, terms, out = pointers
    vector = ir.VectorType(INT32, lanes)
    multiply = multiply_quads if word_depth == QUADS else multiply_pairs

    def step(k: Any, sums: list[Any]) -> list[Any]:
        a_row = offset_by(builder, a, builder.mul(k, ir.Constant(INT64, rows)))
        b_row = offset_by(builder, b, builder.mul(k, ir.Constant(INT64, width)))
        columns = [
            load_vector(builder, offset_by(builder, b_row, lanes * v), vector)
            for v in range(vectors)
        ]
        updated: list[Any] = []
        for row in range(rows):
            factor = broadcast(builder, builder.load(offset_by(builder, a_row, row)), lanes)
            own = sums[row * vectors : (row + 1) * vectors]
            updated += [
                multiply(builder, total, column, factor, lanes)
                for column, total in zip(columns, own, strict=True)
            ]
        return updated

    zero = ir.Constant(vector, [0] * lanes)
    sums = counted_loop(builder, depth, [zero] * (rows * vectors), step)
    for row in range(rows):
        term = broadcast(builder, builder.load(offset_by(builder, terms, row)), lanes)
        start = offset_by(builder, out, builder.mul(stride, ir.Constant(INT64, row)))
        for v in range(vectors):
            total = builder.add(sums[row * vectors + v], term)
            store_vector(builder, total, offset_by(builder, start, lanes * v))
