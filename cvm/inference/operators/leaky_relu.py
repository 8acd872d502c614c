"""LeakyRelu: negative values are scaled by alpha."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


@dataclass(frozen=True, slots=True)
class LeakyReluParameters(UnchangedType):
    """The type of the tensor and the slope below zero."""

    alpha: np.float32


def parse(view: NodeView) -> LeakyReluParameters:
    """Check one float32 operand and alpha."""
    x = one_operand(view, DTYPES)
    return LeakyReluParameters(
        x.dtype,
        x.shape,
        float_attribute(view, "alpha", 0.01),
    )


def leaky_relu(parameters: LeakyReluParameters, x: Array) -> tuple[Array, ...]:
    """Return LeakyRelu-16 as its ONNX function body, each step rounded once.

    1. p = alpha * x
    2. y = p if x < 0, else x

    NaN and -0 stay.
    """
    with np.errstate(all="ignore"):
        return (np.where(x < 0, parameters.alpha * x, x),)


LEAKY_RELU = OpSpec("LeakyRelu", 16, frozenset({"alpha"}), parse, same_type, steps(), leaky_relu)
