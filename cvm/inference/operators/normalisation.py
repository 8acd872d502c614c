"""What the norms share: centring and scaling by mean and variance, and one factor per channel."""

import numpy as np

from cvm.inference.cost import RUN
from cvm.inference.exact.ordered_sum import mean
from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import operand_type, require_elements
from cvm.inference.operators.reduction import ROWS
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

EPSILON = 1e-5
"""ONNX's default of the attribute `epsilon` of every norm."""

STEPS = 18
"""Per element: a difference, a square, two additions, a division."""

CHAIN_STEPS = 20
"""Further steps of an element where fewer than `ROWS` slices are summed, each a chain."""


def centred(terms: Array, epsilon: np.float32) -> tuple[Array, Array, Array]:
    """Return d / s, the mean and s of float32 terms (n, ...) along the first axis.

    m = mean(terms); d = terms - m; s = sqrt(mean(d * d) + epsilon); then d / s. A mean is an
    ordered sum (chunks of 256) divided by float32(n). Every step rounds once.
    """
    centre = mean(terms)
    distance = terms - centre
    deviation = np.asarray(np.sqrt(mean(distance * distance) + epsilon))
    return distance / deviation, centre, deviation


def channelled_input(view: NodeView, index: int) -> TensorType:
    """Return the type of float32 x (n, c, spatial ...) with at least one spatial axis."""
    x = operand_type(view, index, ("float32",))
    require_elements(view, index, x)
    if x.rank < 3:
        raise refusal(view, "operand shape", f"x must be (n, c, spatial ...), found {x}")
    return x


def require_per_channel(view: NodeView, indices: tuple[int, ...], channels: int) -> None:
    """Refuse operands that are not float32 with one value per channel."""
    for index in indices:
        found = operand_type(view, index, ("float32",))
        if found.shape != (channels,):
            raise refusal(
                view, "operand shape", f"input {index} must have {channels} values, found {found}"
            )


def along_second_axis(values: Array, rank: int) -> Array:
    """Return one value per channel, shaped to stretch over (n, c, ...) of a rank."""
    return values.reshape(-1, *(1,) * (rank - 2))


def slice_steps(size: int, slices: int) -> int:
    """Return what slices take beside their elements: a run each, and more where few are chains."""
    return RUN * slices + (CHAIN_STEPS * size if slices < ROWS else 0)
