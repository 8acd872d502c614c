"""Vectors of the activation functions, each step of their ONNX function bodies rounded once."""

from collections.abc import Callable

from tests.oracle import functions
from tests.oracle.elementwise_cases import GREATEST, INF, LEAST, MINUS_INF, MINUS_ZERO, NAN
from tests.oracle.operators import as_float32
from tests.oracle.tensors import Json
from tests.oracle.unary_cases import MINUS_GREATEST, MINUS_LEAST, Values, unary

TENTH, QUARTER = as_float32(0.1), 0.25


def with_alpha(
    op: str,
    function: Callable[[float, float], float],
    default: float,
    other: float,
    specials: tuple[Values, Values],
    points: Values,
) -> list[Json]:
    """Return vectors with the default alpha, and one with another."""
    plain = unary(op, lambda x: function(x, as_float32(default)), specials, points)
    changed = unary(
        op,
        lambda x: function(x, other),
        ([0, NAN], [0, NAN]),
        points,
        attributes={"alpha": {"float": other}},
    )[1]
    changed["name"] = "another alpha"
    return [*plain[:3], changed]


def hard_sigmoid_cases() -> list[Json]:
    """Return the vectors of HardSigmoid."""
    plain = unary(
        "HardSigmoid",
        lambda x: functions.hard_sigmoid(x, as_float32(0.2), 0.5),
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST], [0.5, 0.5, 1, 0, NAN, 1]),
        [2.5, -2.5, "c0200001", 2.4999, LEAST, 1.0],
    )
    changed = unary(
        "HardSigmoid",
        lambda x: functions.hard_sigmoid(x, QUARTER, -0.0),
        ([0], [0]),
        [0.0, MINUS_ZERO, 4.0, 3.7, -1.0],
        attributes={"alpha": {"float": QUARTER}, "beta": {"float": "80000000"}},
    )[1]
    changed["name"] = "other alpha and beta: -0 gives +0"
    return [*plain[:3], changed]


def hard_swish_cases() -> list[Json]:
    """Return the vectors of HardSwish."""
    return unary(
        "HardSwish",
        functions.hard_swish,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST], [0, MINUS_ZERO, INF, NAN, NAN, GREATEST]),
        [3.0, -3.0, "c0400001", 2.9999, LEAST, MINUS_LEAST, -1.5],
    )


def leaky_relu_cases() -> list[Json]:
    """Return the vectors of LeakyRelu."""
    return with_alpha(
        "LeakyRelu",
        functions.leaky_relu,
        0.01,
        TENTH,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN], [0, MINUS_ZERO, INF, MINUS_INF, NAN]),
        [-1.0, 1.0, MINUS_LEAST, -3.3, MINUS_GREATEST],
    )


def elu_cases() -> list[Json]:
    """Return the vectors of Elu."""
    return with_alpha(
        "Elu",
        functions.elu,
        1.0,
        TENTH,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN], [0, MINUS_ZERO, INF, -1, NAN]),
        [-1.0, 1.0, MINUS_LEAST, -1e-5, -17.0, -90.0],
    )


def selu_cases() -> list[Json]:
    """Return the vectors of Selu."""
    plain = unary(
        "Selu",
        functions.selu,
        ([0, MINUS_ZERO, INF, NAN], [0, MINUS_ZERO, INF, NAN]),
        [-1.0, 1.0, MINUS_LEAST, -1e-5, -17.0, MINUS_GREATEST],
    )
    changed = unary(
        "Selu",
        lambda x: functions.selu(x, TENTH, 3.0),
        ([0], [0]),
        [-1.0, 1.0, -0.3, GREATEST],
        attributes={"alpha": {"float": TENTH}, "gamma": {"float": 3.0}},
    )[1]
    changed["name"] = "other alpha and gamma"
    return [*plain[:3], changed]


def thresholded_relu_cases() -> list[Json]:
    """Return the vectors of ThresholdedRelu."""
    return with_alpha(
        "ThresholdedRelu",
        lambda x, alpha: x if alpha < x else 0.0,
        1.0,
        QUARTER,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN], [0, 0, INF, 0, 0]),
        [1.0, "3f800001", 0.25, "3e7fffff", "3e800001", -2.0, 2.0],
    )


def celu_cases() -> list[Json]:
    """Return the vectors of Celu."""
    return with_alpha(
        "Celu",
        functions.celu,
        1.0,
        TENTH,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN], [0, MINUS_ZERO, INF, -1, NAN]),
        [-1.0, 1.0, -1e-5, -17.0, -0.3],
    )


def softsign_cases() -> list[Json]:
    """Return the vectors of Softsign."""
    return unary(
        "Softsign",
        functions.softsign,
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST], [0, MINUS_ZERO, NAN, NAN, NAN, 1]),
        [1.0, -1.0, LEAST, 1e10, 0.1],
    )


def mish_cases() -> list[Json]:
    """Return the vectors of Mish."""
    return unary(
        "Mish",
        functions.mish,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, MINUS_GREATEST],
            [0, MINUS_ZERO, INF, NAN, NAN, MINUS_ZERO],
        ),
        [1.0, -1.0, 20.0, -20.0, -0.3, 100.0],
    )


def gelu_cases() -> list[Json]:
    """Return the vectors of Gelu."""
    specials: tuple[Values, Values] = (
        [0, MINUS_ZERO, INF, MINUS_INF, NAN, -100],
        [0, MINUS_ZERO, INF, NAN, NAN, MINUS_ZERO],
    )
    points: Values = [1.0, -1.0, 3.0, -3.0, 5.5, -5.5, 0.001, -0.3]
    tanh = unary("Gelu", functions.gelu_tanh, specials, points, attributes={"approximate": "tanh"})
    for entry in tanh:
        entry["name"] += ", tanh"
    return [*unary("Gelu", functions.gelu, specials, points), *tanh[:3]]
