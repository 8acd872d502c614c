"""Float32.sol turns the bits of a float32 into fixed point and back, rounded once."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.ordering import order_keys
from models_registry.selectors import selector
from tests.unit.models_registry.contract_host import Reverted
from tests.unit.models_registry.solidity_probe import Probe

WAD = 10**18
MAX_SCALE = 2**127
INFINITY, NAN, MINUS = 0x7F800000, 0x7FC00000, 0x80000000
LARGEST = 0x7F7FFFFF
FINITE = st.integers(0, LARGEST) | st.integers(MINUS, MINUS | LARGEST)
SCALES = st.sampled_from([1, 2, 10**6, WAD, MAX_SCALE, 3]) | st.integers(1, MAX_SCALE)


@cache
def probe() -> Probe:
    return Probe("TensorProbe")


def to_fixed(bits: int, scale: int) -> int:
    return int(probe()("toFixed(uint32,uint256)", [bits, scale], "int256"))


def from_fixed(value: int, scale: int) -> int:
    return int(probe()("fromFixed(int256,uint256)", [value, scale], "uint32"))


def value_of(bits: int) -> Fraction:
    """Return the number that finite bits stand for, from the definition of binary32."""
    exponent, significand = bits >> 23 & 0xFF, bits & 0x7FFFFF
    if exponent:
        significand |= 1 << 23
    magnitude = Fraction(significand) * Fraction(2) ** (max(exponent, 1) - 150)
    return -magnitude if bits >> 31 else magnitude


@pytest.mark.parametrize(
    ("bits", "scale", "value"),
    [
        pytest.param(0x3F800000, WAD, WAD, id="1"),
        pytest.param(0xBF000000, 1, 0, id="-0.5 ties to 0"),
        pytest.param(0x3FC00000, 1, 2, id="1.5 ties to 2"),
        pytest.param(0xC0200000, 1, -2, id="-2.5 ties to -2"),
        pytest.param(0x3DCCCCCD, WAD, 100_000_001_490_116_119, id="0.1 in float32"),
        pytest.param(0x00000001, MAX_SCALE, 0, id="least subnormal"),
        pytest.param(0x80000000, WAD, 0, id="-0"),
        pytest.param(LARGEST, 1, 2**128 - 2**104, id="largest"),
        pytest.param(LARGEST, MAX_SCALE, (2**128 - 2**104) * 2**127, id="largest, largest scale"),
        pytest.param(LARGEST | MINUS, MAX_SCALE, -(2**128 - 2**104) * 2**127, id="least"),
    ],
)
def test_a_float_becomes_fixed_point(bits: int, scale: int, value: int) -> None:
    assert to_fixed(bits, scale) == value


@settings(max_examples=100, deadline=None, derandomize=True)
@given(FINITE, SCALES)
def test_fixed_point_is_the_nearest_integer(bits: int, scale: int) -> None:
    assert to_fixed(bits, scale) == round(value_of(bits) * scale)  # of a Fraction: ties to even


@pytest.mark.parametrize(
    ("value", "scale", "bits"),
    [
        pytest.param(0, WAD, 0, id="0"),
        pytest.param(-WAD, WAD, 0xBF800000, id="-1"),
        pytest.param(WAD // 10, WAD, 0x3DCCCCCD, id="0.1"),
        pytest.param(2**24 + 1, 1, 0x4B800000, id="tie down to even"),
        pytest.param(2**24 + 3, 1, 0x4B800002, id="tie up to even"),
        pytest.param(2**25 - 1, 1, 0x4C000000, id="carry into the exponent"),
        pytest.param(-(2**127), 1, 0xFF000000, id="a large power of two"),
        pytest.param(2**128 - 2**104, 1, LARGEST, id="largest"),
        pytest.param(2**128 - 2**103 - 1, 1, LARGEST, id="just below the tie to infinity"),
        pytest.param(1, MAX_SCALE, 0x00400000, id="a subnormal"),
        pytest.param(-(2**254), MAX_SCALE, 0xFF000000, id="the largest quotient's power of two"),
    ],
)
def test_fixed_point_becomes_a_float(value: int, scale: int, bits: int) -> None:
    assert from_fixed(value, scale) == bits


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(-(2**255), 2**255 - 1) | st.integers(-(2**64), 2**64), SCALES)
def test_the_float_is_the_nearest_or_too_large(value: int, scale: int) -> None:
    wanted = Fraction(value, scale)
    if abs(wanted) >= 2**128 - 2**103:
        with pytest.raises(Reverted):
            from_fixed(value, scale)
        return
    bits = from_fixed(value, scale)
    magnitude = bits & ~MINUS
    found = value_of(magnitude)
    distance = abs(found - abs(wanted))
    below = value_of(magnitude - 1) if magnitude else Fraction(-1)
    above = value_of(magnitude + 1) if magnitude < LARGEST else Fraction(2**128)
    is_even = magnitude % 2 == 0
    assert (bits >> 31 == 1) == (value < 0)
    for neighbour in (below, above):
        other = abs(neighbour - abs(wanted))
        assert distance < other or (distance == other and is_even)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 0x7F), st.integers(0, 0x7FFFFF), st.booleans())
def test_a_float_that_fixed_point_holds_comes_back(
    exponent: int, significand: int, is_negative: bool
) -> None:
    bits = (exponent + 0x7F) << 23 | significand | is_negative << 31  # 1 to 2**128
    assert from_fixed(to_fixed(bits, 2**23), 2**23) == bits


@pytest.mark.parametrize("bits", [INFINITY, INFINITY | MINUS])
def test_an_infinity_is_neither_finite_nor_nan(bits: int) -> None:
    assert probe()("isNaN(uint32)", [bits], "bool") is False
    assert probe()("isFinite(uint32)", [bits], "bool") is False


@pytest.mark.parametrize("bits", [NAN, 0x7F800001, 0xFFFFFFFF])
def test_a_nan_is_not_finite(bits: int) -> None:
    assert probe()("isNaN(uint32)", [bits], "bool") is True
    assert probe()("isFinite(uint32)", [bits], "bool") is False


@pytest.mark.parametrize("bits", [0, MINUS, 1, LARGEST, LARGEST | MINUS])
def test_a_number_is_finite(bits: int) -> None:
    assert probe()("isNaN(uint32)", [bits], "bool") is False
    assert probe()("isFinite(uint32)", [bits], "bool") is True


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_the_order_is_the_engines(bits: int) -> None:
    key = order_keys(np.array([bits], np.uint32).view(np.float32))[0]
    assert probe()("order(uint32)", [bits], "int256") == key


def test_a_wad_has_18_decimals_and_an_integer_no_scale() -> None:
    assert probe()("toWad(uint32)", [0x3FC00000], "int256") == 3 * WAD // 2
    assert probe()("fromInt(int256)", [-3], "uint32") == 0xC0400000


@pytest.mark.parametrize(
    ("signature", "arguments", "error"),
    [
        pytest.param(
            "toFixed(uint32,uint256)",
            [bits, WAD],
            selector("NotFinite(uint32)") + encode(["uint32"], [bits]),
            id=name,
        )
        for name, bits in (("NaN", NAN), ("+inf", INFINITY), ("-inf", INFINITY | MINUS))
    ]
    + [
        pytest.param(
            signature,
            [1, scale],
            selector("BadScale(uint256)") + encode(["uint256"], [scale]),
            id=f"{signature.partition('(')[0]}, scale {scale}",
        )
        for signature in ("toFixed(uint32,uint256)", "fromFixed(int256,uint256)")
        for scale in (0, MAX_SCALE + 1, 2**256 - 1)
    ]
    + [
        pytest.param(
            "fromFixed(int256,uint256)",
            [value, scale],
            selector("TooLarge(int256,uint256)") + encode(["int256", "uint256"], [value, scale]),
            id=name,
        )
        for name, value, scale in (
            ("the tie to infinity", 2**128 - 2**103, 1),
            ("least int256", -(2**255), 1),
            ("least int256, largest scale", -(2**255), MAX_SCALE),
        )
    ],
)
def test_what_has_no_value_is_refused(signature: str, arguments: list[int], error: bytes) -> None:
    with pytest.raises(Reverted) as caught:
        probe()(signature, list(arguments), "int256")
    assert caught.value.data == error
