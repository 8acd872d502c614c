"""exp32 is its written sequence, within half a unit in the last place and a little."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.exponential import COEFFICIENTS, INVERSE_LN2, LN2_HIGH, LN2_LOW, exp32
from tests.oracle import float32

ALLOWED_ULP = Fraction(5_000_001, 10_000_000)
LEAST_ARGUMENT, GREATEST_ARGUMENT = -103.9720840454, 88.7228317261
"""Where exp(x) falls to half the least subnormal, and where it leaves float32."""


def exp_bits(x: float) -> str:
    return float32.to_bits(exp32(np.array([x], np.float32)).item())


@given(st.floats(width=32))
@settings(max_examples=3_000, derandomize=True, deadline=None)
def test_equals_the_sequence_in_scalar_floats(x: float) -> None:
    assert exp_bits(x) == float32.to_bits(float32.exponential(x))


@given(st.floats(-103, 88, width=32))
@settings(max_examples=1_000, derandomize=True, deadline=None)
def test_error_stays_below_half_a_unit_and_a_little(x: float) -> None:
    with localcontext() as context:
        context.prec = 50
        exact = Fraction(Decimal(x).exp())
    result = exp32(np.array([x], np.float32)).item()
    unit = Fraction(2) ** max(math.frexp(result)[1] - 24, -149)
    assert abs(Fraction(result) - exact) / unit <= ALLOWED_ULP


def test_never_falls_where_its_argument_rises() -> None:
    coarse = np.linspace(-120, 100, 200_001).astype(np.float32)
    start = np.array([-104, -88, -1, -0.3466, 0.3466, 1, 88.7], np.float32).view(np.uint32)
    fine = (start[:, None] + np.arange(4_000, dtype=np.uint32)).view(np.float32)
    for x in (coarse, *(np.sort(row) for row in fine)):
        assert (np.diff(exp32(x)[np.isfinite(exp32(x))]) >= 0).all()


SPECIALS = [
    pytest.param("00000000", "3f800000", id="+0"),
    pytest.param("80000000", "3f800000", id="-0"),
    pytest.param("00000001", "3f800000", id="least subnormal"),
    pytest.param("7f800000", "7f800000", id="+inf"),
    pytest.param("ff800000", "00000000", id="-inf"),
    pytest.param("ffc01234", "7fc00000", id="NaN"),
    pytest.param("7f7fffff", "7f800000", id="greatest"),
    pytest.param("ff7fffff", "00000000", id="least"),
    pytest.param("42b17217", "7f7fff84", id="last finite result"),
    pytest.param("42b17218", "7f800000", id="first infinite result"),
    pytest.param("c2cff1b4", "00000001", id="last subnormal result"),
    pytest.param("c2cff1b5", "00000000", id="first zero result"),
    pytest.param("3f800000", "402df854", id="e"),
]


@pytest.mark.parametrize(("argument", "result"), SPECIALS)
def test_specials(argument: str, result: str) -> None:
    assert exp_bits(float32.from_bits(argument)) == result


def test_constants_are_correctly_rounded() -> None:
    with localcontext() as context:
        context.prec = 60
        ln2 = Decimal(2).ln()
    assert float(ln2 - Decimal(LN2_HIGH)) == LN2_LOW
    assert float(1 / ln2) == INVERSE_LN2
    assert Fraction(LN2_HIGH).denominator == 2**32
    assert [float(Fraction(1, math.factorial(11 - i))) for i in range(12)] == list(COEFFICIENTS)
