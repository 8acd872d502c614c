"""Elu: alpha * (e**x - 1) below zero, the element itself elsewhere."""

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
class EluParameters(UnchangedType):
    """The type of the tensor and the factor below zero."""

    alpha: np.float32


def parse(view: NodeView) -> EluParameters:
    """Check one float32 operand and alpha."""
    x = one_operand(view, DTYPES)
    return EluParameters(
        x.dtype,
        x.shape,
        float_attribute(view, "alpha", 1.0),
    )


def elu(parameters: EluParameters, x: Array) -> tuple[Array, ...]:
    """Return Elu-6 as its ONNX function body, each step rounded once.

    1. e = exp32(x)
    2. d = e - 1
    3. p = alpha * d
    4. y = p if x < 0, else x

    NaN and -0 stay.
    """
    with np.errstate(all="ignore"):
        return (np.where(x < 0, parameters.alpha * (exp32(x) - np.float32(1)), x),)


ELU = OpSpec("Elu", 6, frozenset({"alpha"}), parse, same_type, steps(3, 1), elu)
