"""Operators that copy elements to other places, as launches of `kernels/movement.cu`."""

from collections.abc import Callable, Sequence
from math import prod
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor, dense_steps
from cvm.inference.backends.cuda.elementwise import stretching_steps
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Word
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.concat import ConcatParameters
from cvm.inference.operators.depth_to_space import BlockParameters
from cvm.inference.operators.pad import PadParameters, source_places
from cvm.inference.operators.resize import ResizeParameters
from cvm.inference.operators.resize_coordinates import linear_taps, nearest_places
from cvm.inference.operators.slice import SliceParameters
from cvm.inference.operators.split import SplitParameters
from cvm.inference.operators.tile import TileParameters
from cvm.inference.operators.transpose import TransposeParameters
from cvm.inference.operators.trilu import TriluParameters
from cvm.inference.tensor_type import Array

Builder = Callable[[LaunchBuilder], None]


def build_concat(builder: LaunchBuilder) -> None:
    """Launch Concat-13: each input is copied to its place along the axis."""
    composer = Composer(builder)
    by: ConcatParameters = builder.node.parameters
    y = composer.result()
    steps, first = dense_steps(y.shape), 0
    for index in range(len(builder.node.inputs)):
        x = composer.operand(index)
        composer.walk(x.shape, x, dense_steps(x.shape), y.part(first, *y.shape), steps)
        first += x.shape[by.axis] * steps[by.axis]


def build_split(builder: LaunchBuilder) -> None:
    """Launch Split-18: each output is copied from its place along the axis."""
    composer = Composer(builder)
    by: SplitParameters = builder.node.parameters
    x = composer.operand(0)
    steps, first = dense_steps(x.shape), 0
    for index, length in enumerate(by.lengths):
        y = composer.result(index)
        composer.walk(y.shape, x.part(first, *x.shape), steps, y, dense_steps(y.shape))
        first += length * steps[by.axis]


def build_slice(builder: LaunchBuilder) -> None:
    """Launch Slice-13."""
    composer = Composer(builder)
    by: SliceParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    steps = dense_steps(x.shape)
    first = sum(start * step for start, step in zip(by.starts, steps, strict=True))
    strides = [own * step for own, step in zip(by.steps, steps, strict=True)]
    composer.walk(y.shape, x.part(first, *x.shape), strides, y, dense_steps(y.shape))


def build_transpose(builder: LaunchBuilder) -> None:
    """Launch Transpose-21."""
    composer = Composer(builder)
    by: TransposeParameters = builder.node.parameters
    composer.permuted(composer.operand(0), by.order, composer.result())


def build_blocks(builder: LaunchBuilder) -> None:
    """Launch DepthToSpace-13 or SpaceToDepth-13: a transposition of split axes."""
    composer = Composer(builder)
    by: BlockParameters = builder.node.parameters
    composer.permuted(composer.operand(0).shaped(*by.split_shape), by.order, composer.result())


def build_expand(builder: LaunchBuilder) -> None:
    """Launch Expand-13: a step of 0 along the axes that repeat."""
    composer = Composer(builder)
    x, y = composer.operand(0), composer.result()
    composer.walk(y.shape, x, stretching_steps(x.shape, y.shape), y, dense_steps(y.shape))


def build_copy(builder: LaunchBuilder) -> None:
    """Launch Dropout-13: the input, and a mask of true where it is wanted."""
    composer = Composer(builder)
    composer.copy(composer.operand(0), composer.result())
    if len(builder.node.outputs) > 1:
        composer.fill(composer.constant(np.ones((), np.bool_)), composer.result(1))


def add_mapped(composer: Composer, x: Tensor, maps: Sequence[Array], y: Tensor) -> None:
    """Append a copy whose place i of axis a is place `maps[a][i]` of x."""
    steps = dense_steps(x.shape)
    tables = [np.asarray(places) * step for places, step in zip(maps, steps, strict=True)]
    lengths = [len(table) for table in tables]
    starts = [sum(lengths[:axis]) for axis in range(len(lengths))]
    unused = (0,) * (MAX_RANK - len(lengths))
    table = composer.constant(np.concatenate([np.zeros(0, np.int64), *tables]).astype(np.int32))
    composer.launch(
        "movement",
        f"copy_mapped_{y.width}",
        y.size,
        *(y.place, x.place, table.place, y.size, len(lengths)),
        *(*lengths, *unused, *starts, *unused),
    )


