"""Selu: a scaled Elu."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.exact.exponential import exp32
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


@dataclass(frozen=True, slots=True)
class SeluParameters(UnchangedType):
    """The type of the tensor, alpha and, as `scale`, gamma."""

    alpha: np.float32
    scale: np.float32


def parse(view: NodeView) -> SeluParameters:
    """Check one float32 operand and alpha and gamma."""
    x = one_operand(view, DTYPES)
    return SeluParameters(
        x.dtype,
        x.shape,
        float_attribute(view, "alpha", 1.67326319217681884765625),
        float_attribute(view, "gamma", 1.05070102214813232421875),
    )


def selu(parameters: SeluParameters, x: Array) -> tuple[Array, ...]:
    """Return Selu-6 as its ONNX function body, each step rounded once.

    1. e = exp32(x)
    2. p = alpha * e
    3. d = p - alpha
    4. y = gamma * d if x < 0, else gamma * x

    NaN gives NaN.
    """
    alpha, scale = parameters.alpha, parameters.scale
    with np.errstate(all="ignore"):
        return (np.where(x < 0, scale * (alpha * exp32(x) - alpha), scale * x),)


SELU = OpSpec("Selu", 6, frozenset({"alpha", "gamma"}), parse, same_type, steps(4, 1), selu)
