"""Division of words: Knuth's algorithm D (TAOCP 2, 4.3.1) on 64-bit limbs."""

from cvm.evm.native.number_types import Limb, U, Word, int64
from cvm.evm.native.raw_memory import load_limb, store_limb
from cvm.evm.native.word import (
    from_limb,
    leading_zeros,
    limb,
    load_word,
    shift_left,
    shift_right,
    store_wide_product,
    store_word,
)
from cvm.evm.native.word import multiply_high as high
from cvm.native_code import inlined, kernel

ZERO, ONE, HALF, LOW = U(0), U(1), U(32), U(0xFFFFFFFF)

# Places in the scratch memory, as limbs.
DIVIDEND = 0  # nine
DIVISOR = 9  # four
QUOTIENT = 13  # five


@inlined
def divide_two_limbs(high_limb: Limb, low_limb: Limb, divisor: Limb) -> tuple[Limb, Limb]:
    """Return quotient and remainder of two limbs by one whose top bit is set; no overflow.

    Hacker's Delight, 2nd edition, figure 9-3: two digits of 32 bits.
    """
    d1, d0 = divisor >> HALF, divisor & LOW
    n1, n0 = low_limb >> HALF, low_limb & LOW
    q1 = high_limb // d1
    rest = high_limb - q1 * d1
    while q1 > LOW or q1 * d0 > ((rest << HALF) | n1):
        q1 -= ONE
        rest += d1
        if rest > LOW:
            break
    middle = ((high_limb << HALF) | n1) - q1 * divisor
    q0 = middle // d1
    rest = middle - q0 * d1
    while q0 > LOW or q0 * d0 > ((rest << HALF) | n0):
        q0 -= ONE
        rest += d1
        if rest > LOW:
            break
    return (q1 << HALF) | q0, ((middle << HALF) | n0) - q0 * divisor


@kernel
def divide_limbs(scratch: int, size: int, divisor_size: int) -> None:
    """Divide `size` limbs at DIVIDEND, a zero limb above them, by those at DIVISOR.

    The divisor is normalised: its top bit is set. Leaves the quotient and, at DIVIDEND, the
    remainder.
    """
    top = load_limb(scratch, DIVISOR + divisor_size - 1)
    for j in range(size - divisor_size, -1, -1):
        at = DIVIDEND + j + divisor_size
        digit = _estimate(scratch, at, divisor_size, top)
        borrow = _subtract(scratch, DIVIDEND + j, divisor_size, digit)
        if borrow:
            digit -= ONE
            _add_back(scratch, DIVIDEND + j, divisor_size)
        store_limb(scratch, QUOTIENT + j, digit)


@inlined
def _estimate(scratch: int, at: int, divisor_size: int, top: Limb) -> Limb:
    """Return a digit that is right or one too large."""
    u2, u1 = load_limb(scratch, at), load_limb(scratch, at - 1)
    if u2 >= top:
        return ~ZERO
    digit, rest = divide_two_limbs(u2, u1, top)
    if divisor_size > 1:
        second, u0 = load_limb(scratch, DIVISOR + divisor_size - 2), load_limb(scratch, at - 2)
        while True:
            upper, lower = high(digit, second), digit * second
            if upper < rest or (upper == rest and lower <= u0):
                break
            digit -= ONE
            rest += top
            if rest < top:
                break
    return digit


@inlined
def _subtract(scratch: int, start: int, divisor_size: int, digit: Limb) -> bool:
    """Subtract digit * divisor from the dividend; tell whether it was too much."""
    carry = borrow = ZERO
    for i in range(divisor_size):
        d = load_limb(scratch, DIVISOR + i)
        lower = digit * d + carry
        carry = high(digit, d) + (ONE if lower < carry else ZERO)
        u = load_limb(scratch, start + i)
        first = u - lower
        second = first - borrow
        borrow = (ONE if u < lower else ZERO) + (ONE if first < borrow else ZERO)
        store_limb(scratch, start + i, second)
    u = load_limb(scratch, start + divisor_size)
    first = u - carry
    second = first - borrow
    store_limb(scratch, start + divisor_size, second)
    return u < carry or first < borrow