def build_tile(builder: LaunchBuilder) -> None:
    """Launch Tile-13."""
    composer = Composer(builder)
    by: TileParameters = builder.node.parameters
    x = composer.operand(0)
    pairs = zip(x.shape, by.repeats, strict=True)
    maps = [np.arange(length * count) % max(length, 1) for length, count in pairs]
    add_mapped(composer, x, maps, composer.result())


def build_pad(builder: LaunchBuilder) -> None:
    """Launch Pad-21: places by a table, or the value everywhere and then what stays of the data."""
    composer = Composer(builder)
    by: PadParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    if by.mode != "constant":
        maps = [source_places(by, axis) for axis in range(len(y.shape))]
        add_mapped(composer, x, maps, y)
        return
    value = composer.optional(2)
    composer.fill(composer.constant(np.zeros((), x.dtype)) if value is None else value, y)
    x_steps, y_steps = dense_steps(x.shape), dense_steps(y.shape)
    lengths, source, target = [], 0, 0
    for axis, before in enumerate(by.before):
        low, high = max(0, before), min(y.shape[axis], before + x.shape[axis])
        lengths.append(max(high - low, 0))
        source += (low - before) * x_steps[axis]
        target += low * y_steps[axis]
    kept, places = x.part(source, *x.shape), y.part(target, *y.shape)
    composer.walk(tuple(lengths), kept, x_steps, places, y_steps)


def build_resize(builder: LaunchBuilder) -> None:
    """Launch Resize-19: places by a table, or one interpolation per axis, from the last."""
    composer = Composer(builder)
    by: ResizeParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    if by.nearest_mode:
        maps = [np.arange(length) for length in x.shape]
        for entry in by.resized:
            maps[entry.axis] = nearest_places(entry, by.transformation, by.nearest_mode)
        add_mapped(composer, x, maps, y)
        return
    if not by.resized:
        composer.copy(x, y)
    for entry in by.resized:
        taps = linear_taps(entry, by.transformation)
        shape = (*x.shape[: entry.axis], entry.length, *x.shape[entry.axis + 1 :])
        made = y if entry is by.resized[-1] else composer.scratch(x.dtype, *shape)
        tables = (
            *(taps.low.astype(np.int32), taps.high.astype(np.int32)),
            *(taps.low_weight, taps.high_weight, taps.single),
        )
        words: list[Word] = [made.place, x.place]
        words += [composer.constant(table).place for table in tables]
        words += [made.size, entry.original, entry.length, prod(shape[entry.axis + 1 :])]
        composer.launch("running", "interpolate", made.size, *words)
        x = made


def build_trilu(builder: LaunchBuilder) -> None:
    """Launch Trilu-14 by a constant mask of one matrix."""
    composer = Composer(builder)
    by: TriluParameters = builder.node.parameters
    x = composer.operand(0)
    rows, columns = x.shape[-2:]
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    kept = distance >= by.diagonal if by.upper else distance <= by.diagonal
    zero = composer.constant(np.zeros((), x.dtype))
    composer.where(composer.constant(kept), x, zero, composer.result())


def build_known(builder: LaunchBuilder) -> None:
    """Launch the copy of a result that is known when planning: the definition makes it there."""
    composer = Composer(builder)
    node = builder.node
    constants = node.view.constants
    absent = (None,) * (node.spec.operand_count() - len(constants))
    with np.errstate(all="ignore"):
        (value,) = node.spec.run(node.parameters, *constants, *absent)
    composer.copy(composer.constant(np.asarray(value)), composer.result())


BUILDERS = MappingProxyType[str, Builder](
    {
        "Concat": build_concat,
        "ConstantOfShape": build_known,
        "DepthToSpace": build_blocks,
        "Dropout": build_copy,
        "Expand": build_expand,
        "EyeLike": build_known,
        "Pad": build_pad,
        "Range": build_known,
        "Resize": build_resize,
        "Shape": build_known,
        "Size": build_known,
        "Slice": build_slice,
        "SpaceToDepth": build_blocks,
        "Split": build_split,
        "Tile": build_tile,
        "Transpose": build_transpose,
        "Trilu": build_trilu,
    }
)
