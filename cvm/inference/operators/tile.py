"""Tile: a tensor repeated a constant number of times along each axis."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.constant_lists import any_operand, constant_integers
from cvm.inference.operators.inner_runs import merged_lengths
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class TileParameters(ResultType):
    """The result's type and how often each axis repeats."""

    repeats: tuple[int, ...]


def parse(view: NodeView) -> TileParameters:
    """Check the tensor and the constant repeats, one for each axis."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    repeats = constant_integers(view, 1, "repeats", MAX_RANK)
    if len(repeats) != data.rank or min(repeats, default=0) < 0:
        raise refusal(
            view, "operand value", f"repeats {list(repeats)} must be {data.rank} counts for {data}"
        )
    shape = tuple(n * count for n, count in zip(data.shape, repeats, strict=True))
    return TileParameters(data.dtype, shape, repeats)


def tile(parameters: TileParameters, data: Array, _repeats: Array) -> tuple[Array, ...]:
    """Return Tile-13: element i of an axis is element i mod length of the input."""
    return (np.tile(data, parameters.repeats),)


def cost(parameters: TileParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each element, and the runs of elements that lie or repeat together."""
    x = view.types[0]
    shape = () if x is None else x.shape
    lengths = [n for pair in zip(parameters.repeats, shape, strict=True) for n in pair]
    kinds = [index % 2 for index in range(len(lengths))]
    runs = prod(merged_lengths(lengths, kinds)[:-1])
    each = 2 * SERIAL if prod(shape) == 1 else 1
    return Cost(elementwise=outputs[0].size * each + RUN * runs)


TILE = OpSpec("Tile", 13, frozenset(), parse, result_type, cost, tile)