@inlined
def _add_back(scratch: int, start: int, divisor_size: int) -> None:
    """Add the divisor to the dividend once."""
    carry = ZERO
    for i in range(divisor_size):
        u, d = load_limb(scratch, start + i), load_limb(scratch, DIVISOR + i)
        first = u + d
        second = first + carry
        carry = (ONE if first < u else ZERO) + (ONE if second < first else ZERO)
        store_limb(scratch, start + i, second)
    at = start + divisor_size
    store_limb(scratch, at, load_limb(scratch, at) + carry)


@inlined
def limbs_of(a: Word) -> int:
    """Return how many limbs a word needs."""
    return (319 - int64(leading_zeros(a))) >> 6


@kernel
def shift_dividend(scratch: int, size: int, bits: Limb) -> None:
    """Shift `size` limbs at DIVIDEND to the left into one more, by fewer than 64 bits."""
    store_limb(scratch, DIVIDEND + size, ZERO)
    if bits:
        for i in range(size, 0, -1):
            above, below = load_limb(scratch, DIVIDEND + i), load_limb(scratch, DIVIDEND + i - 1)
            store_limb(scratch, DIVIDEND + i, (above << bits) | (below >> (U(64) - bits)))
        store_limb(scratch, DIVIDEND, load_limb(scratch, DIVIDEND) << bits)


@kernel
def divide(scratch: int, a: Word, b: Word) -> tuple[Word, Word]:
    """Return quotient and remainder of words; of zero and zero where the divisor is zero."""
    zero = from_limb(ZERO)
    if b == zero:
        return zero, zero
    if a < b:
        return zero, a
    divisor_size, size = limbs_of(b), limbs_of(a)
    if size == 1:
        x, y = limb(a, 0), limb(b, 0)
        return from_limb(x // y), from_limb(x % y)
    store_word(scratch, DIVIDEND * 8, a)
    return _divided(scratch, b, size, divisor_size)


@kernel
def _divided(scratch: int, b: Word, size: int, divisor_size: int) -> tuple[Word, Word]:
    """Divide the `size` limbs at DIVIDEND by a word; the quotient's low 256 bits."""
    bits = leading_zeros(b) & U(63)
    shift_dividend(scratch, size, bits)
    store_word(scratch, DIVISOR * 8, shift_left(b, bits))
    store_word(scratch, QUOTIENT * 8, from_limb(ZERO))
    for i in range(size + 1, divisor_size + 1):
        store_limb(scratch, DIVIDEND + i, ZERO)
    divide_limbs(scratch, size, divisor_size)
    for i in range(divisor_size, 4):
        store_limb(scratch, DIVIDEND + i, ZERO)
    rest = shift_right(load_word(scratch, DIVIDEND * 8), bits)
    return load_word(scratch, QUOTIENT * 8), rest


@kernel
def add_modulo(scratch: int, a: Word, b: Word, n: Word) -> Word:
    """Return (a + b) mod n of unbounded integers, 0 for n = 0."""
    if n == from_limb(ZERO):
        return n
    total = a + b
    if not total < a:
        return divide(scratch, total, n)[1]
    store_word(scratch, DIVIDEND * 8, total)
    store_limb(scratch, DIVIDEND + 4, ONE)
    return _divided(scratch, n, 5, limbs_of(n))[1]


@kernel
def multiply_modulo(scratch: int, a: Word, b: Word, n: Word) -> Word:
    """Return (a * b) mod n of unbounded integers, 0 for n = 0."""
    if n == from_limb(ZERO):
        return n
    store_wide_product(scratch, a, b)
    size = limbs_of(a) + limbs_of(b)
    if size <= 4:
        return divide(scratch, load_word(scratch, 0), n)[1]
    return _divided(scratch, n, size, limbs_of(n))[1]
