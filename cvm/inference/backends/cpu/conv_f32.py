"""float32 Conv: packed weights times implicit im2col panels, in the definition's order."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cvm.inference.backends.cpu import definition, direct
from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.direct import fold_inside
from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.im2col import (
    MAX_SPATIAL_RANK,
    SLACK,
    Planes,
    Window,
    planes_of,
    tap_offsets,
    window_of,
    write_planes,
)
from cvm.inference.backends.cpu.micro_kernel_f32 import dot_tile_f32
from cvm.inference.backends.cpu.panels import pack_rows
from cvm.inference.backends.cpu.scalar_operations import float_bits
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.vector_copy import copy_words
from cvm.inference.operators.conv import ConvParameters
from cvm.inference.tensor_type import Array

NO_BIAS = np.float32(-0.0)
"""Adding -0 changes no bit of any value, where adding +0 would turn -0 into +0."""

EXACT_PRODUCT = 2.0**-100
"""Products of float32 at least this large are whole multiples of the least subnormal, so that a
sum of them can only be an exact zero, which is +0."""


@cache
def conv_f32(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that equals `operators.conv` for float32 at a feature level."""
    lanes, vectors, rows, width = level.lanes, level.vectors, level.rows, level.width

    @kernel
    def convolve(
        x: Array,
        taps: Array,
        planes: Planes,
        weights: Array,
        bias: Array,
        groups: int,
        group_size: int,
        images: int,
        maps: int,
        panel: Array,
        tile: Array,
        y: Array,
    ) -> None:
        depth = len(taps)
        columns = planes.out_height * planes.out_width
        padded_maps = (maps + rows - 1) // rows * rows
        for item in range(images * groups):
            group = item % groups
            for first in range(0, columns, width):
                count = min(width, columns - first)
                out_row, out_column = first // planes.out_width, first % planes.out_width
                for k in range(depth):
                    start = item * group_size + taps[k] + out_row * planes.out_row
                    run = min(planes.out_width - out_column, count)
                    copy_words(lanes, x, start + out_column, panel, k * width, run)
                    while run < count:
                        start += planes.out_row
                        more = min(planes.out_width, count - run)
                        copy_words(lanes, x, start, panel, k * width + run, more)
                        run += more
                for row in range(0, maps, rows):
                    a = (group * padded_maps + row) * depth
                    b = group * padded_maps + row
                    out = (item * maps + row) * columns + first
                    if count == width and row + rows <= maps:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            weights, a, panel, 0, bias, b, y, out, columns, depth,
                        )  # fmt: skip
                        continue
                    if count <= lanes:
                        dot_tile_f32(
                            lanes, 1, rows, width,
                            weights, a, panel, 0, bias, b, tile, 0, width, depth,
                        )  # fmt: skip
                    else:
                        dot_tile_f32(
                            lanes, vectors, rows, width,
                            weights, a, panel, 0, bias, b, tile, 0, width, depth,
                        )  # fmt: skip
                    for r in range(min(rows, maps - row)):
                        for j in range(count):
                            y[out + r * columns + j] = tile[r * width + j]

    return convolve


@kernel
def has_smaller(x: Array, smallest: float) -> bool:
    """Say whether x holds a value that is not zero and of a magnitude below `smallest`."""
    found = False
    for value in x:
        found |= value != 0 and -smallest < value < smallest
    return found


@kernel
def touches_padding(window: Window, column: int) -> bool:
    """Say whether a tap of an output may lie outside the input."""
    top = column // window.out_width * window.stride_height - window.pad_top
    left = column % window.out_width * window.stride_width - window.pad_left
    bottom = top + (window.kernel_height - 1) * window.dilation_height
    right = left + (window.kernel_width - 1) * window.dilation_width
    return top < 0 or left < 0 or bottom >= window.height or right >= window.width


