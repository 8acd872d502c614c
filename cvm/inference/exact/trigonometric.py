"""sin, cos and tan for float32, each one fixed sequence of float64 and integer operations."""

from math import factorial

import numpy as np

from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

LARGEST_SMALL = 32768.0
"""Up to it, three parts of pi/2 are taken off; above it, the argument meets the bits of 2/pi."""

TWO_OVER_PI = float.fromhex("0x1.45f306dc9c883p-1")
HALF_PI_HIGH = float.fromhex("0x1.921fb54440000p+0")
"""The first 35 bits of pi/2: n * HALF_PI_HIGH is exact for |n| < 2**18."""

HALF_PI_MIDDLE = float.fromhex("0x1.68c234c400000p-39")
"""The next 31 bits that are not zero."""

HALF_PI_LOW = float.fromhex("0x1.8cc51701b839ap-72")
"""pi/2 - HALF_PI_HIGH - HALF_PI_MIDDLE, rounded to float64."""

HALF_PI_UNIT = float.fromhex("0x1.921fb54442d18p-62")
"""pi/2 * 2**-62, rounded to float64: a 62-bit fraction of a quarter turn becomes an angle."""

WORDS = (
    *(0x0000_0000, 0xA2F9_836E, 0x4E44_1529, 0xFC27_57D1, 0xF534_DDC0, 0xDB62_9599),
    *(0x3C43_9041, 0xFE51_63AB),
)
"""A word of zeros, then the first 224 bits of 2/pi after the binary point."""

