"""Einsum: both operands as stacks of matrices, then the product of packed panels."""

from dataclasses import replace
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import direct
from cvm.inference.backends.cpu.copying import Walk, add_copy, dense_steps, words
from cvm.inference.backends.cpu.gemm_f32 import multiply_f32
from cvm.inference.backends.cpu.panels import pack_strided
from cvm.inference.backends.cpu.step_builder import Scratch, StepBuilder, flat
from cvm.inference.operators.einsum import EinsumParameters, joined
from cvm.inference.tensor_type import Array

Parts = tuple[tuple[int, ...], ...]
Strides = tuple[int, int]


def build(builder: StepBuilder) -> None:
    """Plan an Einsum; operands that lie as a product wants them are not moved."""
    parameters: EinsumParameters = builder.node.parameters
    shape = parameters.product
    count = shape.batch_shape[0]
    m, n, depth = shape.rows, shape.columns, shape.depth
    a, a_strides = source_of(builder, 0, parameters.a_parts, (depth, 1), (1, m))
    batch, summed, columns = parameters.b_parts
    b, b_strides = source_of(builder, 1, (batch, columns, summed), (depth, 1), (1, n))
    in_order = parameters.result_order == tuple(range(len(parameters.result_order)))
    y: Any = flat(builder.results[0])
    made = y if in_order else builder.scratch("float32", count * m * n)
    add_products(builder, (count, m, n, depth), (a, a_strides), (b, b_strides), made)
    if not in_order:
        steps = dense_steps(parameters.made_shape)
        source = Walk(0, [steps[axis] for axis in parameters.result_order])
        target = Walk(0, dense_steps(parameters.output_shape))
        add_copy(builder, parameters.output_shape, as_words(made), source, words(y), target)


def source_of(
    builder: StepBuilder, index: int, parts: Parts, plain: Strides, turned: Strides
) -> tuple[Any, Strides]:
    """Return an operand as a stack of matrices, and the strides of a row and of the depth.

    `parts` are the axes of batch, rows and depth. The strides are `plain` where the operand lies
    in that order, or is moved into it, and `turned` where the depth stands before the rows.
    """
    operand = builder.operand(index)
    order = joined(parts)
    in_place = tuple(range(operand.ndim))
    if order == in_place:
        return flat(operand), plain
    if joined((parts[0], parts[2], parts[1])) == in_place:
        return flat(operand), turned
    moved = builder.scratch("float32", operand.size)
    steps = dense_steps(operand.shape)
    lengths = tuple(operand.shape[axis] for axis in order)
    source, target = Walk(0, [steps[axis] for axis in order]), Walk(0, dense_steps(lengths))
    add_copy(builder, lengths, words(operand), source, as_words(moved), target)
    return moved, plain


def as_words(place: Scratch) -> Scratch:
    """Return scratch of float32 as words."""
    return replace(place, dtype="uint32")


def add_products(
    builder: StepBuilder,
    extents: tuple[int, int, int, int],
    a: tuple[Any, Strides],
    b: tuple[Any, Strides],
    y: Any,
) -> None:
    """Plan the products of two stacks of matrices of (count, rows, columns, depth)."""
    count, m, n, depth = extents
    level = builder.level
    index = np.arange(count)
    sizes = (1 if m == 1 else level.rows, level.width)
    panels = [
        count * -(-rows // size) * size * depth for rows, size in zip((m, n), sizes, strict=True)
    ]
    if not builder.allows(builder.scratch_bytes + 4 * sum(panels), 0):
        builder.add(direct.product_f32, a[0], index, a[1], b[0], index, b[1], m, n, depth, y)
        return
    packed: list[Any] = []
    for (source, strides), rows, size, panel in zip((a, b), (m, n), sizes, panels, strict=True):
        target = builder.scratch("float32", panel)
        builder.add(pack_strided, source, *strides, count, rows, depth, size, target)
        packed.append(target)
    no_bias: Array = np.full(level.rows, -0.0, np.float32)
    tile = builder.scratch("float32", level.rows * level.width)
    left, right = packed
    builder.add(multiply_f32(level), left, index, right, index, m, n, depth, no_bias, tile, y)
