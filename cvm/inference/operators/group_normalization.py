"""GroupNormalization: centres and scales groups of channels of each item."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute, int_attribute
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
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

FLOAT = 1
"""TensorProto.FLOAT, the precision of the first stage."""


@dataclass(frozen=True, slots=True)
class GroupNormalizationParameters(UnchangedType):
    """The type of x, how many groups its channels form, and what is added to each variance."""

    groups: int
    epsilon: np.float32


def parse(view: NodeView) -> GroupNormalizationParameters:
    """Check float32 x (n, c, spatial ...), scale (c), bias (c), and num_groups, a divisor of c."""
    require_operand_count(view, 3)
    x = channelled_input(view, 0)
    require_per_channel(view, (1, 2), x.shape[1])
    groups = int_attribute(view, "num_groups", 0)
    if groups < 1 or x.shape[1] % groups:
        raise refusal(
            view, "attribute value", f"num_groups {groups} must divide {x.shape[1]} channels"
        )
    stash_type = int_attribute(view, "stash_type", FLOAT)
    if stash_type != FLOAT:
        raise refusal(view, "attribute value", f"stash_type must be {FLOAT}, found {stash_type}")
    epsilon = float_attribute(view, "epsilon", EPSILON)
    return GroupNormalizationParameters(x.dtype, x.shape, groups, epsilon)


def cost(
    parameters: GroupNormalizationParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count seven steps for each element, and four for each group."""
    groups = parameters.shape[0] * parameters.groups
    size = outputs[0].size
    return Cost(
        elementwise=size * (STEPS + 2)
        + slice_steps(size, groups)
        + RUN // 4 * prod(parameters.shape[:2]),
        nodes=1,
    )


def group_normalization(
    parameters: GroupNormalizationParameters, x: Array, scale: Array, bias: Array
) -> tuple[Array, ...]:
    """Return GroupNormalization-21 of float32 x (n, c, spatial ...).

    For each item and group of neighbouring channels, all its elements row-major: m = mean,
    d = x - m, v = mean(d * d), s = sqrt(v + epsilon); then per channel y = (d / s) * scale
    + bias, in this order. A mean is an ordered sum divided by float32(n). Each step rounds once.
    """
    groups = x.reshape(x.shape[0] * parameters.groups, -1).transpose()
    with np.errstate(all="ignore"):
        quotients, _, _ = centred(np.ascontiguousarray(groups), parameters.epsilon)
        scaled = quotients.transpose().reshape(x.shape) * along_second_axis(scale, x.ndim)
        return (scaled + along_second_axis(bias, x.ndim),)


GROUP_NORMALIZATION = OpSpec(
    "GroupNormalization",
    21,
    frozenset({"epsilon", "num_groups", "stash_type"}),
    parse,
    same_type,
    cost,
    group_normalization,
)
