"""Gemm and MatMul as launches of `kernels/products_f32.cu`."""

from math import prod

import numpy as np

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.elementwise import stretching_steps
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.backends.cuda.stacks import matrix_count, stack_words, tile_size
from cvm.inference.operators.gemm import GemmParameters
from cvm.inference.operators.matmul import MatMulParameters
from cvm.inference.operators.matrix_product import MatrixProductShape

NOTHING_MORE = (0, 0, 0, 0, 0, 0)
"""The fields of `Product` that only Gemm fills: factors and the steps of c."""


def build_matmul(builder: LaunchBuilder) -> None:
    """Launch MatMul-13; one matrix b for a whole stack makes one tall product."""
    shape: MatMulParameters | MatrixProductShape = builder.node.parameters
    if shape.a_shape[:-2] == shape.batch_shape and prod(shape.b_shape[:-2]) == 1:
        rows = matrix_count(shape) * shape.rows
        shape = MatrixProductShape(
            (rows, shape.depth), shape.b_shape[-2:], (), (rows, shape.columns)
        )
    a_steps, b_steps = (shape.depth, 1), (shape.columns, 1)
    places = (builder.result(), builder.operand(0), builder.operand(1), None)
    _add_product(builder, shape, places, (*a_steps, *b_steps), NOTHING_MORE)


def add_plain_product(
    builder: LaunchBuilder, shape: MatrixProductShape, y: Place, a: Place, b: Place
) -> None:
    """Append ordered dot products of C-ordered stacks a and b into y."""
    steps = (shape.depth, 1, shape.columns, 1)
    _add_product(builder, shape, (y, a, b, None), steps, NOTHING_MORE)


def build_gemm(builder: LaunchBuilder) -> None:
    """Launch Gemm-13; a constant b that is transposed is turned when planning."""
    by: GemmParameters = builder.node.parameters
    a_steps = (1, by.rows) if by.transpose_a else (by.depth, 1)
    b, b_steps = _gemm_right(builder, by)
    c_steps = (0, 0)
    if by.has_c:
        target = (by.rows, by.columns)
        c_row, c_column = stretching_steps(builder.operand_type(2).shape, target)
        c_steps = (c_row, c_column)
    factors = (*_factor(by.alpha), *_factor(by.beta))
    shape = MatrixProductShape(
        (by.rows, by.depth), (by.depth, by.columns), (), (by.rows, by.columns)
    )
    places = (builder.result(), builder.operand(0), b, builder.optional(2))
    _add_product(builder, shape, places, (*a_steps, *b_steps), (*factors, *c_steps))


def _gemm_right(builder: LaunchBuilder, by: GemmParameters) -> tuple[Place, tuple[int, int]]:
    """Return where b lies, and its steps along the depth and along the columns."""
    weights = builder.constant(1)
    if by.transpose_b and weights is None:
        return builder.operand(1), (1, by.depth)
    if by.transpose_b and weights is not None:
        return builder.table(weights.transpose()), (by.columns, 1)
    return builder.operand(1), (by.columns, 1)


def _factor(value: np.float32) -> tuple[int, int]:
    """Return whether a factor is applied, and its bits; a factor of 1 is omitted."""
    return int(value != 1), int(np.asarray(value, np.float32).view(np.uint32))


def _add_product(
    builder: LaunchBuilder,
    shape: MatrixProductShape,
    places: tuple[Place, Place, Place, Place | None],
    steps: tuple[int, int, int, int],
    more: tuple[Word, ...],
) -> None:
    """Append the product; places are y, a, b, c.

    The steps are those of a by row and k, and of b by k and column.
    """
    size = tile_size(shape.rows, shape.columns)
    words = (
        *places,
        shape.rows,
        shape.columns,
        shape.depth,
        *steps,
        *stack_words(shape),
        *more,
    )
    blocks = matrix_count(shape) * size.blocks(shape.rows, shape.columns)
    builder.add(Kernel("products_f32", f"product_f32_{size.suffix}"), blocks, words)
