"""Operators of one float32 that are a function or an activation: one loop each."""

from collections.abc import Callable

import numpy as np

from cvm.inference.backends.cpu.scalar_operations import larger, min_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import (
    atan32,
    erf32,
    exp32,
    log32,
    pow32,
    sigmoid32,
    softplus32,
    tanh32,
)
from cvm.inference.operators import gelu as gelu_operator
from cvm.inference.operators import hard_swish as hard_swish_operator
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

ZERO, ONE, THREE, HALF = np.float32(0), np.float32(1), np.float32(3), np.float32(0.5)
SQRT_TWO = np.float32(gelu_operator.SQRT_TWO)
SQRT_TWO_OVER_PI = np.float32(gelu_operator.SQRT_TWO_OVER_PI)
CUBIC = np.float32(gelu_operator.CUBIC)


@kernel
def exp(x: Array, y: Array) -> None:
    """Equal `operators.exp`."""
    for i in range(len(x)):
        y[i] = exp32(x[i])


@kernel
def log(x: Array, y: Array) -> None:
    """Equal `operators.log`."""
    for i in range(len(x)):
        y[i] = log32(x[i])


@kernel
def softplus(x: Array, y: Array) -> None:
    """Equal `operators.softplus`."""
    for i in range(len(x)):
        y[i] = softplus32(x[i])


@kernel
def tanh(x: Array, y: Array) -> None:
    """Equal `operators.tanh`."""
    for i in range(len(x)):
        y[i] = tanh32(x[i])


@kernel
def sigmoid(x: Array, y: Array) -> None:
    """Equal `operators.sigmoid`."""
    for i in range(len(x)):
        y[i] = sigmoid32(x[i])


@kernel
def erf(x: Array, y: Array) -> None:
    """Equal `operators.erf`."""
    for i in range(len(x)):
        y[i] = erf32(x[i])


@kernel
def atan(x: Array, y: Array) -> None:
    """Equal `operators.atan`."""
    for i in range(len(x)):
        y[i] = atan32(x[i])


@kernel
def mish(x: Array, y: Array) -> None:
    """Equal `operators.mish`."""
    for i in range(len(x)):
        y[i] = x[i] * tanh32(softplus32(x[i]))


@kernel
def gelu(x: Array, y: Array) -> None:
    """Equal `operators.gelu` with `none`."""
    for i in range(len(x)):
        value = x[i]
        y[i] = (HALF * value) * (ONE + erf32(value / SQRT_TWO))


@kernel
def gelu_tanh(x: Array, y: Array) -> None:
    """Equal `operators.gelu` with `tanh`."""
    for i in range(len(x)):
        value = x[i]
        inner = SQRT_TWO_OVER_PI * (value + CUBIC * pow32(value, THREE))
        y[i] = (HALF * value) * (ONE + tanh32(inner))


@kernel
def softsign(x: Array, y: Array) -> None:
    """Equal `operators.softsign`."""
    for i in range(len(x)):
        value = x[i]
        size = -value if value < ZERO else value
        y[i] = value / (ONE + size)


@kernel
def hard_sigmoid(x: Array, alpha: np.float32, beta: np.float32, y: Array) -> None:
    """Equal `operators.hard_sigmoid`."""
    for i in range(len(x)):
        y[i] = larger(min_f32(x[i] * alpha + beta, ONE), ZERO)


@kernel
def hard_swish(x: Array, alpha: np.float32, beta: np.float32, y: Array) -> None:
    """Equal `operators.hard_swish`."""
    for i in range(len(x)):
        y[i] = x[i] * larger(min_f32(x[i] * alpha + beta, ONE), ZERO)


@kernel
def leaky_relu(x: Array, alpha: np.float32, y: Array) -> None:
    """Equal `operators.leaky_relu`."""
    for i in range(len(x)):
        scaled = alpha * x[i]
        y[i] = scaled if x[i] < ZERO else x[i]


@kernel
def thresholded_relu(x: Array, alpha: np.float32, y: Array) -> None:
    """Equal `operators.thresholded_relu`."""
    for i in range(len(x)):
        y[i] = x[i] if alpha < x[i] else ZERO


@kernel
def elu(x: Array, alpha: np.float32, y: Array) -> None:
    """Equal `operators.elu`."""
    for i in range(len(x)):
        scaled = alpha * (exp32(x[i]) - ONE)
        y[i] = scaled if x[i] < ZERO else x[i]


@kernel
def celu(x: Array, alpha: np.float32, y: Array) -> None:
    """Equal `operators.celu`."""
    for i in range(len(x)):
        quotient = x[i] / alpha
        bent = exp32(quotient) - ONE
        y[i] = alpha * (bent if quotient < ZERO else quotient)


@kernel
def selu(x: Array, alpha: np.float32, scale: np.float32, y: Array) -> None:
    """Equal `operators.selu`."""
    for i in range(len(x)):
        below = scale * (alpha * exp32(x[i]) - alpha)
        above = scale * x[i]
        y[i] = below if x[i] < ZERO else above


def plain(function: Callable[..., object]) -> Callable[[StepBuilder], None]:
    """Return the builder of a kernel that takes nothing but x and y."""

    def build(builder: StepBuilder) -> None:
        builder.add(function, flat(builder.operand(0)), flat(builder.results[0]))

    return build


def with_parameters(function: Callable[..., object], *names: str) -> Callable[[StepBuilder], None]:
    """Return the builder of a kernel that takes float32 parameters of the node between x and y."""

    def build(builder: StepBuilder) -> None:
        parameters = builder.node.parameters
        values = (np.float32(getattr(parameters, name)) for name in names)
        builder.add(function, flat(builder.operand(0)), *values, flat(builder.results[0]))

    return build


build_exp = plain(exp)
build_log = plain(log)
build_softplus = plain(softplus)
build_tanh = plain(tanh)
build_sigmoid = plain(sigmoid)
build_erf = plain(erf)
build_atan = plain(atan)
build_mish = plain(mish)
build_softsign = plain(softsign)
build_hard_sigmoid = with_parameters(hard_sigmoid, "alpha", "beta")
build_leaky_relu = with_parameters(leaky_relu, "alpha")
build_thresholded_relu = with_parameters(thresholded_relu, "alpha")
build_elu = with_parameters(elu, "alpha")
build_celu = with_parameters(celu, "alpha")
build_selu = with_parameters(selu, "alpha", "scale")


def build_gelu(builder: StepBuilder) -> None:
    """Plan a Gelu of either kind."""
    exact = builder.node.parameters.approximate == "none"
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    builder.add(gelu if exact else gelu_tanh, x, y)


def build_hard_swish(builder: StepBuilder) -> None:
    """Plan a HardSwish."""
    factors = hard_swish_operator.SIXTH, hard_swish_operator.HALF
    builder.add(hard_swish, flat(builder.operand(0)), *factors, flat(builder.results[0]))
