"""MeanVarianceNormalization: centres and scales over some axes."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import ints_attribute
from cvm.inference.operators.normalisation import slice_steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.reduction import ReductionParameters, distinct_axes, sum_of
from cvm.inference.tensor_type import Array, TensorType

AXES = (0, 2, 3)
"""ONNX's default: everything but the channels of (n, c, h, w)."""

EPSILON = np.float32(1e-9)
"""What the ONNX function body adds to the deviation."""

STEPS = 18
"""Per element: a difference, a square, two additions, a division."""


@dataclass(frozen=True, slots=True)
class MeanVarianceNormalizationParameters(ReductionParameters):
    """The axes that are reduced for the statistics; `output_shape` is that of the statistics."""


def parse(view: NodeView) -> MeanVarianceNormalizationParameters:
    """Check float32 x and the axes, by default (0, 2, 3)."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    listed = ints_attribute(view, "axes")
    axes = distinct_axes(view, AXES if listed is None else listed, x.rank)
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(x.shape))
    return MeanVarianceNormalizationParameters(x.dtype, x.shape, axes, kept)


def output_types(
    parameters: MeanVarianceNormalizationParameters, _view: NodeView
) -> tuple[TensorType, ...]:
    """Return the type of x."""
    return (TensorType(parameters.dtype, parameters.input_shape),)


def cost(
    parameters: MeanVarianceNormalizationParameters,
    _view: NodeView,
    outputs: tuple[TensorType, ...],
) -> Cost:
    """Count the steps of each element, and a run for each slice."""
    size = outputs[0].size
    slices = size // parameters.count
    return Cost(elementwise=size * (STEPS + 1) + slice_steps(size, slices), nodes=1)


def mean_variance_normalization(
    parameters: MeanVarianceNormalizationParameters, x: Array
) -> tuple[Array, ...]:
    """Return MeanVarianceNormalization-13 of float32 x.

    m = mean over the axes, d = x - m, v = mean(d * d), s = sqrt(v) + 1e-9, y = d / s. A mean is
    the sum of ReduceSum divided by float32(count). Each step rounds once. (The variance is taken
    about the mean, as in every norm of the engine; the ONNX function body subtracts the square
    of the mean from the mean of the squares.)
    """
    count = np.float32(parameters.count)
    with np.errstate(all="ignore"):
        distance = x - sum_of(parameters, x) / count
        variance = sum_of(parameters, distance * distance) / count
        return (np.asarray(distance / (np.sqrt(variance) + EPSILON)),)


MEAN_VARIANCE_NORMALIZATION = OpSpec(
    "MeanVarianceNormalization",
    13,
    frozenset({"axes"}),
    parse,
    output_types,
    cost,
    mean_variance_normalization,
)
