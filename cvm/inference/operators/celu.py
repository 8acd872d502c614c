"""Celu: alpha * Elu(x / alpha)."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.exact.exponential import exp32
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


@dataclass(frozen=True, slots=True)
class CeluParameters(UnchangedType):
    """The type of the tensor and the scale."""

    alpha: np.float32


def parse(view: NodeView) -> CeluParameters:
    """Check one float32 operand and an alpha that is not 0."""
    x = one_operand(view, DTYPES)
    alpha = float_attribute(view, "alpha", 1.0)
    if alpha == 0:
        raise refusal(view, "attribute value", f"alpha must not be 0: x / alpha, found {alpha}")
    return CeluParameters(x.dtype, x.shape, alpha)


def celu(parameters: CeluParameters, x: Array) -> tuple[Array, ...]:
    """Return Celu-12 as its ONNX function body, each step rounded once.

    1. q = x / alpha
    2. e = exp32(q)
    3. d = e - 1
    4. u = d if q < 0, else q (Elu with its factor of 1 left in: 1 * d is d)
    5. y = alpha * u

    NaN gives NaN.
    """
    with np.errstate(all="ignore"):
        quotient = np.asarray(x / parameters.alpha)
        unit = np.where(quotient < 0, exp32(quotient) - np.float32(1), quotient)
        return (np.asarray(parameters.alpha * unit),)


CELU = OpSpec("Celu", 12, frozenset({"alpha"}), parse, same_type, steps(4, 1), celu)
