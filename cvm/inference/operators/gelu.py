"""Gelu: each element weighted by the normal distribution's share below it."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.error_function import erf32
from cvm.inference.exact.hyperbolic import tanh32
from cvm.inference.exact.power import pow32
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.elementwise import one_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32",)
APPROXIMATIONS = ("none", "tanh")

HALF, ONE, THREE = np.float32(0.5), np.float32(1), np.float32(3)
SQRT_TWO = np.sqrt(np.float32(2))
SQRT_TWO_OVER_PI = np.sqrt(np.float32(0.63661975))
CUBIC = np.float32(0.044715)

STEPS = {"none": 4, "tanh": 7}
"""Per element, beside one transcendental function."""


@dataclass(frozen=True, slots=True)
class GeluParameters(UnchangedType):
    """The type of the tensor, and `none` or `tanh`."""

    approximate: str


def parse(view: NodeView) -> GeluParameters:
    """Check one float32 operand and the kind of approximation."""
    x = one_operand(view, DTYPES)
    approximate = string_attribute(view, "approximate", "none")
    if approximate not in APPROXIMATIONS:
        raise refusal(
            view, "attribute value", f"approximate must be none or tanh, found {approximate!r}"
        )
    return GeluParameters(x.dtype, x.shape, approximate)


def cost(parameters: GeluParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count the steps of the function body and one transcendental function."""
    size = outputs[0].size
    return Cost(elementwise=size * STEPS[parameters.approximate], transcendental=2 * size)


def gelu(parameters: GeluParameters, x: Array) -> tuple[Array, ...]:
    """Return Gelu-20 as its ONNX function body, each step rounded once.

    `none`:

    1. q = x / sqrt(2)
    2. phi = 1 + erf32(q)
    3. y = (0.5 * x) * phi

    `tanh`:

    1. c = pow32(x, 3)
    2. s = x + 0.044715 * c
    3. t = sqrt(0.63661975) * s
    4. phi = 1 + tanh32(t)
    5. y = (0.5 * x) * phi

    NaN and -inf give NaN (-inf * 0), +inf gives +inf.
    """
    with np.errstate(all="ignore"):
        if parameters.approximate == "none":
            share = ONE + erf32(np.asarray(x / SQRT_TWO))
        else:
            cube = pow32(x, np.asarray(THREE))
            share = ONE + tanh32(np.asarray(SQRT_TWO_OVER_PI * (x + CUBIC * cube)))
        return (np.asarray((HALF * x) * share),)


GELU = OpSpec("Gelu", 20, frozenset({"approximate"}), parse, same_type, cost, gelu)
