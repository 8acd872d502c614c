"""The float32 register tile: dot products by fma, one accumulator per output, index ascending."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import (
    FLOAT,
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


@vector_intrinsic
def dot_tile_f32(
    typing_context: Any,
    lanes: Any,
    vectors: Any,
    rows: Any,
    width: Any,
    a: Any,
    a_offset: Any,
    b: Any,
    b_offset: Any,
    bias: Any,
    bias_offset: Any,
    out: Any,
    out_offset: Any,
    out_stride: Any,
    depth: Any,
) -> Any:
    """Write a tile: out[r, c] = (fma over k ascending from +0 of a[k, r] * b[k, c]) + bias[r].

    `a` is a packed panel (depth, rows), `b` a packed panel (depth, width) of which the first
    `vectors * lanes` columns are used; row r of the tile starts at `out_offset + r * out_stride`.
    A bias of -0 leaves every value as it is. EXACT section 2, dot products.
    """
    if not are_literal(lanes, vectors, rows, width):
        return None
    offset = types.intp
    arguments = (a, offset, b, offset, bias, offset, out, offset, offset, offset)
    signature = types.void(lanes, vectors, rows, width, *arguments)
    shape = (lanes.literal_value, vectors.literal_value, rows.literal_value, width.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointers = [
            element_pointer(context, builder, signature.args[i], values[i], values[i + 1])
            for i in (4, 6, 8, 10)
        ]
        emit_tile(builder, shape, pointers, values[12], values[13])
        return context.get_dummy_value()

    return signature, codegen


def emit_tile(
    builder: Any, shape: tuple[int, int, int, int], pointers: list[Any], stride: Any, depth: Any
) -> None:
    """Emit the loop over k and the stores of one float32 tile."""
    lanes, vectors, rows, width = shape
    a, b, bias, out = pointers
    vector = ir.VectorType(FLOAT, lanes)
    fma = builder.module.declare_intrinsic(
        f"llvm.fma.v{lanes}f32", (), ir.FunctionType(vector, [vector] * 3)
    )

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
                builder.call(fma, [factor, column, total])
                for column, total in zip(columns, own, strict=True)
            ]
        return updated

    zero = ir.Constant(vector, [0.0] * lanes)
    sums = counted_loop(builder, depth, [zero] * (rows * vectors), step)
    for row in range(rows):
        term = broadcast(builder, builder.load(offset_by(builder, bias, row)), lanes)
        start = offset_by(builder, out, builder.mul(stride, ir.Constant(INT64, row)))
        for v in range(vectors):
            total = builder.fadd(sums[row * vectors + v], term)
            store_vector(builder, total, offset_by(builder, start, lanes * v))
