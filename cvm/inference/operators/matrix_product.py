"""The shape rule that MatMul, MatMulInteger and QLinearMatMul share."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from types import EllipsisType

from cvm.inference.graph import NodeView
from cvm.inference.operators.broadcasting import broadcast_shape
from cvm.inference.operators.operands import require_elements
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

EVERY = slice(None)

BLOCK = 2**14
"""Outputs that are worked on together, so that an accumulator stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class MatrixProductShape:
    """Two stacks of matrices; a vector operand has become a matrix of one row or column.

    `a_shape` is (*batch, rows, depth), `b_shape` is (*batch, depth, columns), their batch
    axes broadcast to `batch_shape`. `output_shape` lacks the axes that vectors brought in.
    """

    a_shape: Shape
    b_shape: Shape
    batch_shape: Shape
    output_shape: Shape

    @property
    def rows(self) -> int:
        """Return the rows of one product."""
        return self.a_shape[-2]

    @property
    def depth(self) -> int:
        """Return the terms of one dot product."""
        return self.a_shape[-1]

    @property
    def columns(self) -> int:
        """Return the columns of one product."""
        return self.b_shape[-1]

    @property
    def stacked_shape(self) -> Shape:
        """Return (*batch, rows, columns), the shape of the accumulator."""
        return (*self.batch_shape, self.rows, self.columns)


def resolve_matrix_product(
    view: NodeView, a_index: int, a: TensorType, b_index: int, b: TensorType
) -> MatrixProductShape:
    """Apply the rule of `numpy.matmul`: last two axes multiply, the others broadcast."""
    require_elements(view, a_index, a)
    require_elements(view, b_index, b)
    if not a.shape or not b.shape:
        raise refusal(view, "operand shape", f"a scalar has no matrix product: {a} by {b}")
    a_shape = a.shape if a.rank > 1 else (1, *a.shape)
    b_shape = b.shape if b.rank > 1 else (*b.shape, 1)
    if a_shape[-1] != b_shape[-2]:
        raise refusal(
            view, "operand shape", f"{a} by {b}: depth {a_shape[-1]} against {b_shape[-2]}"
        )
    batch = broadcast_shape(view, a_shape[:-2], b_shape[:-2])
    kept_rows = a_shape[-2:-1] if a.rank > 1 else ()
    kept_columns = b_shape[-1:] if b.rank > 1 else ()
    return MatrixProductShape(a_shape, b_shape, batch, (*batch, *kept_rows, *kept_columns))


@dataclass(frozen=True, slots=True)
class Step:
    """Term k of the dot products of some rows: the two factors and the accumulators they feed."""

    outputs: tuple[slice | EllipsisType, ...]
    column: Array
    row: Array


def steps(shape: MatrixProductShape, a: Array, b: Array) -> Iterator[Step]:
    """Yield the steps of a stack of products: for each output, k ascending.

    `column` is (*batch, rows, 1), `row` is (*batch, 1, columns), and `outputs` indexes the
    accumulator of shape `stacked_shape`.
    """
    row_step = max(1, BLOCK // (prod(shape.batch_shape) * shape.columns))
    for first in range(0, shape.rows, row_step):
        rows = slice(first, first + row_step)
        for k in range(shape.depth):
            yield Step((..., rows, EVERY), a[..., rows, k, None], b[..., k, None, :])
