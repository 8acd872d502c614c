"""Strided copies: Concat, Split, Slice, Transpose, Expand, DepthToSpace, SpaceToDepth and Pad.

Elements are moved as words of their size, whatever their dtype.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cvm.inference.backends.cpu.elementwise import Six, as_six, steps_of
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.tile_transpose import TILE_SIZES, transpose_tile
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.concat import ConcatParameters
from cvm.inference.operators.depth_to_space import BlockParameters
from cvm.inference.operators.pad import PadParameters
from cvm.inference.operators.result_type import ResultType
from cvm.inference.operators.slice import SliceParameters
from cvm.inference.operators.split import SplitParameters
from cvm.inference.operators.transpose import TransposeParameters
from cvm.inference.tensor_type import Array, Shape
from cvm.native_code import kernel

BLOCK = 32
"""Rows and columns that are transposed at once, so that their lines stay in the first cache."""

WORDS = {1: "uint8", 4: "uint32", 8: "uint64"}
"""By element size, the dtype as which elements are moved."""


@kernel
def copy_runs(
    x: Array, x_start: int, x_steps: Six, y: Array, y_start: int, y_steps: Six, lengths: Six
) -> None:
    """Copy element x_start + sum(i * x_steps) to y_start + sum(i * y_steps), in runs."""
    run, x_step, y_step = lengths[5], x_steps[5], y_steps[5]
    for i0 in range(lengths[0]):
        for i1 in range(lengths[1]):
            for i2 in range(lengths[2]):
                i = x_start + i0 * x_steps[0] + i1 * x_steps[1] + i2 * x_steps[2]
                j = y_start + i0 * y_steps[0] + i1 * y_steps[1] + i2 * y_steps[2]
                for i3 in range(lengths[3]):
                    for i4 in range(lengths[4]):
                        at = i + i3 * x_steps[3] + i4 * x_steps[4]
                        to = j + i3 * y_steps[3] + i4 * y_steps[4]
                        source, target = x[at:], y[to:]
                        if x_step == 1 and y_step == 1:
                            for q in range(run):
                                target[q] = source[q]
                        elif x_step == 0 and y_step == 1:
                            value = source[0]
                            for q in range(run):
                                target[q] = value
                        elif y_step == 1:
                            for q in range(run):
                                target[q] = x[np.uint64(at + q * x_step)]
                        else:
                            for q in range(run):
                                y[np.uint64(to + q * y_step)] = x[np.uint64(at + q * x_step)]


@cache
def copy_blocks(size: int) -> Callable[..., None]:
    """Return the kernel that copies as `copy_runs` does, the last two axes in square blocks.

    x is dense along the axis before the last, y along the last. `size` is that of a tile.
    """

    @kernel
    def copy(
        x: Array, x_start: int, x_steps: Six, y: Array, y_start: int, y_steps: Six, lengths: Six
    ) -> None:
        x_step, y_step = x_steps[5], y_steps[4]
        for i0 in range(lengths[0]):
            for i1 in range(lengths[1]):
                for i2 in range(lengths[2]):
                    for i3 in range(lengths[3]):
                        i = x_start + i0 * x_steps[0] + i1 * x_steps[1] + i2 * x_steps[2]
                        j = y_start + i0 * y_steps[0] + i1 * y_steps[1] + i2 * y_steps[2]
                        i += i3 * x_steps[3]
                        j += i3 * y_steps[3]
                        for row in range(0, lengths[4], BLOCK):
                            rows = min(BLOCK, lengths[4] - row)
                            for column in range(0, lengths[5], BLOCK):
                                columns = min(BLOCK, lengths[5] - column)
                                at = i + row + column * x_step
                                to = j + row * y_step + column
                                copy_block(size, x, at, x_step, y, to, y_step, rows, columns)

    return copy


@kernel
def copy_block(
    size: int,
    x: Array,
    at: int,
    x_step: int,
    y: Array,
    to: int,
    y_step: int,
    rows: int,
    columns: int,
) -> None:
    """Write y[to + r * y_step + c] = x[at + c * x_step + r], by tiles as far as they are whole."""
    whole_rows, whole_columns = rows // size * size, columns // size * size
    for c in range(0, whole_columns, size):
        for r in range(0, whole_rows, size):
            transpose_tile(size, x, at + c * x_step + r, x_step, y, to + r * y_step + c, y_step)
    for r in range(rows):
        for c in range(whole_columns if r < whole_rows else 0, columns):
            y[np.uint64(to + r * y_step + c)] = x[np.uint64(at + c * x_step + r)]


@kernel
def fill(value: Array, y: Array) -> None:
    """Write one element everywhere."""
    for i in range(len(y)):
        y[i] = value[0]


@dataclass(frozen=True, slots=True)
class Walk:
    """How a tensor is walked: where the first element lies, and the step along each axis."""

    start: int
    steps: Sequence[int]


def words(array: Array) -> Array:
    """Return the elements as one axis of words, without a copy."""
    return flat(array).view(WORDS[array.itemsize])


def dense_steps(shape: Shape) -> list[int]:
    """Return the step along each axis of a row-major tensor."""
    steps, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        steps[axis] = step
        step *= shape[axis]
    return steps


def add_copy(
    builder: StepBuilder, lengths: Sequence[int], x: Any, source: Walk, y: Any, target: Walk
) -> None:
    """Plan a copy of the elements that two walks over the same lengths meet.

    `x` and `y` are words, or scratch of a dtype of words.
    """
    axes = merged(lengths, source.steps, target.steps)
    if 0 in lengths:
        return
    dense = [axis for axis in axes if axis[1] == 1]
    copy: Callable[..., None] = copy_runs
    if axes[-1][1] not in (0, 1) and axes[-1][2] == 1 and dense:
        axes.remove(dense[-1])
        size = TILE_SIZES[np.dtype(x.dtype).itemsize]
        if min(dense[-1][0], axes[-1][0]) >= size:
            axes.insert(len(axes) - 1, dense[-1])
            copy = copy_blocks(size)
        else:
            axes.insert(len(axes) - (dense[-1][0] <= axes[-1][0]), dense[-1])
    axes = [(1, 0, 0)] * (MAX_RANK - len(axes)) + axes
    columns = [as_six(tuple(column)) for column in zip(*axes, strict=True)]
    builder.add(copy, x, source.start, columns[1], y, target.start, columns[2], columns[0])


def merged(
    lengths: Sequence[int], x_steps: Sequence[int], y_steps: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return (length, step in x, step in y) of the fewest axes that make the same walk."""
    axes: list[tuple[int, int, int]] = []
    for length, x_step, y_step in zip(lengths, x_steps, y_steps, strict=True):
        if length == 1:
            continue
        if axes and axes[-1][1:] == (x_step * length, y_step * length):
            axes[-1] = (axes[-1][0] * length, x_step, y_step)
        else:
            axes.append((length, x_step, y_step))
    return axes or [(1, 1, 1)]


