"""MatMulInteger and QLinearMatMul as launches of `kernels/products_int8.cu`."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.backends.cuda.composition import Composer
from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.backends.cuda.packing import (
    OFFSETS,
    carried_zero,
    flip_of,
    packed_along,
    result_words,
    words_of,
)
from cvm.inference.backends.cuda.stacks import matrix_count, stack_words, tile_size
from cvm.inference.operators.matmul_integer import MatMulIntegerParameters
from cvm.inference.operators.qlinear_matmul import QLinearMatMulParameters
from cvm.inference.tensor_type import Array, Shape

Parameters = MatMulIntegerParameters | QLinearMatMulParameters

SOURCE = "products_int8"


@dataclass(frozen=True, slots=True)
class Packed:
    """An operand as words (outer, words, inner), packed along its depth."""

    place: Place
    outer: int
    words: int
    inner: int


def build_matmul_integer(builder: LaunchBuilder) -> None:
    """Launch MatMulInteger-10."""
    by: MatMulIntegerParameters = builder.node.parameters
    row_zeros = _computed_zeros(builder, by) if by.has_computed_a_zero else None
    _build(builder, by, 1, result_words(builder, None, 0, "int32"), row_zeros)


def build_qlinear_matmul(builder: LaunchBuilder) -> None:
    """Launch QLinearMatMul-21."""
    by: QLinearMatMulParameters = builder.node.parameters
    _build(builder, by, 3, result_words(builder, by.multiplier, by.y_zero, by.y_dtype))


def _computed_zeros(builder: LaunchBuilder, by: MatMulIntegerParameters) -> Place:
    """Return the zero points of the rows where a run computes the one of a."""
    composer = Composer(builder)
    zero = composer.cast(composer.operand(2), "int32").shaped(1)
    offset = composer.constant(np.full(by.rows, OFFSETS[builder.operand_type(0).dtype], np.int32))
    return composer.binary("sub", zero, offset).place


def _build(
    builder: LaunchBuilder,
    by: Parameters,
    b_index: int,
    result: tuple[Word, ...],
    row_zeros: Place | None = None,
) -> None:
    """Append packing, the sums that zero points multiply, and the product.

    `row_zeros` are those of the rows of a, if the run computes them.
    """
    a = _packed(builder, 0, by.a_shape, len(by.a_shape) - 1)
    b = _packed(builder, b_index, by.b_shape, len(by.b_shape) - 2)
    a_zero = carried_zero(by.a_zero, builder.operand_type(0).dtype)
    b_zero = carried_zero(by.b_zero, builder.operand_type(b_index).dtype)
    correction = (
        *_zeros_and_sums(builder, a_zero, b, row_zeros),
        *_zeros_and_sums(builder, b_zero, a),
        None,
        1,
        by.depth,
    )
    size = tile_size(by.rows, by.columns)
    words = (
        a.place,
        b.place,
        by.rows,
        by.columns,
        a.words,
        *stack_words(by),
        *correction,
        *result,
    )
    blocks = matrix_count(by) * size.blocks(by.rows, by.columns)
    builder.add(Kernel(SOURCE, f"product_int8_{size.suffix}"), blocks, words)


def _packed(builder: LaunchBuilder, index: int, shape: Shape, axis: int) -> Packed:
    """Return an operand in words: a constant packed when planning, another by a kernel."""
    outer, depth, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    words = words_of(depth)
    constant = builder.constant(index)
    if constant is not None:
        return Packed(builder.table(packed_along(constant, shape, axis)), outer, words, inner)
    packed = Packed(builder.scratch("int32", outer, words, inner), outer, words, inner)
    size = outer * words * inner
    flip = flip_of(builder.operand_type(index).dtype)
    record = (packed.place, builder.operand(index), size, depth, words, inner, flip)
    builder.add_over(Kernel(SOURCE, "pack_words"), size, record)
    return packed


def _zeros_and_sums(
    builder: LaunchBuilder, zeros: Array, other: Packed, computed: Place | None = None
) -> tuple[Place | None, Place | None]:
    """Return zero points and the other operand's sums, or neither where all zeros are 0."""
    if computed is None and not zeros.any():
        return None, None
    sums = builder.scratch("int32", other.outer, other.inner)
    size = other.outer * other.inner
    record = (sums, other.place, size, other.words, other.inner)
    builder.add_over(Kernel(SOURCE, "word_sums"), size, record)
    return builder.table(zeros) if computed is None else computed, sums
