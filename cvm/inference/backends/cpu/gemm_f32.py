"""float32 matrix products of packed panels, and Gemm's factors and addend."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import direct
from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.micro_kernel_f32 import dot_tile_f32
from cvm.inference.backends.cpu.panels import pack_rows, pack_strided
from cvm.inference.backends.cpu.products import Products, Side
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.gemm import GemmParameters
from cvm.inference.operators.matmul import MatMulParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@cache
def multiply_f32(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that equals `operators.matmul` for float32 at a feature level.

    `left` holds matrices of rows in panels of 1 (one row) or `level.rows`, `right` matrices of
    columns in panels of `level.width`; product i multiplies left matrix `left_index[i]` by right
    matrix `right_index[i]`. `no_bias` holds `level.rows` times -0.
    """
    lanes, vectors, rows, width = level.lanes, level.vectors, level.rows, level.width

    @kernel
    def multiply(
        left: Array,
        left_index: Array,
        right: Array,
        right_index: Array,
        m: int,
        n: int,
        depth: int,
        no_bias: Array,
        tile: Array,
        y: Array,
    ) -> None:
        left_size = depth if m == 1 else (m + rows - 1) // rows * rows * depth
        right_size = (n + width - 1) // width * width * depth
        for product in range(len(left_index)):
            a = left_index[product] * left_size
            for column in range(0, n, width):
                b = right_index[product] * right_size + column * depth
                count = min(width, n - column)
                if m == 1:
                    dot_tile_f32(
                        lanes, vectors, 1, width,
                        left, a, right, b, no_bias, 0, tile, 0, width, depth,
                    )  # fmt: skip
                    for j in range(count):
                        y[product * n + column + j] = tile[j]
                    continue
                for row in range(0, m, rows):
                    out = (product * m + row) * n + column
                    if count == width and row + rows <= m:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            left, a + row * depth, right, b, no_bias, 0, y, out, n, depth,
                        )  # fmt: skip
                        continue
                    if count <= lanes:
                        dot_tile_f32(
                            lanes, 1, rows, width,
                            left, a + row * depth, right, b, no_bias, 0, tile, 0, width, depth,
                        )  # fmt: skip
                    else:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            left, a + row * depth, right, b, no_bias, 0, tile, 0, width, depth,
                        )  # fmt: skip
                    for r in range(min(rows, m - row)):
                        for j in range(count):
                            y[out + r * n + j] = tile[r * width + j]

    return multiply


@kernel
def scale_and_add(
    y: Array,
    m: int,
    n: int,
    alpha: float,
    c: Array,
    row_stride: int,
    column_stride: int,
    beta: float,
) -> None:
    """Replace y by y * alpha + c * beta, each step rounded; a factor of 1 changes no bit."""
    for row in range(m):
        for column in range(n):
            addend = c[row * row_stride + column * column_stride] * beta
            y[row * n + column] = y[row * n + column] * alpha + addend


@kernel
def scale_only(y: Array, alpha: float) -> None:
    """Replace y by y * alpha."""
    for i in range(len(y)):
        y[i] = y[i] * alpha


def build_matmul(builder: StepBuilder) -> None:
    """Plan a float32 MatMul."""
    parameters: MatMulParameters = builder.node.parameters
    n, depth = parameters.columns, parameters.depth
    products = Products.of(parameters)
    build_products(builder, products, depth, Side(0, depth, 1), Side(1, 1, n))


def build_gemm(builder: StepBuilder) -> None:
    """Plan a Gemm: the product, then alpha, beta and c."""
    parameters: GemmParameters = builder.node.parameters
    m, n, depth = parameters.rows, parameters.columns, parameters.depth
    products = Products(m, n, 1, 1, np.zeros(1, np.int64), np.zeros(1, np.int64))
    left = Side(0, 1, m) if parameters.transpose_a else Side(0, depth, 1)
    right = Side(1, depth, 1) if parameters.transpose_b else Side(1, 1, n)
    build_products(builder, products, depth, left, right)
    y = flat(builder.results[0])
    c = builder.optional(2)
    if c is not None:
        column_stride = int(c.ndim > 0 and c.shape[-1] > 1)
        row_stride = c.shape[-1] if c.ndim == 2 and c.shape[0] > 1 else 0
        factors = (flat(c), row_stride, column_stride, parameters.beta)
        builder.add(scale_and_add, y, m, n, parameters.alpha, *factors)
    elif parameters.alpha != 1:
        builder.add(scale_only, y, parameters.alpha)


def build_products(
    builder: StepBuilder, products: Products, depth: int, left: Side, right: Side
) -> None:
    """Plan the packing of both sides, constants now and the rest in every run, then the product."""
    level = builder.level
    if not products.fit(builder, (left, right), depth):
        a = (flat(builder.operand(left.index)), products.left_index, left.strides)
        b = (flat(builder.operand(right.index)), products.right_index, right.strides)
        extents = (products.rows, products.columns, depth)
        builder.add(direct.product_f32, *a, *b, *extents, flat(builder.results[0]))
        return
    left_size = 1 if products.rows == 1 else level.rows
    builder.add(
        multiply_f32(level),
        packed(builder, left, products.left_count, products.rows, depth, left_size),
        products.left_index,
        packed(builder, right, products.right_count, products.columns, depth, level.width),
        products.right_index,
        products.rows,
        products.columns,
        depth,
        np.full(level.rows, -0.0, np.float32),
        builder.scratch("float32", level.rows * level.width),
        flat(builder.results[0]),
    )


def packed(builder: StepBuilder, side: Side, count: int, rows: int, depth: int, size: int) -> Any:
    """Return `count` matrices in panels of `size`, packed now if constant, else by a step."""
    shape = (count, rows, depth)
    constant = builder.constant(side.index)
    if constant is not None:
        return flat(np.concatenate([pack_rows(m, size) for m in side.matrices(constant, shape)]))
    panels = builder.scratch("float32", count * -(-rows // size) * size * depth)
    source = flat(builder.operand(side.index))
    builder.add(pack_strided, source, side.row_stride, side.depth_stride, *shape, size, panels)
    return panels