def build_concat(builder: StepBuilder) -> None:
    """Plan a Concat: each input is copied to its place along the axis."""
    parameters: ConcatParameters = builder.node.parameters
    result = builder.results[0]
    steps = dense_steps(result.shape)
    start = 0
    for index in range(len(builder.node.inputs)):
        x = builder.operand(index)
        source, target = Walk(0, dense_steps(x.shape)), Walk(start, steps)
        add_copy(builder, x.shape, words(x), source, words(result), target)
        start += x.shape[parameters.axis] * steps[parameters.axis]


def build_split(builder: StepBuilder) -> None:
    """Plan a Split: each output is copied from its place along the axis."""
    parameters: SplitParameters = builder.node.parameters
    x = builder.operand(0)
    steps = dense_steps(x.shape)
    start = 0
    for result in builder.results:
        source, target = Walk(start, steps), Walk(0, dense_steps(result.shape))
        add_copy(builder, result.shape, words(x), source, words(result), target)
        start += result.shape[parameters.axis] * steps[parameters.axis]


def add_gather(builder: StepBuilder, lengths: Shape, source: Walk) -> None:
    """Plan a copy of input 0 by a walk over `lengths` to the one result, row-major."""
    x, y = words(builder.operand(0)), words(builder.results[0])
    add_copy(builder, lengths, x, source, y, Walk(0, dense_steps(lengths)))


def build_slice(builder: StepBuilder) -> None:
    """Plan a Slice."""
    parameters: SliceParameters = builder.node.parameters
    steps = dense_steps(builder.operand(0).shape)
    start = sum(first * step for first, step in zip(parameters.starts, steps, strict=True))
    strides = [own * step for own, step in zip(parameters.steps, steps, strict=True)]
    add_gather(builder, parameters.output_shape, Walk(start, strides))


def build_transpose(builder: StepBuilder) -> None:
    """Plan a Transpose."""
    parameters: TransposeParameters = builder.node.parameters
    steps = dense_steps(builder.operand(0).shape)
    source = Walk(0, [steps[axis] for axis in parameters.order])
    add_gather(builder, parameters.output_shape, source)


def build_blocks(builder: StepBuilder) -> None:
    """Plan a DepthToSpace or SpaceToDepth: a transposition of split axes."""
    parameters: BlockParameters = builder.node.parameters
    steps = dense_steps(parameters.split_shape)
    lengths = tuple(parameters.split_shape[axis] for axis in parameters.order)
    add_gather(builder, lengths, Walk(0, [steps[axis] for axis in parameters.order]))


def build_expand(builder: StepBuilder) -> None:
    """Plan an Expand: a step of 0 along the axes that repeat."""
    parameters: ResultType = builder.node.parameters
    steps = steps_of(builder.operand(0).shape, parameters.output_shape)
    add_gather(builder, parameters.output_shape, Walk(0, steps))


def add_constant_pad(builder: StepBuilder) -> None:
    """Plan a Pad in mode constant: the value everywhere, then the part of the data that stays."""
    parameters: PadParameters = builder.node.parameters
    x, result, value = builder.operand(0), builder.results[0], builder.optional(2)
    builder.add(fill, words(np.zeros(1, x.dtype) if value is None else value), words(result))
    x_steps, y_steps = dense_steps(x.shape), dense_steps(result.shape)
    lengths, source, target = [], 0, 0
    for axis, before in enumerate(parameters.before):
        low = max(0, before)
        high = min(result.shape[axis], before + x.shape[axis])
        lengths.append(max(high - low, 0))
        source += (low - before) * x_steps[axis]
        target += low * y_steps[axis]
    add_copy(
        builder, lengths, words(x), Walk(source, x_steps), words(result), Walk(target, y_steps)
    )
