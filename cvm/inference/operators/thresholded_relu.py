"""ThresholdedRelu: values that are not above alpha become zero."""

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
class ThresholdedReluParameters(UnchangedType):
    """The type of the tensor and the threshold."""

    alpha: np.float32


def parse(view: NodeView) -> ThresholdedReluParameters:
    """Check one float32 operand and alpha."""
    x = one_operand(view, DTYPES)
    return ThresholdedReluParameters(
        x.dtype,
        x.shape,
        float_attribute(view, "alpha", 1.0),
    )


def thresholded_relu(parameters: ThresholdedReluParameters, x: Array) -> tuple[Array, ...]:
    """Return ThresholdedRelu-10 as its ONNX function body, each step rounded once.

    y = x if alpha < x, else +0. NaN gives +0.
    """
    return (np.where(parameters.alpha < x, x, np.float32(0)),)


THRESHOLDED_RELU = OpSpec(
    "ThresholdedRelu", 10, frozenset({"alpha"}), parse, same_type, steps(), thresholded_relu
)
