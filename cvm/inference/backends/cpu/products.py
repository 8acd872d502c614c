"""Which matrices of two stacks are multiplied, and how each operand lies in memory."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.tensor_type import Array, Shape


@dataclass(frozen=True, slots=True)
class Side:
    """An operand: its input index, and the strides of a row (or column) and of the depth."""

    index: int
    row_stride: int
    depth_stride: int

    @property
    def strides(self) -> tuple[int, int]:
        """Return the strides of a row (or column) and of the depth."""
        return self.row_stride, self.depth_stride

    def matrices(self, value: Array, shape: tuple[int, int, int]) -> Array:
        """Return a constant operand as a view (count, rows or columns, depth)."""
        count, rows, depth = shape
        stack = np.ascontiguousarray(value).reshape(count, rows * depth)
        size = value.itemsize
        strides = (rows * depth * size, self.row_stride * size, self.depth_stride * size)
        return np.lib.stride_tricks.as_strided(stack, shape, strides, writeable=False)


@dataclass(frozen=True, slots=True)
class Products:
    """Which matrices of two stacks are multiplied: product i is left_index[i] by right_index[i]."""

    rows: int
    columns: int
    left_count: int
    right_count: int
    left_index: Array
    right_index: Array

    def fit(self, builder: StepBuilder, sides: tuple[Side, Side], words: int) -> bool:
        """Say whether both operands may be packed into panels of `words` int32 or float32."""
        level = builder.level
        left_rows = 1 if self.rows == 1 else -(-self.rows // level.rows) * level.rows
        right_rows = -(-self.columns // level.width) * level.width
        needs = [0, 0]
        for side, rows in zip(
            sides, (self.left_count * left_rows, self.right_count * right_rows), strict=True
        ):
            needs[builder.constant(side.index) is not None] += rows * words * 4
        return builder.allows(*needs)

    @classmethod
    def of(cls, shape: MatrixProductShape) -> "Products":
        """Return the products of a shape; a single right matrix takes the left stack as rows."""
        left, right = shape.a_shape[:-2], shape.b_shape[:-2]
        if prod(right) == 1 and prod(left) == prod(shape.batch_shape):
            zero = np.zeros(1, np.int64)
            return cls(prod(left) * shape.rows, shape.columns, 1, 1, zero, zero)
        return cls(
            shape.rows,
            shape.columns,
            prod(left),
            prod(right),
            stack_index(left, shape.batch_shape),
            stack_index(right, shape.batch_shape),
        )


def stack_index(stack: Shape, batch: Shape) -> Array:
    """Return, for each product of a batch, the index of its matrix in a stack that broadcasts."""
    index = np.arange(prod(stack), dtype=np.int64).reshape(stack)
    return np.broadcast_to(index, batch).reshape(-1).copy()