@kernel
def restore_negative_zeros(
    x: Array,
    window: Window,
    weights: Array,
    bias: Array,
    smallest: float,
    groups: int,
    images: int,
    channels: int,
    maps: int,
    y: Array,
) -> None:
    """Make outputs +0 that a padded tap has touched what they are when the tap is skipped.

    A panel holds padding as +0, and fma(w, +0, acc) is acc for every acc but -0, to which an
    accumulator can only underflow. So outputs of value +0 beside padding, of maps without a bias,
    are folded again without their padded taps, if x holds a value small enough to underflow.
    """
    if not has_smaller(x, smallest):
        return
    columns = window.out_height * window.out_width
    padded_maps = len(bias) // groups
    for item in range(images * groups):
        group = item % groups
        for m in range(maps):
            if float_bits(bias[group * padded_maps + m]) != -(2**31):
                continue
            for column in range(columns):
                at = (item * maps + m) * columns + column
                if float_bits(y[at]) == 0 and touches_padding(window, column):
                    y[at] = fold_inside(
                        x, item * channels, window, weights, group * maps + m, channels, column
                    )


def build(builder: StepBuilder) -> None:
    """Plan a float32 Conv over one or two spatial axes."""
    parameters: ConvParameters = builder.node.parameters
    if len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    level, groups = builder.level, parameters.group
    images, all_channels = parameters.input_shape[:2]
    channels, maps = all_channels // groups, parameters.weight_shape[0] // groups
    window = window_of(parameters, parameters.input_shape[2:])
    planes = planes_of(window)
    weights = np.asarray(builder.constant(1)).reshape(groups, maps, -1)
    bias = padded_bias(builder, groups, maps)
    depth = weights.shape[2]
    plane_size = planes.plane if planes.is_copy else 0
    scratch = images * all_channels * plane_size + depth * level.width
    if not builder.allows(4 * scratch, 4 * depth * bias.size):
        x, y = flat(builder.operand(0)), flat(builder.results[0])
        frame = (groups, images, channels, maps, y)
        constants = (flat(builder.operand(1)), flat(bias))
        builder.add(direct.convolution_f32, x, window, *constants, *frame)
        return
    source = flat(builder.operand(0))
    if planes.is_copy:
        source = builder.scratch("float32", images * all_channels * planes.plane + SLACK)
        builder.add(
            write_planes, flat(builder.operand(0)), images * all_channels, window, planes, source
        )
    packed = np.concatenate([pack_rows(group, level.rows) for group in weights])
    builder.add(
        conv_f32(level),
        source,
        tap_offsets(window, planes, channels),
        planes,
        flat(packed),
        flat(bias),
        groups,
        channels * planes.plane,
        images,
        maps,
        builder.scratch("float32", depth * level.width + SLACK),
        builder.scratch("float32", level.rows * level.width),
        flat(builder.results[0]),
    )
    if any(parameters.pads) and may_lack_bias(builder):
        add_restoring(builder, window, weights, bias)


def may_lack_bias(builder: StepBuilder) -> bool:
    """Say whether a bias may be -0 in some run, which is what an absent one counts as."""
    bias = builder.constant(2)
    return bias is None or bool((bias.view(np.int32) == NO_BIAS.view(np.int32)).any())


def add_restoring(builder: StepBuilder, window: Window, weights: Array, bias: Array) -> None:
    """Plan `restore_negative_zeros`, unless no weight could make a product underflow."""
    parameters: ConvParameters = builder.node.parameters
    smallest_weight = np.min(np.abs(weights), where=weights != 0, initial=np.float32(np.inf))
    if not np.isfinite(smallest_weight):
        return
    builder.add(
        restore_negative_zeros,
        flat(builder.operand(0)),
        window,
        flat(weights).copy(),
        flat(bias),
        np.float32(min(EXACT_PRODUCT / float(smallest_weight), 3e38)),
        parameters.group,
        parameters.input_shape[0],
        parameters.weight_shape[1],
        parameters.weight_shape[0] // parameters.group,
        flat(builder.results[0]),
    )


def padded_bias(builder: StepBuilder, groups: int, maps: int) -> Array:
    """Return the bias (groups, maps up to whole panels), -0 where there is none.

    A bias that is no constant is copied there in every run.
    """
    rows = builder.level.rows
    bias = np.full((groups, -(-maps // rows) * rows), NO_BIAS, np.float32)
    operand = builder.optional(2)
    if builder.constant(2) is not None:
        bias[:, :maps] = np.asarray(builder.constant(2)).reshape(groups, maps)
    elif operand is not None:
        builder.add(np.copyto, bias[:, :maps], operand.reshape(groups, maps))
    return bias
