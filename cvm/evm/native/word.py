"""`Word`: a 256-bit integer as numba sees it, one LLVM integer that wraps around.

Words live on the stack of the machine as four little-endian uint64 limbs. Comparisons are unsigned
unless the name says otherwise. Division is in `division`: LLVM has none of this width.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, overload, register_model

from cvm.native_code import emitted

WORD_BITS = 256
LIMB_BITS = 64
I64, I256 = ir.IntType(64), ir.IntType(256)


class WordType(types.Type):
    """The numba type of a 256-bit integer."""

    def __init__(self) -> None:
        super().__init__(name="Word")


word = WordType()


@register_model(WordType)
class _WordModel(models.PrimitiveModel):
    """A word is one LLVM integer."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, I256)  # type: ignore[no-untyped-call]


def _binary(result: Any, emit: Callable[..., Any]) -> Any:
    """Return an intrinsic of two words."""

    @emitted
    def operation(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return emit(builder, *arguments)

        return result(word, word), generate

    return operation


word_add = _binary(word, lambda builder, a, b: builder.add(a, b))
word_sub = _binary(word, lambda builder, a, b: builder.sub(a, b))
word_mul = _binary(word, lambda builder, a, b: builder.mul(a, b))
word_and = _binary(word, lambda builder, a, b: builder.and_(a, b))
word_or = _binary(word, lambda builder, a, b: builder.or_(a, b))
word_xor = _binary(word, lambda builder, a, b: builder.xor(a, b))
word_unequal = _binary(types.boolean, lambda builder, a, b: builder.icmp_unsigned("!=", a, b))
word_equal = _binary(types.boolean, lambda builder, a, b: builder.icmp_unsigned("==", a, b))
word_less = _binary(types.boolean, lambda builder, a, b: builder.icmp_unsigned("<", a, b))
word_less_signed = _binary(types.boolean, lambda builder, a, b: builder.icmp_signed("<", a, b))


def _shift(emit: Callable[..., Any]) -> Any:
    """Return an intrinsic that shifts a word by 0 to 255 bits."""

    @emitted
    def operation(_typing: Any, a: Any, count: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            value, bits = arguments
            return emit(builder, value, builder.zext(bits, I256))

        return word(word, types.uint64), generate

    return operation


shift_left = _shift(lambda builder, a, bits: builder.shl(a, bits))
shift_right = _shift(lambda builder, a, bits: builder.lshr(a, bits))
shift_right_signed = _shift(lambda builder, a, bits: builder.ashr(a, bits))


@emitted
def from_limb(_typing: Any, limb: Any) -> Any:
    """Return the word of an unsigned 64-bit integer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.zext(arguments[0], I256)

    return word(types.uint64), generate


@emitted
def limb(_typing: Any, a: Any, index: Any) -> Any:
    """Return limb 0 (lowest) to 3."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = builder.mul(arguments[1], ir.Constant(I64, LIMB_BITS))
        return builder.trunc(builder.lshr(arguments[0], builder.zext(bits, I256)), I64)

    return types.uint64(word, types.int64), generate


@emitted
def from_limbs(_typing: Any, a0: Any, a1: Any, a2: Any, a3: Any) -> Any:
    """Return the word of four limbs, lowest first."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        value = ir.Constant(I256, 0)
        for at, part in enumerate(arguments):
            wide = builder.zext(part, I256)
            value = builder.or_(value, builder.shl(wide, ir.Constant(I256, at * LIMB_BITS)))
        return value

    return word(types.uint64, types.uint64, types.uint64, types.uint64), generate


@emitted
def multiply_high(_typing: Any, a: Any, b: Any) -> Any:
    """Return the upper limb of the product of two limbs."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(2 * LIMB_BITS)
        product = builder.mul(*(builder.zext(part, wide) for part in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, LIMB_BITS)), I64)

    return types.uint64(types.uint64, types.uint64), generate


@emitted
def store_wide_product(_typing: Any, address: Any, a: Any, b: Any) -> Any:
    """Write the whole product of two words, eight limbs, lowest first."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(2 * WORD_BITS)
        product = builder.mul(*(builder.zext(part, wide) for part in arguments[1:]))
        builder.store(product, builder.inttoptr(arguments[0], wide.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, word, word), generate


@emitted
def word_not(_typing: Any, a: Any) -> Any:
    """Return the complement."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.not_(arguments[0])

    return word(word), generate


@emitted
def swap_bytes(_typing: Any, a: Any) -> Any:
    """Return the bytes in the opposite order: memory and code are big-endian."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return word(word), generate


@emitted
def leading_zeros(_typing: Any, a: Any) -> Any:
    """Return how many leading bits are zero, 256 for zero (EIP-7939)."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        count = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.trunc(count, I64)

    return types.uint64(word), generate


def _pointer(builder: Any, address: Any, offset: Any) -> Any:
    """Return a pointer to a word `offset` bytes after an address."""
    return builder.inttoptr(builder.add(address, offset), I256.as_pointer())


@emitted
def load_word(_typing: Any, address: Any, offset: Any) -> Any:
    """Read a little-endian word at address + offset in bytes, aligned or not."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(builder, *arguments), align=1)

    return word(types.int64, types.int64), generate


@emitted
def store_word(_typing: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write a little-endian word at address + offset in bytes, aligned or not."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(builder, *arguments[:2]), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, word), generate


def _operator(symbol: Callable[..., Any], implementation: Any) -> None:
    """Give words an operator of Python."""

    @overload(symbol, inline="always")
    def _overloaded(a, b):  # type: ignore[no-untyped-def]  # numba compares the signatures
        if isinstance(a, WordType) and isinstance(b, WordType):
            return lambda a, b: implementation(a, b)
        return None


for _symbol, _implementation in (
    (operator.add, word_add),
    (operator.sub, word_sub),
    (operator.mul, word_mul),
    (operator.and_, word_and),
    (operator.or_, word_or),
    (operator.xor, word_xor),
    (operator.eq, word_equal),
    (operator.ne, word_unequal),
    (operator.lt, word_less),
):
    _operator(_symbol, _implementation)
