"""0x06: addition on BN254 (EIP-196), at EIP-1108's price."""

from gmpy2 import invert, mpz

from cvm.evm.precompiles.bn254_field import P
from cvm.evm.precompiles.precompile import Precompile, constant_gas

GAS = 150
INPUT_BYTES = 128
MODULUS = mpz(P)

Point = tuple[mpz, mpz] | None
"""Affine coordinates; None is infinity, which the bytes give as (0, 0)."""


class NotOnCurve(Exception):
    """The bytes are no point of the curve."""


def decode(data: bytes) -> Point:
    """Return the point of 64 bytes; raise `NotOnCurve`."""
    x, y = mpz.from_bytes(data[:32], "big"), mpz.from_bytes(data[32:], "big")
    if x >= MODULUS or y >= MODULUS:
        raise NotOnCurve
    if not x and not y:
        return None
    if (y * y - x * x * x - 3) % MODULUS:
        raise NotOnCurve
    return x, y


def add(a: Point, b: Point) -> Point:
    """Return a + b by chord and tangent."""
    if a is None:
        return b
    if b is None:
        return a
    (x1, y1), (x2, y2) = a, b
    if x1 != x2:
        slope = (y2 - y1) * invert(x2 - x1, MODULUS)
    elif y1 == y2:
        slope = 3 * x1 * x1 * invert(2 * y1, MODULUS)
    else:
        return None
    slope %= MODULUS
    x3 = (slope * slope - x1 - x2) % MODULUS
    return x3, (slope * (x1 - x3) - y1) % MODULUS


def run(data: bytes) -> bytes | None:
    """Add two points of 64 bytes; fail where one is not on the curve."""
    data = data[:INPUT_BYTES].ljust(INPUT_BYTES, b"\0")
    try:
        total = add(decode(data[:64]), decode(data[64:]))
    except NotOnCurve:
        return None
    if total is None:
        return bytes(64)
    encoded: bytes = total[0].to_bytes(32, "big") + total[1].to_bytes(32, "big")
    return encoded


BN254_ADD = Precompile("BN254_ADD", constant_gas(GAS), run, INPUT_BYTES)
