"""log, tanh, erf, pow, sin ... stay within half a unit in the last place and a little."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.error_function import erf32
from cvm.inference.exact.exponential import exp64
from cvm.inference.exact.hyperbolic import cosh32, sigmoid32, sinh32, tanh32
from cvm.inference.exact.inverse_trigonometric import acos32, asin32, atan32
from cvm.inference.exact.logarithm import log32, softplus32
from cvm.inference.exact.power import pow32
from cvm.inference.exact.trigonometric import (
    HALF_PI_HIGH,
    HALF_PI_LOW,
    HALF_PI_MIDDLE,
    HALF_PI_UNIT,
    TWO_OVER_PI,
    WORDS,
    cos32,
    sin32,
    tan32,
)
from cvm.inference.tensor_type import Array
from tests.oracle import float32, transcendental

ALLOWED_ULP = Fraction(5_000_001, 10_000_000)
Unary = Callable[[Array], Array]

FUNCTIONS = [
    pytest.param(log32, Decimal.ln, 2.0**-149, 3.4e38, id="log"),
    pytest.param(softplus32, transcendental.exact_softplus, -103.9, 120, id="softplus"),
    pytest.param(tanh32, transcendental.exact_tanh, -21, 21, id="tanh"),
    pytest.param(sigmoid32, transcendental.exact_sigmoid, -103.9, 105, id="sigmoid"),
    pytest.param(sinh32, transcendental.exact_sinh, -89, 89, id="sinh"),
    pytest.param(cosh32, transcendental.exact_cosh, -89, 89, id="cosh"),
    pytest.param(erf32, transcendental.exact_erf, -5, 5, id="erf"),
    pytest.param(sin32, transcendental.exact_sin, -3.4e38, 3.4e38, id="sin"),
    pytest.param(cos32, transcendental.exact_cos, -3.4e38, 3.4e38, id="cos"),
    pytest.param(tan32, transcendental.exact_tan, -3.4e38, 3.4e38, id="tan"),
    pytest.param(atan32, transcendental.exact_atan, -3.4e38, 3.4e38, id="atan"),
    pytest.param(asin32, transcendental.exact_asin, -1, 1, id="asin"),
    pytest.param(acos32, transcendental.exact_acos, -1, 1, id="acos"),
]


def one(function: Unary, x: float) -> float:
    result = function(np.array([x], np.float32))
    assert result.dtype == np.float32
    value: float = result.item()
    return value


def error_in_units(result: float, exact: Fraction) -> Fraction:
    unit = Fraction(2) ** max(math.frexp(result)[1] - 24, -149)
    return abs(Fraction(result) - exact) / unit


@pytest.mark.parametrize(("function", "exact", "low", "high"), FUNCTIONS)
def test_error_stays_below_half_a_unit_and_a_little(
    function: Unary, exact: transcendental.Exact, low: float, high: float
) -> None:
    low, high = float(np.float32(low)), float(np.float32(high))

    @given(st.floats(low, high, width=32) | st.floats(max(low, -8), min(high, 8), width=32))
    @settings(max_examples=400, derandomize=True, deadline=None)
    def check(x: float) -> None:
        expected = transcendental.exact(exact, x)
        assert error_in_units(one(function, x), expected) <= ALLOWED_ULP

    check()


@given(st.floats(2**-30, 2**30, width=32), st.floats(-4, 4, width=32))
@settings(max_examples=800, derandomize=True, deadline=None)
def test_power_is_the_nearest_float(x: float, y: float) -> None:
    result = pow32(np.array([x], np.float32), np.array([y], np.float32)).item()
    assert float32.to_bits(result) == float32.to_bits(transcendental.power(x, y))


@pytest.mark.parametrize("x", [4097.0, 8191.0, -4099.0, 257.0, 2.0**-75, -(2.0**-50) * 3])
def test_squares_and_cubes_are_rounded_from_the_exact_product(x: float) -> None:
    exponents = np.array([2, 3], np.float32)
    square, cube = pow32(np.array([x, x], np.float32), exponents).tolist()
    assert square == float32.rounded(Fraction(x) ** 2)
    assert cube == float32.rounded(Fraction(x) ** 3, math.copysign(0.0, x))


NEAR_MULTIPLES = [
    pytest.param("3fc90fdb", id="nearest to pi/2"),
    pytest.param("40490fdb", id="nearest to pi"),
    pytest.param("46ce4a32", id="nearest to a multiple of pi/2 below 2**15"),
    pytest.param("47000000", id="2**15"),
    pytest.param("47000001", id="just above 2**15"),
    pytest.param("c7000001", id="just below -2**15"),
    pytest.param("6f79be45", id="a great argument that nearly is a multiple of pi/2"),
    pytest.param("7e83ef71", id="3 * 2**124 or so"),
    pytest.param("7f7fffff", id="the greatest float32"),
    pytest.param("00000001", id="the least subnormal"),
]


@pytest.mark.parametrize("bits", NEAR_MULTIPLES)
def test_sines_and_tangents_near_multiples_of_half_pi(bits: str) -> None:
    x = float32.from_bits(bits)
    for function, exact in [
        (sin32, transcendental.exact_sin),
        (cos32, transcendental.exact_cos),
        (tan32, transcendental.exact_tan),
    ]:
        expected = transcendental.exact(exact, x)
        assert error_in_units(one(function, x), expected) <= ALLOWED_ULP


INF, NAN = math.inf, math.nan
SPECIALS: list[tuple[Unary, float, float]] = [
    (log32, 0.0, -INF), (log32, -0.0, -INF), (log32, INF, INF), (log32, -1.0, NAN),
    (log32, -INF, NAN), (log32, 1.0, 0.0), (log32, NAN, NAN), (log32, -1e-45, NAN),
    (softplus32, -INF, 0.0), (softplus32, INF, INF), (softplus32, NAN, NAN),
    (softplus32, 3e38, float(np.float32(3e38))), (softplus32, -3e38, 0.0),
    (tanh32, -0.0, -0.0), (tanh32, INF, 1.0), (tanh32, -INF, -1.0), (tanh32, NAN, NAN),
    (tanh32, 1e-45, 2.0**-149), (tanh32, 10.0, 1.0),
    (sigmoid32, INF, 1.0), (sigmoid32, -INF, 0.0), (sigmoid32, NAN, NAN), (sigmoid32, 0.0, 0.5),
    (sinh32, -0.0, -0.0), (sinh32, INF, INF), (sinh32, -INF, -INF), (sinh32, -100.0, -INF),
    (sinh32, NAN, NAN), (cosh32, -INF, INF), (cosh32, 100.0, INF), (cosh32, -0.0, 1.0),
    (cosh32, NAN, NAN), (erf32, -0.0, -0.0), (erf32, INF, 1.0), (erf32, -INF, -1.0),
    (erf32, NAN, NAN), (erf32, 4.5, 1.0), (sin32, -0.0, -0.0), (sin32, INF, NAN),
    (sin32, NAN, NAN), (cos32, -0.0, 1.0), (cos32, -INF, NAN), (cos32, NAN, NAN),
    (tan32, -0.0, -0.0), (tan32, INF, NAN), (tan32, NAN, NAN),
    (atan32, -0.0, -0.0), (atan32, INF, float(np.float32(math.pi / 2))), (atan32, NAN, NAN),
    (atan32, -INF, -float(np.float32(math.pi / 2))), (asin32, 1.5, NAN), (asin32, -0.0, -0.0),
    (asin32, 1.0, float(np.float32(math.pi / 2))), (asin32, NAN, NAN), (acos32, 1.0, 0.0),
    (acos32, -1.0, float(np.float32(math.pi))), (acos32, -1.5, NAN), (acos32, NAN, NAN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [pytest.param(f, x, y, id=f"{f.__name__} {x}") for f, x, y in SPECIALS],
)
def test_specials(function: Unary, x: float, expected: float) -> None:
    assert float32.to_bits(one(function, x)) == float32.to_bits(expected)


def test_power_of_specials_is_that_of_c() -> None:
    values = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 2.5, -2.5, INF, -INF, NAN]
    for x in values:
        for y in values:
            result = pow32(np.array([x], np.float32), np.array([y], np.float32)).item()
            with np.errstate(all="ignore"):
                expected = float(np.float32(np.float64(x) ** np.float64(y)))
            assert float32.to_bits(result) == float32.to_bits(expected), (x, y)


INCREASING = [log32, softplus32, tanh32, sigmoid32, sinh32, erf32, atan32]


@pytest.mark.parametrize("function", INCREASING, ids=lambda f: f.__name__)
def test_never_falls_where_its_argument_rises(function: Unary) -> None:
    breaks = [2.0**-10, 0.414213, 0.70710677, 1, 1.4142135, 2.4142135, 3.9, 4, 9.01, 17]
    starts = np.array(breaks, np.float32).view(np.uint32) - np.uint32(2_000)
    fine = (starts[:, None] + np.arange(4_000, dtype=np.uint32)).view(np.float32)
    for x in (np.linspace(0.001, 60, 100_001).astype(np.float32), *fine):
        assert (np.diff(function(x)) >= 0).all()


def test_bits_of_two_over_pi_and_parts_of_half_pi() -> None:
    half_pi = transcendental.exact(lambda one: one * transcendental.pi() / 2, 1.0)
    stored = sum(Fraction(word, 2 ** (32 * i)) for i, word in enumerate(WORDS))
    assert 0 < 1 / half_pi - stored < Fraction(1, 2**224)
    assert Fraction(HALF_PI_HIGH) * 2**35 == math.floor(half_pi * 2**35)
    rest = half_pi - Fraction(HALF_PI_HIGH)
    assert Fraction(HALF_PI_MIDDLE) * 2**71 == math.floor(rest * 2**71)
    assert float(rest - Fraction(HALF_PI_MIDDLE)) == HALF_PI_LOW
    assert (float(1 / half_pi), float(half_pi / 2**62)) == (TWO_OVER_PI, HALF_PI_UNIT)


def test_exp64_is_near_enough_for_what_is_built_on_it() -> None:
    for x in np.linspace(-120, 120, 401).tolist():
        expected = transcendental.exact(Decimal.exp, x)
        assert abs(Fraction(exp64(np.array([x])).item()) / expected - 1) < Fraction(1, 2**46)
