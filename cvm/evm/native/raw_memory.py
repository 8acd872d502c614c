"""Reads and writes at raw addresses: the machine's buffers are NumPy arrays that the host keeps.

An address is an int64. Nothing here checks a bound: the caller has, where bytecode could decide.
"""

from typing import Any

from llvmlite import ir
from numba import types

from cvm.native_code import emitted

I8, I64 = ir.IntType(8), ir.IntType(64)
LIMB_BYTES = 8


def _place(builder: Any, place: Any, width: int, kind: Any) -> Any:
    """Return a pointer to element `index` of elements of `width` bytes at an address."""
    address, index = place
    offset = builder.mul(index, ir.Constant(I64, width))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _load(width: int, kind: Any, result: Any) -> Any:
    """Return an intrinsic (address, index) -> element."""

    @emitted
    def operation(_typing: Any, address: Any, index: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.load(_place(builder, arguments, width, kind), align=1)

        return result(types.int64, types.int64), generate

    return operation


def _store(width: int, kind: Any, value_type: Any) -> Any:
    """Return an intrinsic (address, index, value) -> None."""

    @emitted
    def operation(_typing: Any, address: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            place = _place(builder, arguments[:2], width, kind)
            builder.store(arguments[2], place, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, value_type), generate

    return operation


load_int = _load(LIMB_BYTES, I64, types.int64)
load_limb = _load(LIMB_BYTES, I64, types.uint64)
load_byte = _load(1, I8, types.uint8)
store_int = _store(LIMB_BYTES, I64, types.int64)
store_limb = _store(LIMB_BYTES, I64, types.uint64)
store_byte = _store(1, I8, types.uint8)


@emitted
def move_bytes(_typing: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy bytes between addresses; the ranges may overlap."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to, start, count = arguments
        pointer = I8.as_pointer()
        kinds = [pointer, pointer, I64]
        function = builder.module.declare_intrinsic("llvm.memmove", kinds)
        volatile = ir.Constant(ir.IntType(1), 0)
        places = [builder.inttoptr(to, pointer), builder.inttoptr(start, pointer)]
        builder.call(function, [*places, count, volatile])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@emitted
def zero_bytes(_typing: Any, target: Any, size: Any) -> Any:
    """Write zeros."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to, count = arguments
        pointer = I8.as_pointer()
        function = builder.module.declare_intrinsic("llvm.memset", [pointer, I64])
        volatile = ir.Constant(ir.IntType(1), 0)
        place = builder.inttoptr(to, pointer)
        builder.call(function, [place, ir.Constant(I8, 0), count, volatile])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
