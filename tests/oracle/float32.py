"""float32 arithmetic on exact fractions, one rounding each: it shares no code with the engine.

A float32 value is carried by the Python float that equals it.
"""

import math
import struct
from fractions import Fraction

PRECISION = 24
LEAST_EXPONENT = -149
OVERFLOW = Fraction(2) ** 128 - Fraction(2) ** 103
"""Half a unit above the greatest float32: from here on a value rounds to infinity."""


def from_bits(bits: str) -> float:
    """Return the value of eight hex digits."""
    value: float = struct.unpack(">f", bytes.fromhex(bits))[0]
    return value


def to_bits(value: float) -> str:
    """Return eight hex digits; every NaN gives 7fc00000."""
    return "7fc00000" if math.isnan(value) else struct.pack(">f", value).hex()


def rounded(exact: Fraction, zero: float = 0.0) -> float:
    """Round a fraction to nearest even; an exact 0 gives `zero`, whose sign the caller knows."""
    if exact == 0:
        return zero
    sign, size = (-1.0, -exact) if exact < 0 else (1.0, exact)
    if size >= OVERFLOW:
        return sign * math.inf
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - PRECISION + 1, LEAST_EXPONENT)
    return sign * float(round(size / unit) * unit)


def add(a: float, b: float) -> float:
    """Return a + b, rounded once."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a + b
    return rounded(Fraction(a) + Fraction(b), a + b if a == b == 0 else 0.0)


def subtract(a: float, b: float) -> float:
    """Return a - b, rounded once."""
    return add(a, -b)


def multiply(a: float, b: float) -> float:
    """Return a * b, rounded once."""
    if not (math.isfinite(a) and math.isfinite(b)) or a == 0 or b == 0:
        return a * b
    return rounded(Fraction(a) * Fraction(b))


def divide(a: float, b: float) -> float:
    """Return a / b, rounded once."""
    sign = math.copysign(1.0, a) * math.copysign(1.0, b)
    if math.isnan(a) or math.isnan(b) or (a == 0 and b == 0) or (math.isinf(a) and math.isinf(b)):
        return math.nan
    if math.isinf(a) or b == 0:
        return sign * math.inf
    if math.isinf(b) or a == 0:
        return sign * 0.0
    return rounded(Fraction(a) / Fraction(b), sign * 0.0)


def fused(a: float, b: float, c: float) -> float:
    """Return a * b + c, rounded once."""
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c
    product = Fraction(a) * Fraction(b)
    if product == 0 and c == 0:
        return a * b + c
    return rounded(product + Fraction(c))


def from_int(value: int) -> float:
    """Return an integer as float32, rounded once."""
    return rounded(Fraction(value))


def to_integer(value: float, least: int, greatest: int) -> int:
    """Round half to even and saturate; NaN gives 0."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return greatest if value > 0 else least
    return max(least, min(greatest, round(value)))


def greater_of(a: float, b: float) -> float:
    """Return Max(a, b): NaN wins, +0 is above -0."""
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if a == b == 0:
        return 0.0 if math.copysign(1, a) > 0 or math.copysign(1, b) > 0 else -0.0
    return a if a > b else b


def lesser_of(a: float, b: float) -> float:
    """Return Min(a, b): NaN wins, -0 is below +0."""
    return -greater_of(-a, -b)


def chunked_sum(terms: list[float]) -> float:
    """Add up terms in chunks of 256, then the chunk totals, each ascending from +0."""
    total = 0.0
    for start in range(0, len(terms), 256):
        partial = 0.0
        for term in terms[start : start + 256]:
            partial = add(partial, term)
        total = add(total, partial)
    return total


def exponential(x: float) -> float:
    """Return e**x by the engine's written sequence, in scalar Python floats (one rounding each)."""
    if math.isnan(x):
        return x
    d = min(max(x, -110.0), 90.0)
    n = round(d * 1.4426950408889634)
    r = (d - n * float.fromhex("0x1.62e42feep-1")) - n * float.fromhex("0x1.a39ef35793c76p-33")
    p = 1 / math.factorial(11)
    for power in range(10, -1, -1):
        p = p * r + 1 / math.factorial(power)
    return rounded(Fraction(p) * Fraction(2) ** n)
