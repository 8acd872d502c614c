"""Modexp at 0x05: EIP-198, EIP-2565, EIP-7823 and EIP-7883, beside Python's own pow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.precompiles.modexp import gas_berlin, gas_osaka, run, run_osaka

SECP256K1_P = 2**256 - 2**32 - 977


def call(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    lengths = b"".join(len(part).to_bytes(32, "big") for part in (base, exponent, modulus))
    return lengths + base + exponent + modulus


FERMAT = call(b"\x03", (SECP256K1_P - 1).to_bytes(32, "big"), SECP256K1_P.to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(FERMAT, (1).to_bytes(32, "big"), id="EIP-198 example 1"),
        pytest.param(
            call(b"", (SECP256K1_P - 1).to_bytes(32, "big"), SECP256K1_P.to_bytes(32, "big")),
            bytes(32),
            id="EIP-198 example 2: no base is 0",
        ),
        pytest.param(b"", b"", id="no input"),
        pytest.param(call(b"\x05", b"\x03", b""), b"", id="no modulus"),
        pytest.param(call(b"\x05", b"\x03", bytes(2)), bytes(2), id="modulus 0"),
        pytest.param(call(b"", b"", b"\x01"), b"\x00", id="0 ** 0 mod 1"),
        pytest.param(call(b"", b"", b"\x02"), b"\x01", id="0 ** 0 mod 2"),
        pytest.param(call(b"\x02", b"", b"\x00\x05"), b"\x00\x01", id="no exponent is 0"),
        pytest.param(call(b"\x03", b"\x02", b"\x07\x00")[:-1], b"\x00\x09", id="zeros go on"),
        pytest.param(call(b"\x03", b"\x02", b"\x05") + b"\xff", b"\x04", id="the rest is not read"),
        pytest.param(
            bytes(32) + (2**255).to_bytes(32, "big") + bytes(32), b"", id="a length of 2**255"
        ),
    ],
)
def test_the_power(data: bytes, output: bytes) -> None:
    assert run(data) == output


@pytest.mark.parametrize(
    ("data", "berlin", "osaka"),
    [
        pytest.param(b"", 200, 500, id="the least price"),
        pytest.param(FERMAT, 1360, 4080, id="32 bytes: 16 * 255 / 3, and 16 * 255"),
        pytest.param(call(b"\x01" * 64, b"\x03", b"\x07" * 64), 200, 500, id="64 bytes cubed"),
        pytest.param(
            call(b"\x01" * 1024, b"\x03", b"\x07" * 1024), 5461, 32768, id="1,024 bytes cubed"
        ),
        pytest.param(
            call(b"\x01" * 40, b"\xff" * 33, b"\x07"),
            25 * 263 // 3,
            50 * 271,
            id="33 byte exponent",
        ),
        pytest.param(
            call(b"\x01" * 40, bytes(32) + b"\xff", b"\x07"), 200, 50 * 16, id="a head of zeros"
        ),
        pytest.param(
            (2**64).to_bytes(32, "big") + bytes(64), 2**122 // 3, 2**123, id="a base of 2**64 bytes"
        ),
    ],
)
def test_the_price_before_and_after_osaka(data: bytes, berlin: int, osaka: int) -> None:
    assert gas_berlin(data) == berlin
    assert gas_osaka(data) == osaka


@pytest.mark.parametrize("long", [0, 1, 2])
def test_osaka_refuses_each_operand_above_1024_bytes(long: int) -> None:
    parts = [b"\x01" * (1025 if index == long else 1) for index in range(3)]
    assert run_osaka(call(parts[0], parts[1], parts[2])) is None


def test_osaka_takes_operands_of_1024_bytes() -> None:
    number = int.from_bytes(b"\x03" * 1024, "big")
    data = call(b"\x02" * 1024, b"\x01", b"\x03" * 1024)
    assert run_osaka(data) == (int.from_bytes(b"\x02" * 1024, "big") % number).to_bytes(1024, "big")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(min_size=1, max_size=40))
def test_the_power_is_that_of_python(base: bytes, exponent: bytes, modulus: bytes) -> None:
    number = int.from_bytes(modulus, "big")
    power = (
        pow(int.from_bytes(base, "big"), int.from_bytes(exponent, "big"), number) if number else 0
    )
    assert run(call(base, exponent, modulus)) == power.to_bytes(len(modulus), "big")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**70), st.integers(2**64, 2**200), st.integers(0, 2**20), st.integers(1, 40))
def test_an_even_modulus_below_the_exponent(base: int, power: int, odd: int, twos: int) -> None:
    modulus = (2 * odd + 1) << twos
    data = call(base.to_bytes(9, "big"), power.to_bytes(26, "big"), modulus.to_bytes(8, "big"))
    assert run(data) == pow(base, power, modulus).to_bytes(8, "big")
