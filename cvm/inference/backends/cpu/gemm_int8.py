"""Integer matrix products of packed panels, their zero-point terms, and requantisation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import direct
from cvm.inference.backends.cpu.feature_level import QUADS, FeatureLevel
from cvm.inference.backends.cpu.micro_kernel_int8 import dot_tile_int8
from cvm.inference.backends.cpu.panels import (
    SIGN,
    pack_pairs,
    pack_quads,
    pack_rows,
    packed_shift,
    words_of,
)
from cvm.inference.backends.cpu.products import Products, Side
from cvm.inference.backends.cpu.scalar_operations import requantise
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat, flat_bytes
from cvm.inference.operators.matmul_integer import MatMulIntegerParameters
from cvm.inference.operators.qlinear_matmul import QLinearMatMulParameters
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@cache
def multiply_int8(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that adds up packed words; see `multiply_f32` for the layout.

    With `correct_zero_points` it equals `operators.matmul_integer`. `no_terms` holds
    `level.rows` zeros.
    """
    lanes, vectors, rows, width = level.lanes, level.vectors, level.rows, level.width
    word_depth = level.word_depth

    @kernel
    def multiply(
        left: Array,
        left_index: Array,
        right: Array,
        right_index: Array,
        m: int,
        n: int,
        words: int,
        no_terms: Array,
        tile: Array,
        y: Array,
    ) -> None:
        left_size = words if m == 1 else (m + rows - 1) // rows * rows * words
        right_size = (n + width - 1) // width * width * words
        for product in range(len(left_index)):
            a = left_index[product] * left_size
            for column in range(0, n, width):
                b = right_index[product] * right_size + column * words
                count = min(width, n - column)
                if m == 1:
                    dot_tile_int8(
                        word_depth, lanes, vectors, 1, width,
                        left, a, right, b, no_terms, 0, tile, 0, width, words,
                    )  # fmt: skip
                    for j in range(count):
                        y[product * n + column + j] = tile[j]
                    continue
                for row in range(0, m, rows):
                    out = (product * m + row) * n + column
                    if count == width and row + rows <= m:
                        dot_tile_int8(
                            word_depth, lanes, vectors, rows, width,
                            left, a + row * words, right, b, no_terms, 0, y, out, n, words,
                        )  # fmt: skip
                        continue
                    if count <= lanes:
                        dot_tile_int8(
                            word_depth, lanes, 1, rows, width,
                            left, a + row * words, right, b, no_terms, 0, tile, 0, width, words,
                        )  # fmt: skip
                    else:
                        dot_tile_int8(
                            word_depth, lanes, vectors, rows, width,
                            left, a + row * words, right, b, no_terms, 0, tile, 0, width, words,
                        )  # fmt: skip
                    for r in range(min(rows, m - row)):
                        for j in range(count):
                            y[out + r * n + j] = tile[r * width + j]

    return multiply


@kernel
def correct_zero_points(
    y: Array,
    left_index: Array,
    left_zeros: Array,
    left_sums: Array,
    right_index: Array,
    right_zeros: Array,
    right_sums: Array,
    depth: int,
) -> None:
    """Turn sums of a * b into sums of (a - za) * (b - zb), modulo 2**32.

    They are a.b - za * sum(b) - zb * sum(a) + depth * za * zb; the true value fits an int32, so
    the wrapped one is it.
    """
    m, n = len(left_zeros), len(right_zeros)
    for product in range(len(left_index)):
        for row in range(m):
            a_zero = np.int64(left_zeros[row])
            a_sum = np.int64(left_sums[left_index[product] * m + row]) - depth * a_zero
            at = (product * m + row) * n
            sums = right_index[product] * n
            for column in range(n):
                terms = a_zero * right_sums[sums + column] + a_sum * right_zeros[column]
                y[at + column] = np.int32(y[at + column] - terms)


