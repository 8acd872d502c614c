"""Scalar functions of one float32, each step rounded once: what unary vectors come from."""

import math
from fractions import Fraction

from tests.oracle import float32, transcendental
from tests.oracle.float32 import add, divide, multiply, subtract

SIXTH = float32.rounded(Fraction(1 / 6))
SQRT_TWO = float32.rounded(Fraction(math.sqrt(2)))
TWO_OVER_PI = float32.rounded(Fraction(0.63661975))
SQRT_TWO_OVER_PI = float32.rounded(Fraction(math.sqrt(TWO_OVER_PI)))
CUBIC = float32.rounded(Fraction(0.044715))
SELU_ALPHA = 1.67326319217681884765625
SELU_GAMMA = 1.05070102214813232421875


def square_root(x: float) -> float:
    """Return the square root of a finite x >= 0; the float64 root of 24 bits rounds once more."""
    return float32.rounded(Fraction(math.sqrt(x)), x)


def sign(x: float) -> float:
    """Return -1, +0 or 1."""
    return float((x > 0) - (x < 0))


def whole(x: float) -> float:
    """Return the nearest integer, halves to the even one, a zero with the sign of x."""
    return math.copysign(float(round(x)), x)


def floor(x: float) -> float:
    """Return the greatest integer that is not above x."""
    return math.copysign(float(math.floor(x)), x)


def ceiling(x: float) -> float:
    """Return the least integer that is not below x."""
    return math.copysign(float(math.ceil(x)), x)


def hard_sigmoid(x: float, alpha: float, beta: float) -> float:
    """Return Max(Min(x * alpha + beta, 1), +0)."""
    line = add(multiply(x, alpha), beta)
    return float32.greater_of(float32.lesser_of(line, 1.0), 0.0)


def hard_swish(x: float) -> float:
    """Return x times its HardSigmoid."""
    return multiply(x, hard_sigmoid(x, SIXTH, 0.5))


def leaky_relu(x: float, alpha: float) -> float:
    """Return alpha * x below zero."""
    return multiply(alpha, x) if x < 0 else x


def elu(x: float, alpha: float) -> float:
    """Return alpha * (exp x - 1) below zero."""
    return multiply(alpha, subtract(transcendental.exp(x), 1.0)) if x < 0 else x


def selu(x: float, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA) -> float:
    """Return gamma * (alpha * exp x - alpha) below zero, gamma * x elsewhere."""
    if x >= 0:
        return multiply(gamma, x)
    return multiply(gamma, subtract(multiply(alpha, transcendental.exp(x)), alpha))


def celu(x: float, alpha: float) -> float:
    """Return alpha * Elu(x / alpha)."""
    return multiply(alpha, elu(divide(x, alpha), 1.0))


def softsign(x: float) -> float:
    """Return x / (1 + |x|)."""
    return divide(x, add(1.0, abs(x)))


def mish(x: float) -> float:
    """Return x * tanh(softplus x)."""
    return multiply(x, transcendental.tanh(transcendental.softplus(x)))


def gelu(x: float) -> float:
    """Return 0.5 x (1 + erf(x / sqrt 2))."""
    share = add(1.0, transcendental.erf(divide(x, SQRT_TWO)))
    return multiply(multiply(0.5, x), share)


def gelu_tanh(x: float) -> float:
    """Return the approximation of Gelu by tanh."""
    cube = float32.rounded(Fraction(x) ** 3, x)
    inner = multiply(SQRT_TWO_OVER_PI, add(x, multiply(CUBIC, cube)))
    return multiply(multiply(0.5, x), add(1.0, transcendental.tanh(inner)))
