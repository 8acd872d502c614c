"""BatchNormalization: each channel moved and scaled by fixed statistics."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, float_attribute
from cvm.inference.operators.normalisation import (
    EPSILON,
    along_second_axis,
    require_per_channel,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

STEPS = 2
"""Per element: a difference, a division, a product, an addition."""

MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class BatchNormalizationParameters(UnchangedType):
    """The type of x, how many channels it has, and what is added to each variance."""

    channels: int
    epsilon: np.float32


def parse(view: NodeView) -> BatchNormalizationParameters:
    """Check float32 x (n, c, ...) or (n), and scale, bias, mean and variance (c each).

    Training mode is refused; `momentum` is for training and changes nothing.
    """
    require_operand_count(view, 5)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    if x.rank == 0:
        raise refusal(view, "operand shape", f"x must be (n, c, ...), found {x}")
    channels = x.shape[1] if x.rank > 1 else 1
    require_per_channel(view, (1, 2, 3, 4), channels)
    float_attribute(view, "momentum", MOMENTUM)
    if flag_attribute(view, "training_mode", False):
        raise refusal(
            view, "attribute value", "training_mode must be 0: export the model for inference"
        )
    return BatchNormalizationParameters(
        x.dtype, x.shape, channels, float_attribute(view, "epsilon", EPSILON)
    )


def cost(
    _parameters: BatchNormalizationParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count four steps for each element, and a quarter of a run for each plane."""
    planes = prod(outputs[0].shape[:2])
    return Cost(elementwise=outputs[0].size * STEPS + RUN // 4 * planes, nodes=1)


def batch_normalization(
    parameters: BatchNormalizationParameters,
    x: Array,
    scale: Array,
    bias: Array,
    mean: Array,
    variance: Array,
) -> tuple[Array, ...]:
    """Return BatchNormalization-15 in inference mode, of float32 x (n, c, ...).

    y = ((x - mean) / sqrt(variance + epsilon)) * scale + bias, as the ONNX formula is written:
    a difference, a division, a product, an addition, each rounded once. An x of rank 1 has one
    channel.
    """
    rank = max(x.ndim, 2)
    with np.errstate(all="ignore"):
        deviation = np.sqrt(variance + parameters.epsilon)
        quotient = (x - along_second_axis(mean, rank)) / along_second_axis(deviation, rank)
        return (quotient * along_second_axis(scale, rank) + along_second_axis(bias, rank),)


BATCH_NORMALIZATION = OpSpec(
    "BatchNormalization",
    15,
    frozenset({"epsilon", "momentum", "training_mode"}),
    parse,
    same_type,
    cost,
    batch_normalization,
)
