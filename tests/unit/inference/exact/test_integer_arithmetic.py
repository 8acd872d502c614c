"""Quotients, remainders, powers and conversions follow their rules on every pair of bytes."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.casting import converted
from cvm.inference.exact.division import (
    floored_remainder,
    fmod32,
    truncated_quotient,
    truncated_remainder,
)
from cvm.inference.exact.power import integer_power
from tests.oracle import float32
from tests.oracle.operators import RANGES, wrapped


def quotient(a: int, b: int) -> int:
    if b == 0:
        return 0
    return math.trunc(Fraction(a, b))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_division_of_every_pair_of_bytes(dtype: str) -> None:
    low, high = RANGES[dtype]
    values = np.arange(low, high + 1).astype(dtype)
    a, b = np.meshgrid(values, values, indexing="ij")
    pairs = [(x, y) for x in range(low, high + 1) for y in range(low, high + 1)]
    quotients = [wrapped(quotient(x, y), dtype) for x, y in pairs]
    assert truncated_quotient(a, b).reshape(-1).tolist() == quotients
    floored = [0 if y == 0 else x % y for x, y in pairs]
    assert floored_remainder(a, b).reshape(-1).tolist() == floored
    truncated = [0 if y == 0 else x - quotient(x, y) * y for x, y in pairs]
    assert truncated_remainder(a, b).reshape(-1).tolist() == truncated


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_division_of_extremes(dtype: str) -> None:
    low, high = RANGES[dtype]
    values = [low, low + 1, -7, -3, -1, 0, 1, 3, 7, high - 1, high]
    a, b = np.meshgrid(np.array(values, dtype), np.array(values, dtype), indexing="ij")
    pairs = [(x, y) for x in values for y in values]
    expected = [wrapped(quotient(x, y), dtype) for x, y in pairs]
    assert truncated_quotient(a, b).reshape(-1).tolist() == expected
    floored = [0 if y == 0 else x % y for x, y in pairs]
    assert floored_remainder(a, b).reshape(-1).tolist() == floored


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integer_powers_wrap(dtype: str) -> None:
    low, high = RANGES[dtype]
    bases = [low, -3, -2, -1, 0, 1, 2, 3, 10, high]
    exponents = [0, 1, 2, 3, 5, 31, 62, 63, 64, 1000]
    x, y = np.meshgrid(np.array(bases, dtype), np.array(exponents), indexing="ij")
    expected = [wrapped(a**b, dtype) for a in bases for b in exponents]
    assert integer_power(x, y).reshape(-1).tolist() == expected
    negative = integer_power(x, -y - 1).tolist()
    for a, row in zip(bases, negative, strict=True):
        inverse = [quotient(1, a ** (b + 1)) if abs(a) < 2 else 0 for b in exponents]
        assert row == inverse


@given(st.floats(width=32), st.floats(width=32))
@settings(max_examples=2_000, derandomize=True, deadline=None)
def test_float_remainder_is_that_of_c(x: float, y: float) -> None:
    result = fmod32(np.array([x], np.float32), np.array([y], np.float32)).item()
    ordinary = math.isfinite(x) and y != 0 and not math.isnan(y)
    expected = math.fmod(x, y) if ordinary else math.nan
    assert float32.to_bits(result) == float32.to_bits(expected)


LIMITS = [2.0**7, 2.0**8, 2.0**31, 2.0**63]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_floats_saturate_before_they_are_converted(dtype: str) -> None:
    low, high = RANGES[dtype]
    edges = np.array([*LIMITS, *(-v for v in LIMITS), 0.5, -0.99, 3e38, 1e-45], np.float32)
    bits = edges.view(np.uint32)
    values = np.concatenate([edges, (bits - 1).view(np.float32), (bits + 1).view(np.float32)])
    result = converted(
        np.concatenate([values, np.array([np.inf, -np.inf, np.nan], np.float32)]), dtype
    )
    expected = [max(low, min(high, math.trunc(v))) for v in values.tolist()]
    assert result.tolist() == [*expected, high, low, 0]


def test_integers_round_once_to_float32() -> None:
    values = [2**62 + 2**38, 2**62 + 2**38 + 1, 2**24 + 1, -(2**63), 2**63 - 1, 0]
    result = converted(np.array(values), "float32").tolist()
    assert result == [float32.from_int(v) for v in values]


def test_everything_but_zero_is_true() -> None:
    floats = np.array([0, -0.0, 1e-45, np.nan, np.inf], np.float32)
    assert converted(floats, "bool").tolist() == [False, False, True, True, True]
    assert converted(np.array([0, 256, -1]), "bool").tolist() == [False, True, True]
    assert converted(np.array([True, False]), "int8").tolist() == [1, 0]
