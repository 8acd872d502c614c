"""Copies by a table for each axis: Tile, Pad (reflect, edge, wrap) and Resize (nearest)."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.backends.cpu import copying
from cvm.inference.backends.cpu.copying import dense_steps, words
from cvm.inference.backends.cpu.elementwise import Six, as_six
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.pad import PadParameters, source_places
from cvm.inference.operators.resize import ResizeParameters
from cvm.inference.operators.resize_coordinates import nearest_places
from cvm.inference.operators.tile import TileParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def copy_mapped(x: Array, places: Array, starts: Six, lengths: Six, run: int, y: Array) -> None:
    """Write y row-major: the run of `run` elements whose place is the sum of a place of each axis.

    Axis a has the places `places[starts[a] : starts[a] + lengths[a]]`. A row that repeats the one
    before it is copied from there.
    """
    inner = lengths[5] * run
    at, before = 0, np.int64(-1)
    for i0 in range(lengths[0]):
        for i1 in range(lengths[1]):
            for i2 in range(lengths[2]):
                base = np.int64(places[starts[0] + i0])
                base += np.int64(places[starts[1] + i1]) + np.int64(places[starts[2] + i2])
                for i3 in range(lengths[3]):
                    for i4 in range(lengths[4]):
                        row = base + np.int64(places[starts[3] + i3])
                        row += np.int64(places[starts[4] + i4])
                        target = y[at : at + inner]
                        if row == before:
                            same = y[at - inner : at]
                            for q in range(inner):
                                target[q] = same[q]
                        elif run == 1:
                            source, table = x[row:], places[starts[5] :]
                            for q in range(inner):
                                target[q] = source[table[q]]
                        else:
                            for i5 in range(lengths[5]):
                                source = x[row + np.int64(places[starts[5] + i5]) :]
                                part = target[i5 * run :]
                                for q in range(run):
                                    part[q] = source[q]
                        before = row
                        at += inner


def add_mapped(builder: StepBuilder, maps: Sequence[Array | None]) -> None:
    """Plan a copy whose place i of axis a is place `maps[a][i]` of the input; None: every place."""
    x, y = builder.operand(0), builder.results[0]
    steps = dense_steps(x.shape)
    axes, run = list(range(x.ndim)), 1
    while axes and maps[axes[-1]] is None:
        run *= x.shape[axes.pop()]
    tables = [np.zeros(1, np.uint32)] * (MAX_RANK - len(axes))
    for axis in axes:
        chosen = maps[axis]
        places = np.arange(x.shape[axis]) if chosen is None else chosen
        tables.append((places * steps[axis]).astype(np.uint32))
    lengths = tuple(map(len, tables))
    starts = as_six(tuple(int(start) for start in np.cumsum((0, *lengths[:-1]))))
    places = np.concatenate(tables)
    builder.add(copy_mapped, words(x), places, starts, as_six(lengths), run, words(y))


def build_tile(builder: StepBuilder) -> None:
    """Plan a Tile."""
    parameters: TileParameters = builder.node.parameters
    shape = builder.operand(0).shape
    add_mapped(
        builder,
        [
            None if count == 1 else np.arange(length * count) % max(length, 1)
            for length, count in zip(shape, parameters.repeats, strict=True)
        ],
    )


def build_pad(builder: StepBuilder) -> None:
    """Plan a Pad."""
    parameters: PadParameters = builder.node.parameters
    if parameters.mode == "constant":
        copying.add_constant_pad(builder)
        return
    shapes = zip(parameters.input_shape, parameters.output_shape, strict=True)
    add_mapped(
        builder,
        [
            None if before == after else source_places(parameters, axis)
            for axis, (before, after) in enumerate(shapes)
        ],
    )


def add_nearest(builder: StepBuilder) -> None:
    """Plan a Resize in mode nearest."""
    parameters: ResizeParameters = builder.node.parameters
    maps: list[Array | None] = [None] * len(parameters.output_shape)
    for entry in parameters.resized:
        chosen = nearest_places(entry, parameters.transformation, parameters.nearest_mode)
        if not np.array_equal(chosen, np.arange(entry.original)):
            maps[entry.axis] = chosen
    add_mapped(builder, maps)
