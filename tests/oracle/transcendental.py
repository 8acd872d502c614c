"""Transcendental functions in 120 decimal digits, rounded once to float32.

They share neither code nor method with the engine: plain series on `decimal` numbers.
"""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

from tests.oracle import float32

DIGITS = 120
SMALLEST_TERM = Decimal(10) ** -110

Exact = Callable[[Decimal], Decimal]


@cache
def pi() -> Decimal:
    """Return pi by Machin's formula."""
    return 4 * (4 * _arctangent_series(Decimal(1) / 5) - _arctangent_series(Decimal(1) / 239))


def _arctangent_series(x: Decimal) -> Decimal:
    power, total, n = x, x, 1
    while abs(power) > SMALLEST_TERM * abs(total):
        power *= -x * x
        n += 2
        total += power / n
    return total


def _series(first: Decimal, factor: Callable[[int], Decimal]) -> Decimal:
    """Add up terms of which each is the one before times factor(n), n = 1, 2 ..."""
    term, total, n = first, first, 0
    while abs(term) > SMALLEST_TERM * abs(total):
        n += 1
        term *= factor(n)
        total += term
    return total


def exact_sin(x: Decimal) -> Decimal:
    """Return sin x."""
    r = x - (x / (2 * pi())).to_integral_value() * 2 * pi()
    return _series(r, lambda n: -r * r / (2 * n * (2 * n + 1))) if r else r


def exact_cos(x: Decimal) -> Decimal:
    """Return cos x."""
    r = x - (x / (2 * pi())).to_integral_value() * 2 * pi()
    return _series(Decimal(1), lambda n: -r * r / ((2 * n - 1) * 2 * n))


def exact_tan(x: Decimal) -> Decimal:
    """Return tan x."""
    return exact_sin(x) / exact_cos(x)


def exact_atan(x: Decimal) -> Decimal:
    """Return atan x, its argument halved three times."""
    for _ in range(3):
        x = x / (1 + (1 + x * x).sqrt())
    return 8 * _arctangent_series(x)


def exact_asin(x: Decimal) -> Decimal:
    """Return asin x for |x| up to 1."""
    if abs(x) == 1:
        return x * pi() / 2
    return exact_atan(x / (1 - x * x).sqrt())


def exact_acos(x: Decimal) -> Decimal:
    """Return acos x for |x| up to 1."""
    return pi() / 2 - exact_asin(x)


def exact_sinh(x: Decimal) -> Decimal:
    """Return sinh x."""
    return _series(x, lambda n: x * x / (2 * n * (2 * n + 1))) if x else x


def exact_cosh(x: Decimal) -> Decimal:
    """Return cosh x."""
    return (x.exp() + (-x).exp()) / 2


def exact_tanh(x: Decimal) -> Decimal:
    """Return tanh x."""
    return exact_sinh(x) / exact_cosh(x)


def exact_sigmoid(x: Decimal) -> Decimal:
    """Return 1 / (1 + e**-x)."""
    return 1 / (1 + (-x).exp())


def exact_softplus(x: Decimal) -> Decimal:
    """Return ln(1 + e**x), by its series where e**x is small."""
    u = x.exp()
    if u > Decimal("1e-20"):
        return (1 + u).ln()
    return u - u * u / 2 + u * u * u / 3


def exact_erf(x: Decimal) -> Decimal:
    """Return erf x by its Maclaurin series."""
    power, total, n = x, x, 0
    while abs(power) > SMALLEST_TERM:
        n += 1
        power *= -x * x / n
        total += power / (2 * n + 1)
    return total * 2 / pi().sqrt()


def exact(function: Exact, x: float) -> Fraction:
    """Return the value of a function at a finite float as a fraction of 120 digits."""
    with localcontext() as context:
        context.prec = DIGITS
        context.Emin, context.Emax = -(10**9), 10**9
        return Fraction(function(Decimal(x)))


def rounded(function: Exact, x: float) -> float:
    """Return the value of a function at a finite float, rounded once to float32."""
    return float32.rounded(exact(function, x), math.copysign(0.0, x))


def power(x: float, y: float) -> float:
    """Return x**y for finite x > 0, rounded once to float32."""
    with localcontext() as context:
        context.prec = DIGITS
        value = Fraction(Decimal(x) ** Decimal(y))
    return float32.rounded(value)


def exp(x: float) -> float:
    """Return e**x."""
    if not math.isfinite(x):
        return x if x != -math.inf else 0.0
    return rounded(Decimal.exp, max(x, -200.0))


def log(x: float) -> float:
    """Return ln x for finite x > 0."""
    return rounded(Decimal.ln, x)


def tanh(x: float) -> float:
    """Return tanh x."""
    return math.copysign(1.0, x) if abs(x) > 20 else rounded(exact_tanh, x)


def sigmoid(x: float) -> float:
    """Return the sigmoid of x."""
    return rounded(exact_sigmoid, x)


def erf(x: float) -> float:
    """Return erf x."""
    return math.copysign(1.0, x) if abs(x) > 5 else rounded(exact_erf, x)


def softplus(x: float) -> float:
    """Return ln(1 + e**x)."""
    return x if x > 100 else rounded(exact_softplus, x)
