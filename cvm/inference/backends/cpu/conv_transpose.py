"""float32 ConvTranspose: an ordinary convolution for each place that an output has in its stride.

Outputs whose positions leave the same remainder by the stride (a phase) are fed by the same taps of
the kernel, each at a fixed distance: that is a convolution of stride 1, which runs through the
kernel of `conv_f32`, its taps in the definition's order.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.conv_f32 import (
    EXACT_PRODUCT,
    conv_f32,
    has_smaller,
    may_lack_bias,
    padded_bias,
)
from cvm.inference.backends.cpu.im2col import SLACK, Planes, Window, write_planes
from cvm.inference.backends.cpu.negative_zeros import MAPS, fold_maps, holds_smaller
from cvm.inference.backends.cpu.panels import pack_rows
from cvm.inference.backends.cpu.scalar_operations import float_bits
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.conv_transpose import ConvTransposeParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

MAX_PHASES = 64
"""With more, and with three spatial axes, the definition runs."""


class Frame(NamedTuple):
    """Input and output planes, and how a position of the one feeds the other."""

    height: int
    width: int
    out_height: int
    out_width: int
    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int


@dataclass(frozen=True, slots=True)
class Phase:
    """Every `stride`-th output of an axis from `first` on: output j reads input j + distance."""

    first: int
    count: int
    taps: tuple[int, ...]
    distances: tuple[int, ...]


def frame_of(parameters: ConvTransposeParameters) -> Frame:
    """Return a convolution over one or two spatial axes as a two-dimensional one."""
    one = len(parameters.output_shape) == 1
    pairs = (
        (parameters.input_shape[2:], 1),
        (parameters.output_shape, 1),
        (parameters.weight_shape[2:], 1),
        (parameters.strides, 1),
        (parameters.dilations, 1),
        (parameters.pads_begin, 0),
    )
    return Frame(*(n for values, missing in pairs for n in (missing,) * one + values))


def phases_of(output: int, kernel: int, stride: int, dilation: int, pad: int) -> list[Phase]:
    """Return the phases of one axis, those without an output left out."""
    phases = []
    for first in range(min(stride, output)):
        taps = [t for t in range(kernel) if (first + pad - t * dilation) % stride == 0]
        distances = [(first + pad - t * dilation) // stride for t in taps]
        count = -(-(output - first) // stride)
        phases.append(Phase(first, count, tuple(taps), tuple(distances)))
    return phases


def margins(phases: list[Phase], length: int) -> tuple[int, int]:
    """Return how far outputs reach before the input, and beyond its end."""
    before = max((-d for phase in phases for d in phase.distances), default=0)
    after = max((phase.count + d - length for phase in phases for d in phase.distances), default=0)
    return max(before, 0), max(after, 0)


@kernel
def spread(
    source: Array, planes: int, rows: int, columns: int, frame: Frame, first: Array, y: Array
) -> None:
    """Write the outputs of a phase, which starts at `first`, to their places."""
    for plane in range(planes):
        for row in range(rows):
            at = (plane * rows + row) * columns
            out = plane * frame.out_height + first[0] + row * frame.stride_height
            out = out * frame.out_width + first[1]
            for j in range(columns):
                y[out + j * frame.stride_width] = source[at + j]


@kernel
def find_inside(frame: Frame, at: int, taps: Array, pixels: Array) -> tuple[int, int]:
    """Write the taps that feed an output from inside the input, with their pixels.

    Returns how many there are, and how many more lie outside.
    """
    top, left = at // frame.out_width + frame.pad_top, at % frame.out_width + frame.pad_left
    inside = outside = 0
    for kernel_row in range(frame.kernel_height):
        row = top - kernel_row * frame.dilation_height
        if row % frame.stride_height != 0:
            continue
        row //= frame.stride_height
        for kernel_column in range(frame.kernel_width):
            column = left - kernel_column * frame.dilation_width
            if column % frame.stride_width != 0:
                continue
            column //= frame.stride_width
            if 0 <= row < frame.height and 0 <= column < frame.width:
                taps[inside] = kernel_row * frame.kernel_width + kernel_column
                pixels[inside] = row * frame.width + column
                inside += 1
            else:
                outside += 1
    return inside, outside


@kernel
def restore_negative_zeros(
    x: Array,
    frame: Frame,
    weights: Array,
    bias: Array,
    smallest: float,
    groups: int,
    images: int,
    channels: int,
    maps: int,
    values: Array,
    places: Array,
    pixels: Array,
    totals: Array,
    y: Array,
) -> None:
    """Fold outputs +0 that a padded tap has touched, of maps without a bias, again.

    See `image_conv_f32.restore_negative_zeros`. `values`, `places`, `pixels` and `totals` are
    scratch.
    """
    if not has_smaller(x, smallest):
        return
    size, taps = frame.out_height * frame.out_width, frame.kernel_height * frame.kernel_width
    plane, padded_maps = frame.height * frame.width, len(bias) // groups
    for item in range(images * groups):
        group = item % groups
        start = group * channels * maps * taps
        for at in range(size):
            inside, outside = find_inside(frame, at, places, pixels)
            if outside == 0:
                continue
            for i in range(inside, inside * channels):
                places[i] = places[i - inside] + maps * taps
            for i in range(inside * channels):
                channel = item * channels + i // inside
                values[i] = x[channel * plane + pixels[i % inside]]
            if not holds_smaller(values, inside * channels, smallest):
                continue
            for first in range(0, maps, MAPS):
                ends = (start + first * taps, taps, start + (maps - 1) * taps)
                fold_maps(values, places, inside * channels, weights, *ends, totals)
                for m in range(first, min(first + MAPS, maps)):
                    place = (item * maps + m) * size + at
                    lacks_bias = float_bits(bias[group * padded_maps + m]) == -(2**31)
                    if lacks_bias and float_bits(y[place]) == 0:
                        y[place] = totals[m - first]


def build(builder: StepBuilder) -> None:
    """Plan a ConvTranspose over one or two spatial axes."""
    parameters: ConvTransposeParameters = builder.node.parameters
    if len(parameters.output_shape) > 2 or prod(parameters.strides) > MAX_PHASES:
        definition.build(builder)
        return
    frame = frame_of(parameters)
    axes = [phases_of(*frame[2 + axis : 12 : 2]) for axis in (0, 1)]
    low_high = [margins(phases, frame[axis]) for axis, phases in enumerate(axes)]
    rows, columns = (frame[axis] + sum(low_high[axis]) for axis in (0, 1))
    planes = parameters.input_shape[0] * parameters.input_shape[1]
    outputs = parameters.input_shape[0] * parameters.weight_shape[1] * parameters.group
    phase_size = outputs * max(p.count for p in axes[0]) * max(p.count for p in axes[1])
    depth = parameters.input_shape[1] // parameters.group * prod(parameters.weight_shape[2:])
    scratch = planes * rows * columns + phase_size + depth * builder.level.width
    if not builder.allows(4 * scratch, 8 * prod(parameters.weight_shape)):
        definition.build(builder)
        return
    source = flat(builder.operand(0))
    if any(map(any, low_high)):
        source = builder.scratch("float32", planes * rows * columns + SLACK)
        tops = Window(*frame[:2], 1, 1, 1, 1, 1, 1, low_high[0][0], low_high[1][0], 1, 1)
        layout = Planes(rows, columns, columns, rows * columns, columns, 1, 1, True)
        builder.add(write_planes, flat(builder.operand(0)), planes, tops, layout, source)
    bias = flat(padded_bias(builder, parameters.group, parameters.weight_shape[1]))
    origin = (low_high[0][0], low_high[1][0])
    add_phases(builder, frame, axes, source, bias, (rows, columns), origin, phase_size)
    if any(map(any, low_high)) and may_lack_bias(builder):
        add_restoring(builder, frame, bias)


def add_phases(
    builder: StepBuilder,
    frame: Frame,
    axes: list[list[Phase]],
    source: Array,
    bias: Array,
    padded: tuple[int, int],
    origin: tuple[int, int],
    phase_size: int,
) -> None:
    """Plan a convolution for each phase of the rows with each of the columns.

    `padded` are the lengths of the planes of `source`; the input starts there at `origin`.
    """
    parameters: ConvTransposeParameters = builder.node.parameters
    level, group, maps = builder.level, parameters.group, parameters.weight_shape[1]
    images, channels = parameters.input_shape[0], parameters.input_shape[1] // group
    weights = np.asarray(builder.constant(1)).reshape(
        group, channels, maps, frame.kernel_height, frame.kernel_width
    )
    y = flat(builder.results[0])
    is_whole = frame.stride_height == frame.stride_width == 1
    phase_y = y if is_whole else builder.scratch("float32", phase_size)
    depth = channels * prod(parameters.weight_shape[2:])
    panel = builder.scratch("float32", depth * level.width + SLACK)
    tile = builder.scratch("float32", level.rows * level.width)
    plane_size = padded[0] * padded[1]
    for vertical in axes[0]:
        for horizontal in axes[1]:
            own = weights[:, :, :, vertical.taps][:, :, :, :, horizontal.taps]
            matrices = own.transpose(0, 2, 1, 3, 4).reshape(group, maps, -1)
            row = np.array(vertical.distances, np.int64) + origin[0]
            column = np.array(horizontal.distances, np.int64) + origin[1]
            place = row[:, None] * padded[1] + column
            offsets = np.arange(channels)[:, None, None] * plane_size + place
            layout = Planes(
                *(padded[0], padded[1], padded[1], plane_size, padded[1]),
                *(vertical.count, horizontal.count, True),
            )
            builder.add(
                conv_f32(level),
                source,
                offsets.reshape(-1).astype(np.int64),
                layout,
                flat(np.concatenate([pack_rows(matrix, level.rows) for matrix in matrices])),
                bias,
                group,
                channels * plane_size,
                images,
                maps,
                panel,
                tile,
                phase_y,
            )
            if not is_whole:
                counts = (images * group * maps, vertical.count, horizontal.count)
                first = np.array((vertical.first, horizontal.first), np.int64)
                builder.add(spread, phase_y, *counts, frame, first, y)


def add_restoring(builder: StepBuilder, frame: Frame, bias: Array) -> None:
    """Plan `restore_negative_zeros`, unless no weight could make a product underflow."""
    parameters: ConvTransposeParameters = builder.node.parameters
    weights = np.asarray(builder.constant(1))
    smallest_weight = np.min(np.abs(weights), where=weights != 0, initial=np.float32(np.inf))
    if not np.isfinite(smallest_weight):
        return
    channels = parameters.input_shape[1] // parameters.group
    depth = channels * prod(parameters.weight_shape[2:])
    builder.add(
        restore_negative_zeros,
        flat(builder.operand(0)),
        frame,
        flat(weights).copy(),
        bias,
        np.float32(min(EXACT_PRODUCT / float(smallest_weight), 3e38)),
        parameters.group,
        parameters.input_shape[0],
        channels,
        parameters.weight_shape[1],
        builder.scratch("float32", depth),
        builder.scratch("int64", depth),
        builder.scratch("int64", prod(parameters.weight_shape[2:])),
        builder.scratch("float32", MAPS),
        flat(builder.results[0]),
    )
