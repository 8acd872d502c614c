"""The shape rule that the Reduce operators share, and the order in which they take elements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

REDUCTION_ATTRIBUTES = frozenset({"keepdims", "noop_with_empty_axes"})

NEIGHBOURS = 32
"""Folds side by side that fill the vectors of every machine."""

ROWS = 8
"""Chains of additions that a processor works on at once; fewer take as long."""

SUM_DTYPES = ("float32", "int32", "int64")
"""What ONNX lets the sums, means, products and norms reduce, of the dtypes that there are."""


@dataclass(frozen=True, slots=True)
class ReductionParameters:
    """The axes, counted from the front and ascending, and the shapes before and after."""

    dtype: str
    input_shape: Shape
    axes: tuple[int, ...]
    output_shape: Shape

    @property
    def count(self) -> int:
        """Return the elements that are folded into one."""
        return prod(self.input_shape[axis] for axis in self.axes)

    @property
    def kept_shape(self) -> Shape:
        """Return the lengths of the axes that stay."""
        return tuple(n for axis, n in enumerate(self.input_shape) if axis not in self.axes)


def resolve_reduction(view: NodeView, dtypes: Collection[str]) -> ReductionParameters:
    """Check data, the constant int64 axes (optional input 1), keepdims, noop_with_empty_axes.

    Without axes, or with an empty list, every axis is reduced, or none at all under
    noop_with_empty_axes. Raises `InvalidModel`.
    """
    require_operand_count(view, 1, 2)
    data = operand_type(view, 0, dtypes)
    require_elements(view, 0, data)
    keeps = flag_attribute(view, "keepdims", True)
    axes = _axes(view, data.rank, flag_attribute(view, "noop_with_empty_axes", False))
    lengths = enumerate(data.shape)
    output = tuple(1 if axis in axes else n for axis, n in lengths if keeps or axis not in axes)
    return ReductionParameters(data.dtype, data.shape, axes, output)


def _axes(view: NodeView, rank: int, is_noop: bool) -> tuple[int, ...]:
    """Return the distinct axes to reduce, ascending."""
    listed: list[int] = []
    if view.type_at(1) is not None:
        found = operand_type(view, 1, ("int64",))
        if found.rank != 1 or found.size > MAX_RANK:
            raise refusal(
                view, "operand shape", f"axes must list at most {MAX_RANK} axes, found {found}"
            )
        listed = [int(axis) for axis in constant_operand(view, 1, "axes")]
    if not listed:
        return () if is_noop else tuple(range(rank))
    return distinct_axes(view, listed, rank)


def distinct_axes(view: NodeView, listed: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return axes counted from the front, ascending; each in range and named once."""
    axes = sorted({axis % rank for axis in listed if -rank <= axis < rank})
    if len(axes) != len(listed):
        raise refusal(
            view,
            "operand value",
            f"axes {list(listed)[:20]} must be distinct and in [{-rank}, {rank - 1}]",
        )
    return tuple(axes)


def output_type(parameters: ReductionParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the data's dtype without the reduced axes, or with length 1 there under keepdims."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def fold_steps(
    parameters: ReductionParameters,
    in_rows: int,
    side_by_side: int = 0,
    *,
    start: int = RUN // 4,
    is_chain: bool = True,
) -> int:
    """Return the steps of all folds: so many for each element, by how a fold's elements lie.

    Where the axes that stay come last, neighbours are folded side by side, each line of them a run
    of `start` steps. Else the elements of a fold follow each other: a fold is a run, and a chain
    counts as `ROWS` of them, which is how many a processor folds at once. Folded axes that do not
    stand together are brought together by a copy.
    """
    shape, axes = parameters.input_shape, parameters.axes
    kinds = [axis in axes for axis in range(len(shape))]
    groups = [key for key, _ in groupby(kinds[axis] for axis in kinds_of_length(shape))]
    size, folds = prod(shape), prod(parameters.kept_shape)
    neighbours = prod(shape[max(axes, default=-1) + 1 :])
    moved = groups.count(True) > 1
    if not moved and neighbours > 1 and parameters.count > 1:
        lines = (prod(shape) // neighbours) + 2 * (folds // neighbours)
        padded = max(neighbours, NEIGHBOURS) // neighbours
        return size * side_by_side * padded + lines * start
    rows = -(-folds // ROWS) * ROWS if is_chain else folds
    copied = size // shape[-1] * RUN + 2 * SERIAL * size if moved else 0
    return rows * parameters.count * in_rows + folds * start + copied


def kinds_of_length(shape: Shape) -> list[int]:
    """Return the axes that are longer than 1."""
    return [axis for axis, length in enumerate(shape) if length > 1]


def terms(parameters: ReductionParameters, x: Array) -> Array:
    """Return x as (count, *kept axes): the elements of each fold, row-major, come first."""
    kept = [axis for axis in range(x.ndim) if axis not in parameters.axes]
    moved = x.transpose(*parameters.axes, *kept)
    return moved.reshape(parameters.count, *parameters.kept_shape)


def sum_of(parameters: ReductionParameters, x: Array) -> Array:
    """Return the sums over the axes, in the output's shape.

    float32 takes `ordered_sum` over the row-major elements of the reduced axes; integers wrap
    around in two's complement. No axes at all leave every value as it is, -0 included.
    """
    if not parameters.axes:
        return x
    values = terms(parameters, x)
    if parameters.dtype == "float32":
        return ordered_sum(values).reshape(parameters.output_shape)
    total = np.zeros(values.shape[1:], parameters.dtype)
    for value in values:
        total = total + value
    return np.asarray(total).reshape(parameters.output_shape)
