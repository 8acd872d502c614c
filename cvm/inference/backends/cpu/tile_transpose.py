"""A square tile of words, transposed in vector registers."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import (
    INT32,
    are_literal,
    element_pointer,
    vector_intrinsic,
)

TILE_SIZES = {1: 16, 4: 8, 8: 4}
"""By word size in bytes, the rows and columns of a tile: a power of two."""


@vector_intrinsic
def transpose_tile(
    typing_context: Any,
    size: Any,
    x: Any,
    x_offset: Any,
    x_step: Any,
    y: Any,
    y_offset: Any,
    y_step: Any,
) -> Any:
    """Write y[y_offset + i * y_step + j] = x[x_offset + j * x_step + i] for i and j below `size`.

    Rows are interleaved log2(size) times: row i of the upper half with row i of the lower.
    """
    if not are_literal(size):
        return None
    offset = types.intp
    signature = types.void(size, x, offset, offset, y, offset, offset)
    count = size.literal_value

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arguments = signature.args
        read = element_pointer(context, builder, arguments[1], values[1], values[2])
        write = element_pointer(context, builder, arguments[4], values[4], values[5])
        word = read.type.pointee
        vector = ir.VectorType(word, count)
        rows = []
        for _ in range(count):
            pointer = builder.bitcast(read, vector.as_pointer())
            rows.append(builder.load(pointer, align=word.width // 8))
            read = builder.gep(read, [values[3]])
        for _ in range(count.bit_length() - 1):
            rows = interleaved(builder, rows)
        for row in rows:
            pointer = builder.bitcast(write, vector.as_pointer())
            builder.store(row, pointer, align=word.width // 8)
            write = builder.gep(write, [values[6]])
        return context.get_dummy_value()

    return signature, codegen


def interleaved(builder: Any, rows: list[Any]) -> list[Any]:
    """Return each row of the upper half zipped with its row of the lower half, as two rows."""
    half = len(rows) // 2
    mask_type = ir.VectorType(INT32, len(rows))
    zipped = []
    for upper, lower in zip(rows[:half], rows[half:], strict=True):
        for first in (0, half):
            lanes = [lane for i in range(half) for lane in (first + i, len(rows) + first + i)]
            mask = ir.Constant(mask_type, lanes)
            zipped.append(builder.shuffle_vector(upper, lower, mask))
    return zipped
