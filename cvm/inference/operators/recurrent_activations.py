"""The activation functions of LSTM, GRU and RNN, and how a node names them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.hyperbolic import sigmoid32, tanh32
from cvm.inference.exact.logarithm import softplus32
from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import floats_attribute, strings_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

ZERO, ONE = np.float32(0), np.float32(1)

Function = Callable[[Array, np.float32, np.float32], Array]


def _affine(x: Array, alpha: np.float32, beta: np.float32) -> Array:
    """Return alpha * x + beta, two roundings."""
    return alpha * x + beta


def _elu(x: Array, alpha: np.float32, _beta: np.float32) -> Array:
    """Return x, or alpha * (exp32(x) - 1) below 0."""
    return np.where(x < 0, alpha * (exp32(x) - ONE), x)


def _hard_sigmoid(x: Array, alpha: np.float32, beta: np.float32) -> Array:
    """Return Min(Max(alpha * x + beta, 0), 1)."""
    return smaller(larger(alpha * x + beta, np.asarray(ZERO)), np.asarray(ONE))


def _leaky_relu(x: Array, alpha: np.float32, _beta: np.float32) -> Array:
    """Return x, or alpha * x below 0."""
    return np.where(x < 0, alpha * x, x)


def _relu(x: Array, _alpha: np.float32, _beta: np.float32) -> Array:
    """Return Max(x, +0)."""
    return larger(x, np.asarray(ZERO))


def _scaled_tanh(x: Array, alpha: np.float32, beta: np.float32) -> Array:
    """Return alpha * tanh32(beta * x)."""
    return np.asarray(alpha * tanh32(beta * x))


def _sigmoid(x: Array, _alpha: np.float32, _beta: np.float32) -> Array:
    """Return sigmoid32(x)."""
    return sigmoid32(x)


def _softplus(x: Array, _alpha: np.float32, _beta: np.float32) -> Array:
    """Return softplus32(x)."""
    return softplus32(x)


def _softsign(x: Array, _alpha: np.float32, _beta: np.float32) -> Array:
    """Return x / (1 + |x|)."""
    return np.asarray(x / (ONE + np.abs(x)))


def _tanh(x: Array, _alpha: np.float32, _beta: np.float32) -> Array:
    """Return tanh32(x)."""
    return tanh32(x)


def _thresholded_relu(x: Array, alpha: np.float32, _beta: np.float32) -> Array:
    """Return x where it is at least alpha, else +0; a NaN gives +0."""
    return np.where(x >= alpha, x, ZERO)


@dataclass(frozen=True, slots=True)
class Kind:
    """A function with ONNX's defaults of alpha and beta, None where it takes none.

    A NaN says that ONNX lays down no default, so that a node must give the value.
    """

    function: Function
    alpha: float | None = None
    beta: float | None = None


KINDS = MappingProxyType(
    {
        "Affine": Kind(_affine, 1.0, 0.0),
        "Elu": Kind(_elu, 1.0),
        "HardSigmoid": Kind(_hard_sigmoid, 0.2, 0.5),
        "LeakyRelu": Kind(_leaky_relu, 0.01),
        "Relu": Kind(_relu),
        "ScaledTanh": Kind(_scaled_tanh, np.nan, np.nan),
        "Sigmoid": Kind(_sigmoid),
        "Softplus": Kind(_softplus),
        "Softsign": Kind(_softsign),
        "Tanh": Kind(_tanh),
        "ThresholdedRelu": Kind(_thresholded_relu, 1.0),
    }
)


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation of a direction, its alpha and beta resolved (0 where it takes none)."""

    name: str
    alpha: np.float32
    beta: np.float32

    def apply(self, x: Array) -> Array:
        """Return the function of float32 x; every step of it rounds once."""
        return KINDS[self.name].function(x, self.alpha, self.beta)


def resolve_activations(
    view: NodeView, defaults: Sequence[str], directions: int
) -> tuple[tuple[Activation, ...], ...]:
    """Return the activations of each direction.

    activation_alpha and activation_beta go, in order, to the functions that take one; those
    that are left without one take ONNX's default.
    """
    names = strings_attribute(view, "activations") or tuple(defaults) * directions
    if len(names) != len(defaults) * directions or any(name not in KINDS for name in names):
        raise refusal(
            view,
            "attribute value",
            f"activations must be {len(defaults)} for each of {directions} directions, out of "
            f"{', '.join(KINDS)}; found {list(names)!s:.200}",
        )
    alphas = iter(floats_attribute(view, "activation_alpha"))
    betas = iter(floats_attribute(view, "activation_beta"))
    found = [
        Activation(name, _next(alphas, KINDS[name].alpha), _next(betas, KINDS[name].beta))
        for name in names
    ]
    if [*alphas, *betas]:
        raise refusal(
            view,
            "attribute value",
            f"activation_alpha or activation_beta has more values than {list(names)} take",
        )
    _require_given(view, found)
    count = len(defaults)
    return tuple(tuple(found[d * count : (d + 1) * count]) for d in range(directions))


def _require_given(view: NodeView, found: Sequence[Activation]) -> None:
    """Refuse a function that lacks a value for which ONNX has no default; runtimes disagree."""
    for entry in found:
        if np.isnan(entry.alpha) or np.isnan(entry.beta):
            raise refusal(
                view, "attribute value", f"{entry.name} has no default of alpha and beta: give both"
            )


def _next(values: Iterator[np.float32], default: float | None) -> np.float32:
    """Return the next value of a list, or the default; nothing is taken where there is none."""
    if default is None:
        return ZERO
    return next(values, np.float32(default))
