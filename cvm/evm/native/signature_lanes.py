"""Recovers the signers of many signatures, eight at a time; leaves to its caller what is unusual.

With R the point of abscissa r and the given parity, the key is (s * R - z * G) / r (SEC 1, 4.1.6).
A scalar u becomes digits: one that is odd is the sum of (2 * b - 2**w + 1) * 2**(w * i) over the
w-bit digits b of (u >> 1) + 2**255, and all bits inverted give -u; an even one is -(n - u). None of
these factors is zero.
"""

from cvm.evm.keccak import HASH_BYTES
from cvm.evm.native.curve_lanes import (
    DIGITS_BYTES,
    LEFT,
    POINT,
    RIGHT,
    combine_points,
    find_y,
    prime,
    read_number,
    write_number,
)
from cvm.evm.native.division import multiply_modulo
from cvm.evm.native.field_lanes import LANES, LANES_BYTES
from cvm.evm.native.keccak import keccak256
from cvm.evm.native.number_types import U, Word, int64, uint8
from cvm.evm.native.raw_memory import load_byte, load_int, store_byte, store_int
from cvm.evm.native.transaction_scan import N0, N1, N2, N3
from cvm.evm.native.word import (
    from_limb,
    from_limbs,
    limb,
    load_word,
    shift_left,
    shift_right,
    store_word,
    swap_bytes,
    word_not,
)
from cvm.native_code import inlined, kernel

COMPACT_BYTES = 64
WORD_BYTES = 32

# Where a call finds what it works on, in int64.
HASHES = 0
COMPACT = 1  # r and s
PARITIES = 2  # a byte each
SIGNERS = 3  # HASH_BYTES each: a hash that ends with the address
FOUND = 4  # a byte each
COUNT = 5
SCRATCH = 6  # keccak's, and division's
PRODUCTS = 7  # a word each, for the inverses
R_DIGITS, G_DIGITS = 8, 9  # DIGITS_BYTES each
GROUP = 10  # GROUP_BYTES, at an address that 64 divides
COMB = 11
R_PLACES, G_PLACES = 12, 20  # eight addresses
KEYS = 28  # COMPACT_BYTES: the key that is being hashed
WORK_WORDS = 29


@inlined
def order() -> Word:
    """Return the order of the curve."""
    return from_limbs(N0, N1, N2, N3)


@kernel
def is_usual(work: int, number: int) -> bool:
    """Tell whether 0 < r, s < n and the parity is 0 or 1."""
    at, zero = load_int(work, COMPACT) + number * COMPACT_BYTES, from_limb(U(0))
    r, s = swap_bytes(load_word(at, 0)), swap_bytes(load_word(at, WORD_BYTES))
    if r == zero or s == zero or not (r < order() and s < order()):
        return False
    return load_byte(load_int(work, PARITIES), number) < uint8(2)


@kernel
def usual_r(work: int, number: int) -> Word:
    """Return the r of a signature, 1 where it is not usual."""
    if not is_usual(work, number):
        return from_limb(U(1))
    return swap_bytes(load_word(load_int(work, COMPACT) + number * COMPACT_BYTES, 0))


@kernel
def inverse_of(scratch: int, value: Word) -> Word:
    """Return the inverse modulo the order: value ** (n - 2)."""
    exponent, result = order() - from_limb(U(2)), from_limb(U(1))
    for bit in range(255, -1, -1):
        result = multiply_modulo(scratch, result, result, order())
        if limb(shift_right(exponent, U(bit)), 0) & U(1):
            result = multiply_modulo(scratch, result, value, order())
    return result


@kernel
def digits_of(scalar: Word) -> Word:
    """Return the digits of a scalar below the order."""
    top = shift_left(from_limb(U(1)), U(255))
    if limb(scalar, 0) & U(1):
        return shift_right(scalar, U(1)) + top
    return word_not(shift_right(order() - scalar, U(1)) + top)


@kernel
def find_digits(work: int) -> None:
    """Write the digits of s / r and of -z / r for every signature, with one inversion for all."""
    scratch, products = load_int(work, SCRATCH), load_int(work, PRODUCTS)
    count = load_int(work, COUNT)
    before = from_limb(U(1))
    for number in range(count):
        store_word(products, number * WORD_BYTES, before)
        before = multiply_modulo(scratch, before, usual_r(work, number), order())
    inverted = inverse_of(scratch, before)
    for number in range(count - 1, -1, -1):
        others = load_word(products, number * WORD_BYTES)
        one_by_r = multiply_modulo(scratch, inverted, others, order())
        inverted = multiply_modulo(scratch, inverted, usual_r(work, number), order())
        s = load_word(load_int(work, COMPACT), number * COMPACT_BYTES + WORD_BYTES)
        z = load_word(load_int(work, HASHES), number * HASH_BYTES)
        u1 = multiply_modulo(scratch, swap_bytes(z), one_by_r, order())
        u2 = multiply_modulo(scratch, swap_bytes(s), one_by_r, order())
        minus_u1 = digits_of(u1)
        store_word(load_int(work, G_DIGITS), number * DIGITS_BYTES, word_not(minus_u1))
        store_word(load_int(work, R_DIGITS), number * DIGITS_BYTES, digits_of(u2))


@kernel
def both_sides_agree(group: int, lane: int) -> bool:
    """Tell whether a lane's point was found to be on the curve."""
    return read_number(group + LEFT, lane) == read_number(group + RIGHT, lane)


@kernel
def lift(work: int, first: int) -> int:
    """Write the points R of a group; return a bit for each lane that has one."""
    group, last = load_int(work, GROUP), load_int(work, COUNT) - 1
    for lane in range(LANES):
        number = min(first + lane, last)
        write_number(group + POINT, lane, usual_r(work, number))
        store_int(work, R_PLACES + lane, load_int(work, R_DIGITS) + number * DIGITS_BYTES)
        store_int(work, G_PLACES + lane, load_int(work, G_DIGITS) + number * DIGITS_BYTES)
    find_y(group)
    lifted = int64(0)
    for lane in range(LANES):
        number = first + lane
        if number > last or not (is_usual(work, number) and both_sides_agree(group, lane)):
            continue
        lifted |= 1 << lane
        y = read_number(group + POINT + LANES_BYTES, lane)
        if uint8(limb(y, 0) & U(1)) != load_byte(load_int(work, PARITIES), number):
            y = prime() - y
        write_number(group + POINT + LANES_BYTES, lane, y)
    return lifted


@kernel
def keep_signer(work: int, number: int, lane: int) -> None:
    """Write the hash of a lane's key, and that it was found."""
    group, key = load_int(work, GROUP), load_int(work, KEYS)
    store_word(key, 0, swap_bytes(read_number(group + POINT, lane)))
    store_word(key, WORD_BYTES, swap_bytes(read_number(group + POINT + LANES_BYTES, lane)))
    signer = keccak256(load_int(work, SCRATCH), key, int64(COMPACT_BYTES))
    store_word(load_int(work, SIGNERS), number * HASH_BYTES, signer)
    store_byte(load_int(work, FOUND), number, uint8(1))


@kernel
def recover_in_lanes(work: int) -> None:
    """Find the signers of signatures as they usually are; the others are not marked as found."""
    find_digits(work)
    group, comb = load_int(work, GROUP), load_int(work, COMB)
    for first in range(0, load_int(work, COUNT), LANES):
        lifted = lift(work, first)
        combine_points(group, work + 8 * R_PLACES, work + 8 * G_PLACES, comb)
        for lane in range(LANES):
            if lifted >> lane & 1 and both_sides_agree(group, lane):
                keep_signer(work, first + lane, lane)
