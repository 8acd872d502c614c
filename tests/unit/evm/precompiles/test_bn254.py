"""BN254 at 0x06, 0x07 and 0x08: EIP-196 and EIP-197, beside py_ecc."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import bn128 as untyped_bn128

from cvm.evm.precompiles import bn254_add, bn254_mul, bn254_pairing

bn128: Any = untyped_bn128  # its re-exports are not declared

P = bn128.field_modulus
ORDER = bn128.curve_order
ONE = (1).to_bytes(32, "big")
ZERO = bytes(32)
G1 = ONE + (2).to_bytes(32, "big")
MINUS_G1 = ONE + (P - 2).to_bytes(32, "big")
G2 = bytes.fromhex(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
INFINITY = bytes(64)
OFF_CURVE = ONE + ONE
NOT_BELOW_P = (P + 1).to_bytes(32, "big") + (2).to_bytes(32, "big")

OUTSIDE_SUBGROUP = bytes.fromhex(
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "07bca656753ef8cbee60335acbffe3def91636952d4ab9eb0b839c7f3566c0e2"
    "0cf32d3c49a2cb8a092f24ec3201e68dc299b6216e6321ee60573e3a7f596ea8"
)
"""On the twist: the first x = i, 1 + i, ... that has a y; py_ecc finds ORDER times it is not 0."""


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def encode_g1(point: Any) -> bytes:
    return INFINITY if point is None else word(int(point[0])) + word(int(point[1]))


def encode_g2(point: Any) -> bytes:
    x, y = point
    return b"".join(word(int(c)) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(b"", INFINITY, id="no input is infinity twice"),
        pytest.param(G1, G1, id="a short input goes on with zeros"),
        pytest.param(G1 + MINUS_G1, INFINITY, id="a point and its negative"),
        pytest.param(G1 + INFINITY + b"\xff", G1, id="bytes after the points are not read"),
        pytest.param(G1 + G1, bn254_mul.run(G1 + word(2)), id="a point twice"),
    ],
)
def test_addition_knows_its_special_cases(data: bytes, output: bytes) -> None:
    assert bn254_add.run(data) == output


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(OFF_CURVE, id="not on the curve"),
        pytest.param(NOT_BELOW_P, id="x not below the modulus"),
        pytest.param(ZERO + ONE, id="x = 0 only"),
        pytest.param(word(P) + ZERO, id="zero written as the modulus"),
    ],
)
def test_a_bad_point_fails(point: bytes) -> None:
    assert bn254_add.run(point) is None
    assert bn254_add.run(INFINITY + point) is None
    assert bn254_mul.run(point + ONE) is None
    assert bn254_pairing.run(point + G2) is None


@pytest.mark.parametrize(
    ("factor", "multiple"),
    [
        pytest.param(0, INFINITY, id="0"),
        pytest.param(1, G1, id="1"),
        pytest.param(ORDER, INFINITY, id="the order"),
        pytest.param(ORDER - 1, MINUS_G1, id="the order - 1"),
        pytest.param(ORDER + 1, G1, id="the order + 1"),
    ],
)
def test_multiplication_at_the_ends_of_the_scalars(factor: int, multiple: bytes) -> None:
    assert bn254_mul.run(G1 + word(factor)) == multiple
    assert bn254_mul.run(INFINITY + word(factor)) == INFINITY


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_sums_and_multiples_are_those_of_py_ecc(a: int, b: int) -> None:
    left, right = bn128.multiply(bn128.G1, a % ORDER), bn128.multiply(bn128.G1, b % ORDER)
    assert bn254_mul.run(G1 + word(a)) == encode_g1(left)
    assert bn254_add.run(encode_g1(left) + encode_g1(right)) == encode_g1(bn128.add(left, right))


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(b"", ONE, id="no pair"),
        pytest.param(G1 + G2, ZERO, id="a pair"),
        pytest.param(G1 + G2 + MINUS_G1 + G2, ONE, id="a pair and its inverse"),
        pytest.param(INFINITY + G2, ONE, id="infinity on the left"),
        pytest.param(G1 + bytes(128), ONE, id="infinity on the right"),
        pytest.param((G1 + G2) * 2 + MINUS_G1 + G2, ZERO, id="two pairs and one inverse"),
    ],
)
def test_the_pairing_product(data: bytes, output: bytes) -> None:
    assert bn254_pairing.run(data) == output


@pytest.mark.parametrize(
    "data",
    [
        pytest.param((G1 + G2)[:-1], id="a byte short"),
        pytest.param(G1 + G2 + b"\0", id="a byte long"),
        pytest.param(INFINITY + G2[:-1] + b"\0", id="not on the twist, beside infinity"),
        pytest.param(G1 + OUTSIDE_SUBGROUP, id="on the twist, outside the group"),
        pytest.param(INFINITY + OUTSIDE_SUBGROUP, id="outside the group, beside infinity"),
        pytest.param(G1 + word(P) + bytes(96), id="an element that is the modulus"),
    ],
)
def test_the_pairing_fails(data: bytes) -> None:
    assert bn254_pairing.run(data) is None


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
def test_the_pairing_is_bilinear(a: int, b: int) -> None:
    left = bn254_mul.run(G1 + word(a))
    product = bn254_mul.run(MINUS_G1 + word(a * b % ORDER))
    assert left is not None
    assert product is not None
    pair = left + encode_g2(bn128.multiply(bn128.G2, b))
    assert bn254_pairing.run(pair + product + G2) == ONE
    assert bn254_pairing.run(pair + G1 + G2) == (ONE if a * b % ORDER == ORDER - 1 else ZERO)


def test_the_pairing_is_priced_by_the_pair() -> None:
    assert bn254_pairing.gas(bytes(384)) == 45_000 + 2 * 34_000
