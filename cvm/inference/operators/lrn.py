"""LRN: each element divided by a power of the squares of its neighbours among the channels."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.power import pow32
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import float_attribute, int_attribute
from cvm.inference.operators.normalisation import channelled_input
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

STEPS = 4
"""Per element beside the sum: a square, a product, an addition, a division."""


@dataclass(frozen=True, slots=True)
class LrnParameters(UnchangedType):
    """The type of x and the attributes; channel c sums c - before to c + after."""

    before: int
    after: int
    factor: np.float32
    beta: np.float32
    bias: np.float32


def parse(view: NodeView) -> LrnParameters:
    """Check float32 x (n, c, spatial ...) and size, alpha, beta, bias."""
    require_operand_count(view, 1)
    x = channelled_input(view, 0)
    size = int_attribute(view, "size", 0)
    if not 1 <= size <= MAX_DIM:
        raise refusal(view, "attribute value", f"size must lie in [1, {MAX_DIM}], found {size}")
    alpha = float_attribute(view, "alpha", 1e-4)
    return LrnParameters(
        x.dtype,
        x.shape,
        (size - 1) // 2,
        size - 1 - (size - 1) // 2,
        np.float32(alpha / np.float32(size)),
        float_attribute(view, "beta", 0.75),
        float_attribute(view, "bias", 1.0),
    )


def cost(parameters: LrnParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count an addition for each neighbour, four steps and one power for each element."""
    neighbours = min(parameters.before + parameters.after + 1, parameters.shape[1])
    size = outputs[0].size
    runs = RUN // 4 * neighbours * prod(parameters.shape[:2])
    return Cost(elementwise=size * (SERIAL * neighbours + STEPS) + runs, transcendental=45 * size)


def lrn(parameters: LrnParameters, x: Array) -> tuple[Array, ...]:
    """Return LRN-13 of float32 x (n, c, spatial ...), each step rounded once.

    1. q = x * x
    2. s = ordered_sum of q over the channels from c - floor((size - 1) / 2) to
       c + ceil((size - 1) / 2) that exist, ascending in chunks of 256
    3. b = bias + (alpha / size) * s, the quotient being one float32
    4. y = x / pow32(b, beta)
    """
    with np.errstate(all="ignore"):
        squares = np.moveaxis(x * x, 1, 0)
        total = np.empty(squares.shape, np.float32)
        for channel in range(len(squares)):
            first = max(0, channel - parameters.before)
            total[channel] = ordered_sum(squares[first : channel + parameters.after + 1])
        base = parameters.bias + parameters.factor * np.moveaxis(total, 0, 1)
        return (np.asarray(x / pow32(base, np.asarray(parameters.beta))),)


LRN = OpSpec("LRN", 13, frozenset({"alpha", "beta", "bias", "size"}), parse, same_type, cost, lrn)
