"""Keccak-256 inside the loop (FIPS 202's permutation with Ethereum's padding 0x01)."""

from cvm.evm.native.number_types import Limb, U, Word, uint8
from cvm.evm.native.raw_memory import (
    load_byte,
    load_limb,
    store_byte,
    store_limb,
    zero_bytes,
)
from cvm.evm.native.word import load_word
from cvm.native_code import inlined, kernel

RATE_BYTES = 136
STATE_BYTES = 200
ROUNDS = 24
ROUND_CONSTANTS = 32
"""Limbs into the scratch memory where `ROUND_CONSTANT_VALUES` lie, after the state."""


def round_constants() -> tuple[int, ...]:
    """Return the constants of step iota, from the linear-feedback register of FIPS 202, 3.2.5."""
    register, values = 1, []
    for _ in range(ROUNDS):
        value = 0
        for j in range(7):
            value |= (register & 1) << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        values.append(value)
    return tuple(values)


@inlined
def turned(value: Limb, bits: int) -> Limb:
    """Return a limb rotated to the left."""
    return (value << U(bits)) | (value >> U(64 - bits))


@kernel
def permute(state: int, constants: int) -> None:
    """Apply keccak-f[1600] to 25 limbs, in the names of FIPS 202: lane (x, y) is a[x + 5y]."""
    a0 = load_limb(state, 0)
    a1 = load_limb(state, 1)
    a2 = load_limb(state, 2)
    a3 = load_limb(state, 3)
    a4 = load_limb(state, 4)
    a5 = load_limb(state, 5)
    a6 = load_limb(state, 6)
    a7 = load_limb(state, 7)
    a8 = load_limb(state, 8)
    a9 = load_limb(state, 9)
    a10 = load_limb(state, 10)
    a11 = load_limb(state, 11)
    a12 = load_limb(state, 12)
    a13 = load_limb(state, 13)
    a14 = load_limb(state, 14)
    a15 = load_limb(state, 15)
    a16 = load_limb(state, 16)
    a17 = load_limb(state, 17)
    a18 = load_limb(state, 18)
    a19 = load_limb(state, 19)
    a20 = load_limb(state, 20)
    a21 = load_limb(state, 21)
    a22 = load_limb(state, 22)
    a23 = load_limb(state, 23)
    a24 = load_limb(state, 24)
    for turn in range(ROUNDS):
        c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
        c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
        c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
        c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
        c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
        d0 = c4 ^ turned(c1, 1)
        d1 = c0 ^ turned(c2, 1)
        d2 = c1 ^ turned(c3, 1)
        d3 = c2 ^ turned(c4, 1)
        d4 = c3 ^ turned(c0, 1)
        b0 = a0 ^ d0
        b16 = turned(a5 ^ d0, 36)
        b7 = turned(a10 ^ d0, 3)
        b23 = turned(a15 ^ d0, 41)
        b14 = turned(a20 ^ d0, 18)
        b10 = turned(a1 ^ d1, 1)
        b1 = turned(a6 ^ d1, 44)
        b17 = turned(a11 ^ d1, 10)
        b8 = turned(a16 ^ d1, 45)
        b24 = turned(a21 ^ d1, 2)
        b20 = turned(a2 ^ d2, 62)
        b11 = turned(a7 ^ d2, 6)
        b2 = turned(a12 ^ d2, 43)
        b18 = turned(a17 ^ d2, 15)
        b9 = turned(a22 ^ d2, 61)
        b5 = turned(a3 ^ d3, 28)
        b21 = turned(a8 ^ d3, 55)
        b12 = turned(a13 ^ d3, 25)
        b3 = turned(a18 ^ d3, 21)
        b19 = turned(a23 ^ d3, 56)
        b15 = turned(a4 ^ d4, 27)
        b6 = turned(a9 ^ d4, 20)
        b22 = turned(a14 ^ d4, 39)
        b13 = turned(a19 ^ d4, 8)
        b4 = turned(a24 ^ d4, 14)
        a0 = b0 ^ (~b1 & b2) ^ load_limb(constants, turn)
        a1 = b1 ^ (~b2 & b3)
        a2 = b2 ^ (~b3 & b4)
        a3 = b3 ^ (~b4 & b0)
        a4 = b4 ^ (~b0 & b1)
        a5 = b5 ^ (~b6 & b7)
        a6 = b6 ^ (~b7 & b8)
        a7 = b7 ^ (~b8 & b9)
        a8 = b8 ^ (~b9 & b5)
        a9 = b9 ^ (~b5 & b6)
        a10 = b10 ^ (~b11 & b12)
        a11 = b11 ^ (~b12 & b13)
        a12 = b12 ^ (~b13 & b14)
        a13 = b13 ^ (~b14 & b10)
        a14 = b14 ^ (~b10 & b11)
        a15 = b15 ^ (~b16 & b17)
        a16 = b16 ^ (~b17 & b18)
        a17 = b17 ^ (~b18 & b19)
        a18 = b18 ^ (~b19 & b15)
        a19 = b19 ^ (~b15 & b16)
        a20 = b20 ^ (~b21 & b22)
        a21 = b21 ^ (~b22 & b23)
        a22 = b22 ^ (~b23 & b24)
        a23 = b23 ^ (~b24 & b20)
        a24 = b24 ^ (~b20 & b21)
    store_limb(state, 0, a0)
    store_limb(state, 1, a1)
    store_limb(state, 2, a2)
    store_limb(state, 3, a3)
    store_limb(state, 4, a4)
    store_limb(state, 5, a5)
    store_limb(state, 6, a6)
    store_limb(state, 7, a7)
    store_limb(state, 8, a8)
    store_limb(state, 9, a9)
    store_limb(state, 10, a10)
    store_limb(state, 11, a11)
    store_limb(state, 12, a12)
    store_limb(state, 13, a13)
    store_limb(state, 14, a14)
    store_limb(state, 15, a15)
    store_limb(state, 16, a16)
    store_limb(state, 17, a17)
    store_limb(state, 18, a18)
    store_limb(state, 19, a19)
    store_limb(state, 20, a20)
    store_limb(state, 21, a21)
    store_limb(state, 22, a22)
    store_limb(state, 23, a23)
    store_limb(state, 24, a24)


@kernel
def keccak256(scratch: int, start: int, size: int) -> Word:
    """Return the hash of bytes at an address, big-endian as in memory."""
    constants = scratch + 8 * ROUND_CONSTANTS
    zero_bytes(scratch, STATE_BYTES)
    while size >= RATE_BYTES:
        for i in range(RATE_BYTES // 8):
            store_limb(scratch, i, load_limb(scratch, i) ^ load_limb(start, i))
        permute(scratch, constants)
        start += RATE_BYTES
        size -= RATE_BYTES
    for i in range(size >> 3):
        store_limb(scratch, i, load_limb(scratch, i) ^ load_limb(start, i))
    for i in range(size & ~7, size):
        store_byte(scratch, i, load_byte(scratch, i) ^ load_byte(start, i))
    store_byte(scratch, size, load_byte(scratch, size) ^ uint8(1))
    last = RATE_BYTES - 1
    store_byte(scratch, last, load_byte(scratch, last) ^ uint8(0x80))
    permute(scratch, constants)
    return load_word(scratch, 0)
