"""One operation on a whole block of channels, from memory to memory."""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.layout import BLOCK
from cvm.inference.backends.cpu.llvm_vectors import (
    INT32,
    element_pointer,
    vector_intrinsic,
)


def in_place(target: Any, source: Any, emit: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """Return signature and code of target[block] = emit(target[block], source[block])."""
    if target.dtype != source.dtype:
        return None
    signature = types.void(target, types.intp, source, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        places = []
        for index in (0, 2):
            place = element_pointer(
                context, builder, signature.args[index], values[index], values[index + 1]
            )
            vector = ir.VectorType(place.type.pointee, BLOCK)
            places.append(builder.bitcast(place, vector.as_pointer()))
        size = target.dtype.bitwidth // 8
        first, second = (builder.load(place, align=size) for place in places)
        builder.store(emit(builder, target.dtype, first, second), places[0], align=size)
        return context.get_dummy_value()

    return signature, codegen


@vector_intrinsic
def add_block(typing_context: Any, target: Any, at: Any, source: Any, start: Any) -> Any:
    """Add float32 source[start:] to target[at:], `BLOCK` elements."""
    return in_place(target, source, lambda builder, _dtype, a, b: builder.fadd(a, b))


@vector_intrinsic
def take_larger_block(typing_context: Any, target: Any, at: Any, source: Any, start: Any) -> Any:
    """Write Max(target[at:], source[start:]) to target[at:], `BLOCK` elements; EXACT section 2."""
    return in_place(target, source, emit_larger)


def emit_larger(builder: Any, dtype: Any, a: Any, b: Any) -> Any:
    """Emit Max of two vectors: NaN if either is, +0 above -0; plain order for integers."""
    if dtype != types.float32:
        compare = builder.icmp_signed if dtype.signed else builder.icmp_unsigned
        return builder.select(compare(">", a, b), a, b)
    words = ir.VectorType(INT32, BLOCK)
    chosen = builder.select(builder.fcmp_unordered(">", a, b), a, b)
    chosen = builder.select(builder.fcmp_unordered("uno", b, b), b, chosen)
    joined = builder.and_(builder.bitcast(a, words), builder.bitcast(b, words))
    equal = builder.fcmp_ordered("==", a, b)
    return builder.select(equal, builder.bitcast(joined, a.type), chosen)
