"""Sin, Cos and Tan: a loop that makes whole vectors, then the few great arguments one by one."""

import numpy as np

from cvm.inference.backends.cpu.scalar_operations import float_bits
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import MAGIC, bits_of_double, polynomial
from cvm.inference.exact.trigonometric import (
    COS_COEFFICIENTS,
    HALF_PI_HIGH,
    HALF_PI_LOW,
    HALF_PI_MIDDLE,
    HALF_PI_UNIT,
    LARGEST_SMALL,
    SIN_COEFFICIENTS,
    TWO_OVER_PI,
    WORD_UNIT,
    WORDS,
)
from cvm.inference.tensor_type import Array
from cvm.native_code import inlined, kernel

INFINITY = np.inf
NAN = np.float32(np.nan)
WORD_TABLE = np.array(WORDS, np.int64)
WORD_MASK = 0xFFFF_FFFF
BLOCK = 256
"""Elements that are searched for great arguments at once."""

HALF_TURN = 1 << 61
WHOLE_TURN = 1 << 62

sin_series = polynomial(SIN_COEFFICIENTS)
cos_series = polynomial(COS_COEFFICIENTS)


@inlined
def word(start: np.int64, index: int) -> np.int64:
    """Return 32 bits of `WORDS`, `index` words after the bit `start`."""
    place, shift = (start >> 5) + index, start & 31
    joined: np.int64 = (WORD_TABLE[place] << shift) | (WORD_TABLE[place + 1] >> (32 - shift))
    return joined & WORD_MASK


@kernel
def quadrant_of_large(x: np.float32) -> tuple[np.int64, np.float64]:
    """Equal `exact.trigonometric.quadrant_of_large`."""
    bits = np.int64(float_bits(x))
    m = (bits & 0x007F_FFFF) | 0x0080_0000
    start = ((bits >> 23) & 0xFF) - 120
    p2 = m * word(start, 2)
    p1 = m * word(start, 1) + (p2 >> 32)
    p0 = m * word(start, 0) + (p1 >> 32)
    h0, h1, h2 = p0 & WORD_MASK, p1 & WORD_MASK, p2 & WORD_MASK
    n = h0 >> 30
    f = ((h0 & 0x3FFF_FFFF) << 32) | h1
    if f >= HALF_TURN:
        n += 1
        f -= WHOLE_TURN
    r = (np.float64(f) + np.float64(h2) * WORD_UNIT) * HALF_PI_UNIT
    return (-n, -r) if bits < 0 else (n, r)


@inlined
def quadrant_of_small(d: float) -> tuple[int, float]:
    """Equal `exact.trigonometric.quadrant` for |d| up to LARGEST_SMALL."""
    shifted = d * TWO_OVER_PI + MAGIC
    turns = shifted - MAGIC
    r = ((d - turns * HALF_PI_HIGH) - turns * HALF_PI_MIDDLE) - turns * HALF_PI_LOW
    return bits_of_double(shifted) & 3, r


@inlined
def turned(n: np.int64 | int, r: float) -> np.float32:
    """Return sin(n * pi/2 + r)."""
    sine, cosine = r * sin_series(r * r), cos_series(r * r)
    value = sine if (n & 1) == 0 else cosine
    return np.float32(value if (n & 2) == 0 else -value)


@inlined
def slope(n: np.int64 | int, r: float) -> np.float32:
    """Return tan(n * pi/2 + r)."""
    sine, cosine = r * sin_series(r * r), cos_series(r * r)
    is_even = (n & 1) == 0
    return np.float32((sine if is_even else -cosine) / (cosine if is_even else sine))


@inlined
def is_small(d: float) -> bool:
    """Say whether |d| is at most LARGEST_SMALL; NaN is not."""
    return (d <= LARGEST_SMALL) & (d >= -LARGEST_SMALL)


@inlined
def is_finite(d: float) -> bool:
    """Say whether d is neither NaN nor infinite."""
    return (d < INFINITY) & (d > -INFINITY)


@inlined
def is_large(d: float) -> bool:
    """Say whether d is finite and beyond LARGEST_SMALL."""
    return is_finite(d) & (not is_small(d))


@inlined
def holds_large(x: Array, start: int, stop: int) -> bool:
    """Say whether an element is finite and beyond LARGEST_SMALL; a loop without branches."""
    found = False
    for i in range(start, stop):
        found |= is_large(np.float64(x[i]))
    return found


@kernel
def sin_or_cos(x: Array, quarters: int, y: Array) -> None:
    """Equal `sin32` (no quarters) or `cos32` (one quarter)."""
    keeps_zero = quarters == 0
    for i in range(len(x)):
        d = np.float64(x[i])
        n_small, r_small = quadrant_of_small(d)
        value = turned(n_small + quarters, r_small)
        value = value if is_finite(d) else NAN
        y[i] = x[i] if (d == 0.0) & keeps_zero else value
    for start in range(0, len(x), BLOCK):
        stop = start + BLOCK if start + BLOCK < len(x) else len(x)
        if holds_large(x, start, stop):
            for i in range(start, stop):
                if is_large(np.float64(x[i])):
                    n, r = quadrant_of_large(x[i])
                    y[i] = turned(n + quarters, r)


@kernel
def tan(x: Array, y: Array) -> None:
    """Equal `tan32`."""
    for i in range(len(x)):
        d = np.float64(x[i])
        n_small, r_small = quadrant_of_small(d)
        value = slope(n_small, r_small)
        value = value if is_finite(d) else NAN
        y[i] = x[i] if d == 0.0 else value
    for start in range(0, len(x), BLOCK):
        stop = start + BLOCK if start + BLOCK < len(x) else len(x)
        if holds_large(x, start, stop):
            for i in range(start, stop):
                if is_large(np.float64(x[i])):
                    n, r = quadrant_of_large(x[i])
                    y[i] = slope(n, r)


def build_sin(builder: StepBuilder) -> None:
    """Plan a Sin."""
    builder.add(sin_or_cos, flat(builder.operand(0)), 0, flat(builder.results[0]))


def build_cos(builder: StepBuilder) -> None:
    """Plan a Cos."""
    builder.add(sin_or_cos, flat(builder.operand(0)), 1, flat(builder.results[0]))


def build_tan(builder: StepBuilder) -> None:
    """Plan a Tan."""
    builder.add(tan, flat(builder.operand(0)), flat(builder.results[0]))
