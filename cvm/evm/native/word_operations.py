"""Operations on words that are more than one instruction of LLVM."""

from cvm.evm.native.division import (
    divide,
)
from cvm.evm.native.number_types import (
    U,
    Word,
    int64,
)
from cvm.evm.native.word import (
    from_limb,
    leading_zeros,
    limb,
    shift_left,
    shift_right,
    shift_right_signed,
    word_not,
)
from cvm.native_code import (
    inlined,
    kernel,
)


@inlined
def truth(value: bool) -> Word:
    """Return 1 or 0 as a word."""
    return from_limb(U(1) if value else U(0))


@inlined
def is_zero(value: Word) -> bool:
    """Tell whether a word is zero."""
    return value == from_limb(U(0))


@inlined
def is_negative(value: Word) -> bool:
    """Tell whether the top bit is set."""
    return (limb(value, 3) >> U(63)) != U(0)


@inlined
def negated(value: Word) -> Word:
    """Return the two's complement."""
    return word_not(value) + from_limb(U(1))


@kernel
def signed_quotient(scratch: int, a: Word, b: Word) -> Word:
    """Return a / b rounded towards zero (SDIV); -2**255 / -1 wraps around."""
    negative = is_negative(a) != is_negative(b)
    x = negated(a) if is_negative(a) else a
    y = negated(b) if is_negative(b) else b
    quotient = divide(scratch, x, y)[0]
    return negated(quotient) if negative else quotient


@kernel
def signed_remainder(scratch: int, a: Word, b: Word) -> Word:
    """Return the remainder with the sign of a (SMOD)."""
    x = negated(a) if is_negative(a) else a
    y = negated(b) if is_negative(b) else b
    rest = divide(scratch, x, y)[1]
    return negated(rest) if is_negative(a) else rest


@kernel
def power(base: Word, exponent: Word) -> Word:
    """Return base ** exponent mod 2**256 (EXP)."""
    result = from_limb(U(1))
    for i in range(256 - int64(leading_zeros(exponent))):
        if limb(shift_right(exponent, U(i)), 0) & U(1):
            result = result * base
        base = base * base
    return result


@kernel
def sign_extended(index: Word, value: Word) -> Word:
    """Return a value of index + 1 bytes with its sign (SIGNEXTEND)."""
    if not index < from_limb(U(31)):
        return value
    bits = U(248) - U(8) * limb(index, 0)
    return shift_right_signed(shift_left(value, bits), bits)


@kernel
def shifted(opcode: int, count: Word, value: Word) -> Word:
    """SHL, SHR or SAR (EIP-145)."""
    fits = count < from_limb(U(256))
    bits = limb(count, 0) & U(255)
    if opcode == 0x1B:
        return shift_left(value, bits) if fits else from_limb(U(0))
    if opcode == 0x1C:
        return shift_right(value, bits) if fits else from_limb(U(0))
    return shift_right_signed(value, bits if fits else U(255))
