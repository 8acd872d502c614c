"""How EIP-2537 writes elements and points of BLS12-381, read strictly.

An element of Fp is 64 bytes, the upper 16 of them zero, and below the modulus; one of Fp2 is
c0 || c1; a point is x || y, infinity all zeros. Every failure is a ValueError, as arkworks' are.
"""

from py_arkworks_bls12381 import G1Point, G2Point

ELEMENT_BYTES = 64
PADDING = bytes(16)
G1_BYTES = 2 * ELEMENT_BYTES
G2_BYTES = 4 * ELEMENT_BYTES
SCALAR_BYTES = 32

MODULUS = bytes.fromhex(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
    "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
)
"""The prime of Fp, big-endian, to compare bytes with."""


class BadEncoding(ValueError):
    """The bytes are no element of the field."""


def strip_elements(data: bytes) -> bytes:
    """Return the elements of a row as 48 bytes each; raise `BadEncoding`."""
    elements = []
    for start in range(0, len(data), ELEMENT_BYTES):
        element = data[start + len(PADDING) : start + ELEMENT_BYTES]
        if data[start : start + len(PADDING)] != PADDING or element >= MODULUS:
            raise BadEncoding(f"element at byte {start}")
        elements.append(element)
    return b"".join(elements)


def pad_elements(data: bytes) -> bytes:
    """Return elements of 48 bytes each as 64 bytes each."""
    return b"".join(PADDING + data[start : start + 48] for start in range(0, len(data), 48))


def decode_g1(data: bytes) -> G1Point:
    """Return a point of the curve, in the group or not."""
    return G1Point.from_xy_bytes_unchecked_be(strip_elements(data))


def decode_g1_member(data: bytes) -> G1Point:
    """Return a point of the group."""
    return G1Point.from_xy_bytes_be(strip_elements(data))


def encode_g1(point: G1Point) -> bytes:
    """Return the 128 bytes of a point."""
    return pad_elements(point.to_xy_bytes_be())


def decode_g2(data: bytes) -> G2Point:
    """Return a point of the twist, in the group or not."""
    return G2Point.from_xy_bytes_unchecked_be(strip_elements(data))


def decode_g2_member(data: bytes) -> G2Point:
    """Return a point of the group."""
    return G2Point.from_xy_bytes_be(strip_elements(data))


def encode_g2(point: G2Point) -> bytes:
    """Return the 256 bytes of a point."""
    return pad_elements(point.to_xy_bytes_be())
