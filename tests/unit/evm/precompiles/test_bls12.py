"""BLS12-381 at 0x0b to 0x11: EIP-2537, beside py_ecc."""

from typing import Any

import pytest
from py_ecc import optimized_bls12_381
from py_ecc.bls import hash_to_curve as untyped_hash_to_curve
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2

from cvm.evm.forks import PRAGUE
from cvm.evm.precompiles.table import precompiles

bls: Any = optimized_bls12_381  # its re-exports are not declared
hash_to_curve: Any = untyped_hash_to_curve

P = bls.field_modulus
ORDER = bls.curve_order
INFINITY1, INFINITY2 = bytes(128), bytes(256)
ONE, ZERO = (1).to_bytes(32, "big"), bytes(32)
TWICE_G1 = bytes.fromhex(
    "00000000000000000000000000000000"
    "0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e"
    "00000000000000000000000000000000"
    "166a9d8cabc673a322fda673779d8e3822ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28"
)
"""EIP-2537's vector `bls_g1add_g1+g1=2*g1`."""


def element(number: int) -> bytes:
    return number.to_bytes(64, "big")


def encode(point: object) -> bytes:
    """Return a point of py_ecc, of either group, in EIP-2537's form."""
    numbers: list[int] = []
    for coordinate in bls.normalize(point):
        numbers += map(int, getattr(coordinate, "coeffs", [getattr(coordinate, "n", 0)]))
    return b"".join(map(element, numbers))


def run(number: int, data: bytes) -> bytes | None:
    return precompiles(PRAGUE)[number.to_bytes(20, "big")].run(data)


def gas(number: int, data: bytes) -> int:
    return precompiles(PRAGUE)[number.to_bytes(20, "big")].gas(data)


G1, G2 = encode(bls.G1), encode(bls.G2)
MINUS_G1 = encode(bls.neg(bls.G1))
ORDER_3 = element(0) + element(2)
"""On y**2 = x**3 + 4, of order 3."""

ELEVEN = element(0x11 << 370) + element(5)
OFF_TWIST = element(1) * 4


@pytest.mark.parametrize(
    ("number", "data", "output"),
    [
        pytest.param(0x0B, G1 + G1, TWICE_G1, id="G1 twice"),
        pytest.param(0x0B, G1 + MINUS_G1, INFINITY1, id="G1 and its negative"),
        pytest.param(0x0B, INFINITY1 + G1, G1, id="infinity and G1"),
        pytest.param(0x0B, ORDER_3 + INFINITY1, ORDER_3, id="addition asks for no group"),
        pytest.param(0x0C, G1 + (2).to_bytes(32, "big"), TWICE_G1, id="2 * G1"),
        pytest.param(
            0x0C,
            G1 + b"\xff" * 32 + G1 + ORDER.to_bytes(32, "big"),
            encode(bls.multiply(bls.G1, 2**256 - 1)),
            id="scalars above the order",
        ),
        pytest.param(0x0C, INFINITY1 + ONE + G1 + ZERO, INFINITY1, id="a sum of nothing in G1"),
        pytest.param(0x0D, G2 + G2, encode(bls.double(bls.G2)), id="G2 twice"),
        pytest.param(0x0D, INFINITY2 * 2, INFINITY2, id="infinity twice in G2"),
        pytest.param(0x0E, (G2 + ONE) * 3, encode(bls.multiply(bls.G2, 3)), id="G2 three times"),
        pytest.param(0x0F, G1 + G2 + MINUS_G1 + G2, ONE, id="a pair and its inverse"),
        pytest.param(0x0F, G1 + G2, ZERO, id="a pair"),
        pytest.param(0x0F, INFINITY1 + G2 + G1 + INFINITY2, ONE, id="pairs with infinity"),
        pytest.param(
            0x10,
            element(0x11 << 370),
            encode(hash_to_curve.clear_cofactor_G1(hash_to_curve.map_to_curve_G1(FQ(0x11 << 370)))),
            id="an element to G1",
        ),
        pytest.param(
            0x11,
            ELEVEN,
            encode(
                hash_to_curve.clear_cofactor_G2(
                    hash_to_curve.map_to_curve_G2(FQ2([0x11 << 370, 5]))
                )
            ),
            id="an element to G2",
        ),
    ],
)
def test_the_output(number: int, data: bytes, output: bytes) -> None:
    assert run(number, data) == output


@pytest.mark.parametrize(
    ("number", "data"),
    [
        *(pytest.param(number, b"", id=f"{number:#x}: no input") for number in range(0x0B, 0x12)),
        pytest.param(0x0B, G1 + G1 + b"\0", id="G1 addition: a byte long"),
        pytest.param(0x0B, G1 + element(1) + element(1), id="G1 addition: not on the curve"),
        pytest.param(0x0B, G1 + element(P) + element(0), id="G1 addition: the modulus for 0"),
        pytest.param(0x0B, b"\1" + G1[1:] + G1, id="G1 addition: padding"),
        pytest.param(0x0C, G1 + ONE + b"\0", id="G1 sum: a byte long"),
        pytest.param(0x0C, ORDER_3 + ZERO, id="G1 sum: outside the group, times 0"),
        pytest.param(0x0D, G2 + OFF_TWIST, id="G2 addition: not on the twist"),
        pytest.param(0x0D, G2 + element(P) + bytes(192), id="G2 addition: the modulus for 0"),
        pytest.param(0x0E, OFF_TWIST + ONE, id="G2 sum: not on the twist"),
        pytest.param(
            0x0E,
            encode(hash_to_curve.map_to_curve_G2(FQ2([3, 5]))) + ONE,
            id="G2 sum: outside the group",
        ),
        pytest.param(0x0F, ORDER_3 + INFINITY2, id="pairing: outside G1, beside infinity"),
        pytest.param(
            0x0F,
            INFINITY1 + encode(hash_to_curve.map_to_curve_G2(FQ2([3, 5]))),
            id="pairing: outside G2, beside infinity",
        ),
        pytest.param(0x10, element(P), id="map to G1: the modulus"),
        pytest.param(0x11, element(0) + element(P), id="map to G2: the modulus"),
    ],
)
def test_the_call_fails(number: int, data: bytes) -> None:
    assert run(number, data) is None


@pytest.mark.parametrize(
    ("number", "size", "price"),
    [
        pytest.param(0x0B, 256, 375, id="G1 addition"),
        pytest.param(0x0C, 159, 0, id="G1 sum of no whole pair"),
        pytest.param(0x0C, 160, 12_000, id="G1 sum of 1"),
        pytest.param(0x0C, 320, 22_776, id="G1 sum of 2"),
        pytest.param(0x0C, 160 * 200, 200 * 12_000 * 519 // 1000, id="G1 sum of 200"),
        pytest.param(0x0D, 512, 600, id="G2 addition"),
        pytest.param(0x0E, 288 * 3, 3 * 22_500 * 923 // 1000, id="G2 sum of 3"),
        pytest.param(0x0E, 288 * 129, 129 * 22_500 * 524 // 1000, id="G2 sum of 129"),
        pytest.param(0x0F, 768, 102_900, id="two pairs"),
        pytest.param(0x10, 64, 5_500, id="map to G1"),
        pytest.param(0x11, 128, 23_800, id="map to G2"),
    ],
)
def test_the_price(number: int, size: int, price: int) -> None:
    assert gas(number, bytes(size)) == price
