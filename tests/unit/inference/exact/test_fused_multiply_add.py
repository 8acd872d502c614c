"""fma32 rounds the exact a * b + c once, wherever the result lies."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.fused_multiply_add import fma32
from cvm.inference.tensor_type import Array
from tests.oracle import float32

ANY_BITS = st.integers(0, 2**32 - 1)
CASES = 20_000


def values_of(bits: list[int]) -> Array:
    return np.array(bits, np.uint32).view(np.float32)


def expected_bits(a: Array, b: Array, c: Array) -> list[str]:
    triples = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
    return [float32.to_bits(float32.fused(*triple)) for triple in triples]


def actual_bits(values: Array) -> list[str]:
    return [float32.to_bits(value) for value in values.tolist()]


@given(ANY_BITS, ANY_BITS, ANY_BITS)
@settings(max_examples=2_000, derandomize=True, deadline=None)
def test_any_bits(a: int, b: int, c: int) -> None:
    operands = [values_of([bits]) for bits in (a, b, c)]
    assert actual_bits(fma32(*operands)) == expected_bits(*operands)


def mixed() -> tuple[Array, Array, Array]:
    words = np.random.default_rng(1).integers(0, 2**32, (3, CASES), np.uint32)
    a, b, c = words.view(np.float32)
    return a, b, c


def cancelling() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, CASES)).astype(np.float32)
    near = 1 + rng.integers(-3, 4, CASES) * np.float32(2**-23)
    return a, b, (-(a * b) * near).astype(np.float32)


def half_way() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(3)
    a, b = rng.integers(1, 2**24, (2, CASES)).astype(np.float32)
    return a, b, (rng.integers(-(2**24), 2**24, CASES) * 2.0**24).astype(np.float32)


def just_off_half_way() -> tuple[Array, Array, Array]:
    """Half the last bit of an odd c, give or take far less than a float64 shows."""
    rng = np.random.default_rng(4)
    c = (rng.integers(2**22, 2**23, CASES) * 2 + 1).astype(np.float32)
    tilt = rng.integers(-1, 2, CASES)
    a = (0.5 * (1 + tilt * 2.0**-23)).astype(np.float32)
    scale = np.float32(2.0) ** rng.integers(0, 60, CASES).astype(np.float32)
    return a, np.ones(CASES, np.float32), (c * scale).astype(np.float32)


def subnormal() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(5)
    a, b = (rng.standard_normal((2, CASES)) * 2.0**-70).astype(np.float32)
    return a, b, rng.integers(0, 2**12, CASES, np.uint32).view(np.float32)


HARD = [mixed, cancelling, half_way, just_off_half_way, subnormal]


@pytest.mark.parametrize("make", HARD, ids=lambda make: make.__name__)
def test_hard_cases(make: Callable[[], tuple[Array, Array, Array]]) -> None:
    operands = make()
    assert actual_bits(fma32(*operands)) == expected_bits(*operands)


def test_rounding_a_float64_sum_again_would_be_wrong() -> None:
    a, b = values_of([0x3F7FFE00]), values_of([0x33800100])  # 1 - 2**-15, 2**-24 * (1 + 2**-15)
    c = values_of([0x3F800001])
    twice = (a.astype(np.float64) * b.astype(np.float64) + c.astype(np.float64)).astype(np.float32)
    assert (actual_bits(twice), actual_bits(fma32(a, b, c))) == (["3f800002"], ["3f800001"])


SPECIALS = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 2.0**-149, -(2.0**-149), 2.0**127]


def test_every_triple_of_specials() -> None:
    grid = np.array(np.meshgrid(SPECIALS, SPECIALS, SPECIALS), np.float32).reshape(3, -1)
    assert actual_bits(fma32(*grid)) == expected_bits(*grid)


def test_operands_broadcast_and_scalars_stay_arrays() -> None:
    column, row = np.ones((2, 1), np.float32), np.full((1, 3), 2, np.float32)
    assert fma32(column, row, np.ones(1, np.float32)).tolist() == [[3.0] * 3] * 2
    assert fma32(*(np.array(value, np.float32) for value in (2, 3, 4))).item() == 10.0
