"""Short LLVM vectors inside numba kernels: pointers, loads, stores, broadcasts, a counted loop."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

FLOAT = ir.FloatType()
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)


def element_pointer(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """Return a pointer to element `offset` of a one-dimensional contiguous array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [offset])


def offset_by(builder: Any, pointer: Any, elements: Any) -> Any:
    """Return `pointer` moved by a number of elements, given as an int or an LLVM value."""
    if isinstance(elements, int):
        elements = ir.Constant(INT64, elements)
    return builder.gep(pointer, [elements])


def load_vector(builder: Any, pointer: Any, vector: Any) -> Any:
    """Load a vector from an address that is aligned for one element only."""
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=4)


def store_vector(builder: Any, value: Any, pointer: Any) -> None:
    """Store a vector at an address that is aligned for one element only."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=4)


def broadcast(builder: Any, scalar: Any, lanes: int) -> Any:
    """Return a vector with `scalar` in every lane."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
    return builder.shuffle_vector(
        first, undefined, ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
    )


def counted_loop(
    builder: Any, count: Any, initial: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """Emit `for index in range(count)` that carries values in registers; return them after it."""
    entry = builder.block
    header = builder.append_basic_block("dot.header")
    block = builder.append_basic_block("dot.body")
    done = builder.append_basic_block("dot.done")
    builder.branch(header)
    builder.position_at_end(header)
    index = builder.phi(INT64)
    carried = [builder.phi(value.type) for value in initial]
    builder.cbranch(builder.icmp_signed("<", index, count), block, done)
    builder.position_at_end(block)
    updated = body(index, carried)
    following = builder.add(index, ir.Constant(INT64, 1))
    builder.branch(header)
    index.add_incoming(ir.Constant(INT64, 0), entry)
    index.add_incoming(following, builder.block)
    for phi, before, after in zip(carried, initial, updated, strict=True):
        phi.add_incoming(before, entry)
        phi.add_incoming(after, builder.block)
    builder.position_at_end(done)
    return carried


def are_literal(*arguments: Any) -> bool:
    """Say whether numba knows the value of each of these integers while it compiles."""
    return all(isinstance(argument, types.IntegerLiteral) for argument in arguments)


def vector_intrinsic(function: Callable[..., Any]) -> Any:
    """Make a function an intrinsic: it gets the operands' types and returns what emits its code.

    Integers that are fixed where a kernel is compiled arrive as literal types.
    """
    return intrinsic(prefer_literal=True)(function)