@kernel
def subtract_zero_point(
    y: Array, zero: Array, column_sums: Array, right_index: Array, rows: int
) -> None:
    """Turn sums of a * b into sums of (a - zero) * b, given those of each column of each b."""
    columns = len(y) // (rows * len(right_index))
    a_zero = np.int64(zero[0])
    for row in range(rows * len(right_index)):
        sums = right_index[row // rows] * columns
        for column in range(columns):
            at = row * columns + column
            y[at] = np.int32(y[at] - a_zero * column_sums[sums + column])


@kernel
def requantise_all(
    sums: Array,
    inner: int,
    multipliers: Array,
    low: np.float32,
    high: np.float32,
    zero: int,
    y: Array,
) -> None:
    """Write sums as bytes: clip(rint(float32(sum) * multiplier), low, high) + zero.

    Multiplier `i // inner % len(multipliers)` belongs to sum i.
    """
    for i in range(len(sums)):
        multiplier = multipliers[i // inner % len(multipliers)]
        y[i] = np.uint8((requantise(sums[i], multiplier, low, high) + zero) & 0xFF)


def build_integer(builder: StepBuilder) -> None:
    """Plan a MatMulInteger; a zero point of a that is computed is taken out afterwards."""
    parameters: MatMulIntegerParameters = builder.node.parameters
    y = flat(builder.results[0])
    build_sums(builder, 0, 1, y)
    if parameters.has_computed_a_zero:
        products = Products.of(parameters)
        b = np.asarray(builder.constant(1)).reshape(parameters.b_shape).astype(np.int64)
        sums = np.zeros((*parameters.b_shape[:-2], parameters.columns), np.int64)
        for k in range(parameters.depth):
            sums += b[..., k, :] - parameters.b_zero
        zero = flat(builder.operand(2))
        builder.add(subtract_zero_point, y, zero, flat(sums), products.right_index, products.rows)


def build_qlinear(builder: StepBuilder) -> None:
    """Plan a QLinearMatMul: the sums, then requantisation by the column's multiplier."""
    parameters: QLinearMatMulParameters = builder.node.parameters
    y = builder.results[0]
    sums = builder.scratch("int32", y.size)
    build_sums(builder, 0, 3, sums)
    low, high = LIMITS[parameters.y_dtype]
    zero = parameters.y_zero
    bounds = (np.float32(low - zero), np.float32(high - zero), zero)
    builder.add(requantise_all, sums, 1, parameters.multiplier, *bounds, flat_bytes(y))


def build_sums(builder: StepBuilder, a_index: int, b_index: int, y: Any) -> None:
    """Plan the int32 sums of (a - za) * (b - zb) over a stack of matrices."""
    parameters: MatMulIntegerParameters | QLinearMatMulParameters = builder.node.parameters
    level, depth = builder.level, parameters.depth
    products = Products.of(parameters)
    m, n = products.rows, products.columns
    a_zero = np.tile(parameters.a_zero, m // parameters.rows)
    sides = (Side(a_index, depth, 1), Side(b_index, 1, n))
    if not products.fit(builder, sides, -(-depth // level.word_depth)):
        a = (flat(builder.operand(a_index)), products.left_index, sides[0].strides, a_zero)
        b = (flat(builder.operand(b_index)), products.right_index, sides[1].strides)
        builder.add(direct.product_int8, *a, *b, parameters.b_zero, depth, y)
        return
    left_size = 1 if m == 1 else level.rows
    a_shape, b_shape = (products.left_count, m, depth), (products.right_count, n, depth)
    left = packed_words(builder, sides[0], a_shape, left_size, a_zero, True)
    right = packed_words(builder, sides[1], b_shape, level.width, parameters.b_zero, False)
    builder.add(
        multiply_int8(level),
        left.panels,
        products.left_index,
        right.panels,
        products.right_index,
        m,
        n,
        -(-depth // level.word_depth),
        np.zeros(level.rows, np.int32),
        builder.scratch("int32", level.rows * level.width),
        y,
    )
    if left.zeros.any() or right.zeros.any():
        left_terms = (products.left_index, left.zeros, left.sums)
        right_terms = (products.right_index, right.zeros, right.sums)
        builder.add(correct_zero_points, y, *left_terms, *right_terms, depth)


@dataclass(frozen=True, slots=True)
class PackedSide:
    """Panels of words; per row or column the zero point as packed; per matrix and row the sum."""

    panels: Any
    zeros: Array
    sums: Any


def packed_words(
    builder: StepBuilder,
    side: Side,
    shape: tuple[int, int, int],
    size: int,
    zeros: Array,
    is_left: bool,
) -> PackedSide:
    """Return (count, rows, depth) in panels of words, packed now if constant, else by a step."""
    level = builder.level
    count, rows, depth = shape
    constant = builder.constant(side.index)
    if constant is not None:
        matrices = [words_of(m, zeros, level, is_left) for m in side.matrices(constant, shape)]
        return PackedSide(
            flat(np.concatenate([pack_rows(matrix.words, size) for matrix in matrices])),
            matrices[0].zeros,
            np.concatenate([matrix.sums for matrix in matrices]),
        )
    words = -(-depth // level.word_depth)
    panels = builder.scratch("int32", count * -(-rows // size) * size * words)
    operand = builder.operand(side.index)
    frame = (flat_bytes(operand), side.row_stride, side.depth_stride, *shape, size)
    if level.word_depth == QUADS:
        shift = packed_shift(str(operand.dtype), is_left)
        sums = builder.scratch("int32", count * rows)
        builder.add(pack_quads, *frame, abs(shift), is_left, sums, panels)
        return PackedSide(panels, zeros + np.int32(shift), sums)
    flip = SIGN if operand.dtype == np.int8 else 0
    builder.add(pack_pairs, *frame, flip, zeros + np.int32(flip), panels)
    none = np.zeros(rows, np.int32)
    return PackedSide(panels, none, none)
