"""InstanceNormalization: centres and scales each channel of each item."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.normalisation import (
    EPSILON,
    STEPS,
    along_second_axis,
    centred,
    channelled_input,
    require_per_channel,
    slice_steps,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class InstanceNormalizationParameters(UnchangedType):
    """The type of x, and what is added to each variance."""

    epsilon: np.float32


def parse(view: NodeView) -> InstanceNormalizationParameters:
    """Check float32 x (n, c, spatial ...), scale (c) and bias (c)."""
    require_operand_count(view, 3)
    x = channelled_input(view, 0)
    require_per_channel(view, (1, 2), x.shape[1])
    return InstanceNormalizationParameters(
        x.dtype, x.shape, float_attribute(view, "epsilon", EPSILON)
    )


def cost(
    parameters: InstanceNormalizationParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count seven steps for each element, and four for each channel."""
    planes = parameters.shape[0] * parameters.shape[1]
    size = outputs[0].size
    return Cost(elementwise=size * (STEPS + 2) + slice_steps(size, planes), nodes=1)


def instance_normalization(
    parameters: InstanceNormalizationParameters, x: Array, scale: Array, bias: Array
) -> tuple[Array, ...]:
    """Return InstanceNormalization-6 of float32 x (n, c, spatial ...).

    For each item and channel, the spatial elements row-major: m = mean, d = x - m,
    v = mean(d * d), s = sqrt(v + epsilon), y = (d / s) * scale + bias, in this order. A mean is
    an ordered sum divided by float32(n). Each step rounds once.
    """
    planes = x.reshape(x.shape[0] * x.shape[1], -1).transpose()
    with np.errstate(all="ignore"):
        quotients, _, _ = centred(np.ascontiguousarray(planes), parameters.epsilon)
        scaled = quotients.transpose().reshape(x.shape) * along_second_axis(scale, x.ndim)
        return (scaled + along_second_axis(bias, x.ndim),)


INSTANCE_NORMALIZATION = OpSpec(
    "InstanceNormalization",
    6,
    frozenset({"epsilon"}),
    parse,
    same_type,
    cost,
    instance_normalization,
)