SIN_COEFFICIENTS = tuple((1 - power % 4 // 2 * 2) / factorial(power) for power in range(15, 0, -2))
"""-1/15!, 1/13! ... -1/3!, 1/1!, each rounded to float64: the series of sin(r) / r in r * r."""

COS_COEFFICIENTS = tuple((1 - power % 4 // 2 * 2) / factorial(power) for power in range(14, -1, -2))
"""-1/14!, 1/12! ... -1/2!, 1/0!, each rounded to float64: the series of cos(r) in r * r."""

WORD_UNIT = float.fromhex("0x1p-32")

_TABLE = np.array(WORDS, np.int64)
_WORD_MASK = 0xFFFF_FFFF
_SIGNIFICAND_MASK = 0x007F_FFFF
_FRACTION_BITS = 30


def quadrant(x: Array) -> tuple[Array, Array]:
    """Return (n, r) with x = n * pi/2 + r and |r| at most about pi/4, for finite float32 x.

    n is int64, exact modulo 4; r is float64, within 2**-50 of the value. For |x| up to
    LARGEST_SMALL, every step being one float64 operation:

    1. n = rint(x * TWO_OVER_PI)
    2. r = ((x - n * HALF_PI_HIGH) - n * HALF_PI_MIDDLE) - n * HALF_PI_LOW

    For a larger |x|, see `quadrant_of_large`.
    """
    d = x.astype(np.float64)
    is_large = np.abs(d) > LARGEST_SMALL
    small = np.where(is_large, 0.0, d)
    turns = np.rint(small * TWO_OVER_PI)
    r = ((small - turns * HALF_PI_HIGH) - turns * HALF_PI_MIDDLE) - turns * HALF_PI_LOW
    n = turns.astype(np.int64)
    if is_large.any():
        large_n, large_r = quadrant_of_large(np.where(is_large, x, np.float32(65536)))
        n, r = np.where(is_large, large_n, n), np.where(is_large, large_r, r)
    return np.asarray(n), np.asarray(r)


def quadrant_of_large(x: Array) -> tuple[Array, Array]:
    """Return `quadrant` for float32 x of magnitude 2**15 to below 2**128.

    After M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM
    Newsletter 18(1), 1983. |x| is m * 2**e with a 24-bit integer m. Only 96 bits of 2/pi
    count: those above them make whole turns, those below them less than 2**-70 of a quarter.

    1. w0, w1, w2 = those bits as words of 32; bit 31 of w0 has weight 2 in m * 2**e * 2/pi
    2. their product with m, modulo 2**96, as words h0, h1, h2
    3. n = h0 >> 30, f = (h0 mod 2**30) * 2**32 + h1; if f >= 2**61, then n + 1 and f - 2**62
    4. r = (float64(f) + float64(h2) * WORD_UNIT) * HALF_PI_UNIT
    5. for x below zero n and r are negated
    """
    bits = x.view(np.int32).astype(np.int64)
    m = (bits & _SIGNIFICAND_MASK) | (_SIGNIFICAND_MASK + 1)
    start = ((bits >> 23) & 0xFF) - 150 + 30  # the first bit that counts, in `WORDS`
    index, shift = start >> 5, start & 31
    parts = [_TABLE[index + offset] for offset in range(4)]
    w0, w1, w2 = (
        ((parts[i] << shift) | (parts[i + 1] >> (32 - shift))) & _WORD_MASK for i in range(3)
    )
    p2 = m * w2
    p1 = m * w1 + (p2 >> 32)
    p0 = m * w0 + (p1 >> 32)
    h0, h1, h2 = p0 & _WORD_MASK, p1 & _WORD_MASK, p2 & _WORD_MASK
    n = h0 >> _FRACTION_BITS
    f = ((h0 & ((1 << _FRACTION_BITS) - 1)) << 32) | h1
    rounds_up = f >= 1 << 61
    n = np.where(rounds_up, n + 1, n)
    f = np.where(rounds_up, f - (1 << 62), f)
    r = (f.astype(np.float64) + h2.astype(np.float64) * WORD_UNIT) * HALF_PI_UNIT
    return np.where(bits < 0, -n, n), np.where(bits < 0, -r, r)


def sin64(r: Array) -> Array:
    """Return sin r for float64 |r| up to pi/4: r * p, p by SIN_COEFFICIENTS in r * r."""
    return np.asarray(r * horner(SIN_COEFFICIENTS, r * r))


def cos64(r: Array) -> Array:
    """Return cos r for float64 |r| up to pi/4: p by COS_COEFFICIENTS in r * r."""
    return horner(COS_COEFFICIENTS, r * r)


def sin32(x: Array) -> Array:
    """Return sin x elementwise for a float32 array, within 0.5000001 units in the last place.

    With (n, r) = quadrant(x), n modulo 4: 0 sin64(r), 1 cos64(r), 2 -sin64(r), 3 -cos64(r);
    rounded once to float32. NaN and +-inf give NaN, +-0 give +-0.
    """
    return np.where(x == 0, x, _turned(x, 0))


def cos32(x: Array) -> Array:
    """Return cos x elementwise for a float32 array, within 0.5000001 units in the last place.

    With (n, r) = quadrant(x), n modulo 4: 0 cos64(r), 1 -sin64(r), 2 -cos64(r), 3 sin64(r);
    rounded once to float32. NaN and +-inf give NaN.
    """
    return _turned(x, 1)


def tan32(x: Array) -> Array:
    """Return tan x elementwise for a float32 array, within 0.5000001 units in the last place.

    With (n, r) = quadrant(x): sin64(r) / cos64(r) for even n, -cos64(r) / sin64(r) for odd n;
    rounded once to float32. NaN and +-inf give NaN, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        n, r = quadrant(np.where(np.isfinite(x), x, np.float32(0)))
        sine, cosine = sin64(r), cos64(r)
        result = np.where((n & 1) == 0, sine / cosine, -cosine / sine).astype(np.float32)
    result = np.where(np.isfinite(x), result, CANONICAL_NAN)
    return np.where(x == 0, x, result)


def _turned(x: Array, quarters: int) -> Array:
    """Return sin(x + quarters * pi/2)."""
    with np.errstate(all="ignore"):
        n, r = quadrant(np.where(np.isfinite(x), x, np.float32(0)))
        n = n + quarters
        value = np.where((n & 1) == 0, sin64(r), cos64(r))
        result = np.where((n & 2) == 0, value, -value).astype(np.float32)
    return np.where(np.isfinite(x), result, CANONICAL_NAN)
