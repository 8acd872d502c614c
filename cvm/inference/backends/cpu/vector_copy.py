"""Copies of a few vectors between arrays of 32-bit elements."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.llvm_vectors import (
    INT64,
    are_literal,
    counted_loop,
    element_pointer,
    load_vector,
    store_vector,
    vector_intrinsic,
)


@vector_intrinsic
def copy_words(
    typing_context: Any,
    lanes: Any,
    source: Any,
    source_offset: Any,
    target: Any,
    target_offset: Any,
    count: Any,
) -> Any:
    """Copy at least `count` elements of 32 bits in whole vectors, so up to lanes - 1 too many."""
    if not are_literal(lanes):
        return None
    offset = types.intp
    signature = types.void(lanes, source, offset, target, offset, offset)
    size = lanes.literal_value

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arguments = signature.args
        read = element_pointer(context, builder, arguments[1], values[1], values[2])
        write = element_pointer(context, builder, arguments[3], values[3], values[4])
        vector = ir.VectorType(read.type.pointee, size)
        vectors = builder.sdiv(
            builder.add(values[5], ir.Constant(INT64, size - 1)), ir.Constant(INT64, size)
        )

        def step(index: Any, carried: list[Any]) -> list[Any]:
            at = builder.mul(index, ir.Constant(INT64, size))
            value = load_vector(builder, builder.gep(read, [at]), vector)
            store_vector(builder, value, builder.gep(write, [at]))
            return carried

        counted_loop(builder, vectors, [], step)
        return context.get_dummy_value()

    return signature, codegen
