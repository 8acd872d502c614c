"""LayerNormalization: centres and scales everything from one axis on."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute, float_attribute, int_attribute
from cvm.inference.operators.broadcasting import require_stretches_to
from cvm.inference.operators.normalisation import EPSILON, STEPS, centred
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

FLOAT = 1
"""TensorProto.FLOAT, the precision of the first stage."""


@dataclass(frozen=True, slots=True)
class LayerNormalizationParameters:
    """The first normalised axis, counted from the front; `wanted` are the outputs that are named.

    `wanted` is (Y, Mean, InvStdDev).
    """

    shape: Shape
    axis: int
    epsilon: np.float32
    wanted: tuple[bool, bool, bool]

    @property
    def count(self) -> int:
        """Return the elements that are normalised together."""
        return prod(self.shape[self.axis :])

    @property
    def statistics_shape(self) -> Shape:
        """Return the shape of Mean and InvStdDev."""
        return (*self.shape[: self.axis], *(1,) * (len(self.shape) - self.axis))


def parse(view: NodeView) -> LayerNormalizationParameters:
    """Check float32 x, scale and bias (optional), both of which stretch to x, and stash_type 1."""
    require_operand_count(view, 2, 3)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    for index in (1, 2):
        if view.type_at(index) is not None:
            require_stretches_to(view, operand_type(view, index, ("float32",)).shape, x.shape)
    stash_type = int_attribute(view, "stash_type", FLOAT)
    if stash_type != FLOAT:
        raise refusal(view, "attribute value", f"stash_type must be {FLOAT}, found {stash_type}")
    if not view.wants(0):
        raise refusal(view, "outputs", "the first output must be named")
    wanted = (True, view.wants(1), view.wants(2))
    axis = axis_attribute(view, -1, x.rank)
    return LayerNormalizationParameters(
        x.shape, axis, float_attribute(view, "epsilon", EPSILON), wanted
    )


def output_types(
    parameters: LayerNormalizationParameters, _view: NodeView
) -> tuple[TensorType, ...]:
    """Return float32 of the shape of x, and those of the mean and 1 / deviation that are named."""
    shapes = (parameters.shape, parameters.statistics_shape, parameters.statistics_shape)
    return tuple(
        TensorType("float32", shape)
        for shape, is_wanted in zip(shapes, parameters.wanted, strict=True)
        if is_wanted
    )


def cost(
    parameters: LayerNormalizationParameters, view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count five steps for each element, those of scale and bias, and five for each slice."""
    size = prod(parameters.shape)
    affine = sum(view.type_at(index) is not None for index in (1, 2))
    return Cost(elementwise=size * (STEPS + affine) + RUN * (size // parameters.count), nodes=1)


def layer_normalization(
    parameters: LayerNormalizationParameters, x: Array, scale: Array, bias: Array | None = None
) -> tuple[Array, ...]:
    """Return LayerNormalization-17: float32 x normalised over the axes from `axis` on.

    1. m = mean of the slice: its elements row-major, an ordered sum divided by float32(n)
    2. d = x - m
    3. v = mean(d * d), each square rounded before it is added
    4. s = sqrt(v + epsilon)
    5. y = (d / s) * scale + bias, in this order; without a bias the last step is left out

    Each step rounds once. Mean is m, InvStdDev is 1 / s; both keep the axes with length 1.
    """
    slices = x.reshape(-1, parameters.count).transpose()
    with np.errstate(all="ignore"):
        quotients, centre, deviation = centred(np.ascontiguousarray(slices), parameters.epsilon)
        y = quotients.transpose().reshape(x.shape) * scale
        if bias is not None:
            y = y + bias
        inverse = np.float32(1) / deviation
    shape = parameters.statistics_shape
    outputs = (y, centre.reshape(shape), np.asarray(inverse).reshape(shape))
    return tuple(
        output for output, wanted in zip(outputs, parameters.wanted, strict=True) if wanted
    )


LAYER_NORMALIZATION = OpSpec(
    "LayerNormalization",
    17,
    frozenset({"axis", "epsilon", "stash_type"}),
    parse,
    output_types,
    cost,
    layer_normalization,
    optional_outputs=True,
)
