"""float32 Conv on plain or blocked images: pixels by blocks of output channels, nothing unfolded.

The tile reads the pixels where they lie, tap by tap in the definition's order; see `layout`.
"""

from collections.abc import Callable
from functools import cache
from math import prod

import numpy as np

from cvm.inference.backends.cpu import definition, direct
from cvm.inference.backends.cpu.conv_f32 import EXACT_PRODUCT, NO_BIAS, has_smaller
from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.im2col import MAX_SPATIAL_RANK, Window, window_of
from cvm.inference.backends.cpu.image_conv import (
    Frame,
    block_of,
    by_blocks,
    chunk_of,
    frame_of,
    is_depthwise,
    pack_blocks,
    pixels_of,
    source_of,
    writes_blocks,
)
from cvm.inference.backends.cpu.image_conv import is_blockable as is_shape_blockable
from cvm.inference.backends.cpu.layout import BLOCK, Places, fill_padding, positions
from cvm.inference.backends.cpu.negative_zeros import MAPS, fold_maps, holds_smaller
from cvm.inference.backends.cpu.pixel_tile_f32 import pixel_tile_f32
from cvm.inference.backends.cpu.scalar_operations import float_bits
from cvm.inference.backends.cpu.step_builder import StepBuilder, Stored, flat
from cvm.inference.graph import Node
from cvm.inference.operators.conv import ConvParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

NOTHING = np.full(2 * BLOCK, NO_BIAS, np.float32)
"""The addend of a convolution without one."""

HERE = np.zeros(2 * BLOCK, np.int64)
"""Where the pixels of that addend lie."""

TILE_PIXELS = np.arange(BLOCK, dtype=np.int64) * 2 * BLOCK
"""Where the pixels of a tile lie that is stored to be spread over a plain image."""


@cache
def convolve_f32(level: FeatureLevel, pixels: int, depthwise: bool) -> Callable[..., None]:
    """Return the kernel that equals `operators.conv` for float32, with its `Epilogue`.

    Tiles have `pixels` pixels; there are at least so many.
    """
    lanes, is_deep = level.lanes, int(depthwise)
    blocks = 1 if depthwise else level.tile_blocks

    @kernel
    def convolve(
        x: Array,
        x_pixels: Array,
        taps: Array,
        weights: Array,
        bias: Array,
        addend: Array,
        addend_pixels: Array,
        low: np.float32,
        high: np.float32,
        y: Array,
        y_pixels: Array,
        tile: Array,
        tile_pixels: Array,
        frame: Frame,
    ) -> None:
        depth = len(taps)
        is_plain = frame.y_block == 1
        out = tile if is_plain else y
        out_pixels = tile_pixels if is_plain else y_pixels
        out_plane = BLOCK if is_plain else frame.y_plane
        for item in range(frame.images * frame.groups):
            image, group = item // frame.groups, item % frame.groups
            x_at = frame.x_origin + image * frame.x_image + group * frame.x_group
            y_image = frame.y_origin + image * frame.y_image + group * frame.y_group
            beside = frame.addend_origin + image * frame.addend_image
            beside += group * frame.addend_group
            for start in range(0, frame.columns, frame.chunk):
                stop = min(start + frame.chunk, frame.columns)
                for block in range(0, frame.blocks, blocks):
                    channel = (group * frame.blocks + block) * BLOCK
                    y_at = y_image + block * (frame.y_plane if not is_plain else 0)
                    out_at = 0 if is_plain else y_at
                    addend_at = beside + block * frame.addend_plane
                    for position in range(start, stop, pixels):
                        first = min(position, frame.columns - pixels)
                        out_first = 0 if is_plain else first
                        if block + blocks <= frame.blocks:
                            pixel_tile_f32(
                                lanes, blocks, pixels, is_deep,
                                x, x_at, x_pixels, taps, depth, weights, channel * depth,
                                bias, channel, addend, addend_at, addend_pixels,
                                first * frame.has_addend, frame.addend_plane, low, high,
                                out, out_at, out_pixels, out_first, out_plane, first,
                            )  # fmt: skip
                        else:
                            pixel_tile_f32(
                                lanes, 1, pixels, is_deep,
                                x, x_at, x_pixels, taps, depth, weights, channel * depth,
                                bias, channel, addend, addend_at, addend_pixels,
                                first * frame.has_addend, frame.addend_plane, low, high,
                                out, out_at, out_pixels, out_first, out_plane, first,
                            )  # fmt: skip
                        if is_plain:
                            maps = min(blocks * BLOCK, frame.maps - block * BLOCK)
                            maps = min(maps, frame.all_maps - group * frame.maps - block * BLOCK)
                            for m in range(maps):
                                plane = y_at + (block * BLOCK + m) * frame.y_plane
                                for p in range(pixels):
                                    y[plane + y_pixels[first + p]] = tile[tile_pixels[p] + m]

    return convolve


@kernel
def gather_inside(
    x: Array,
    places: Places,
    image: int,
    channels: tuple[int, int],
    window: Window,
    column: int,
    values: Array,
    taps: Array,
) -> int:
    """Write what a window finds inside the input, with the numbers of its taps; return how many.

    `channels` are the first one and how many.
    """
    top = column // window.out_width * window.stride_height - window.pad_top
    left = column % window.out_width * window.stride_width - window.pad_left
    count = 0
    for i in range(channels[1]):
        channel = channels[0] + i
        plane = places.origin + image * places.image + channel // places.block * places.plane
        plane += channel % places.block
        for kernel_row in range(window.kernel_height):
            row = top + kernel_row * window.dilation_height
            if not 0 <= row < window.height:
                continue
            tap = (i * window.kernel_height + kernel_row) * window.kernel_width
            for kernel_column in range(window.kernel_width):
                position = left + kernel_column * window.dilation_width
                if 0 <= position < window.width:
                    values[count] = x[plane + row * places.row + position * places.block]
                    taps[count] = tap + kernel_column
                    count += 1
    return count


@kernel
def touches_padding(window: Window, column: int) -> bool:
    """Say whether a tap of an output may lie outside the input."""
    top = column // window.out_width * window.stride_height - window.pad_top
    left = column % window.out_width * window.stride_width - window.pad_left
    bottom = top + (window.kernel_height - 1) * window.dilation_height
    right = left + (window.kernel_width - 1) * window.dilation_width
    return top < 0 or left < 0 or bottom >= window.height or right >= window.width


@kernel
def place_of(places: Places, image: int, channel: int) -> int:
    """Return where the first pixel of a channel lies."""
    at = places.origin + image * places.image + channel // places.block * places.plane
    return at + channel % places.block


@kernel
def restore_negative_zeros(
    x: Array,
    x_places: Places,
    window: Window,
    weights: Array,
    bias: Array,
    smallest: float,
    groups: int,
    values: Array,
    taps: Array,
    totals: Array,
    y: Array,
    y_places: Places,
    y_pixels: Array,
) -> None:
    """Make outputs +0 that a padded tap has touched what they are when the tap is skipped.

    Padding holds +0. So outputs of value +0 beside padding, of maps without a bias, are folded
    again without their padded taps, if the window holds a value small enough to underflow.
    `values`, `taps` and `totals` are scratch.
    """
    if not has_smaller(x, smallest):
        return
    channels, maps = x_places.channels // groups, y_places.channels // groups
    depth = channels * window.kernel_height * window.kernel_width
    for item in range(y_places.images * groups):
        image, group = item // groups, item % groups
        for column in range(len(y_pixels)):
            if not touches_padding(window, column):
                continue
            if (
                maps == 1
                and float_bits(y[place_of(y_places, image, group) + y_pixels[column]]) != 0
            ):
                continue
            inside = (group * channels, channels)
            count = gather_inside(x, x_places, image, inside, window, column, values, taps)
            if not holds_smaller(values, count, smallest):
                continue
            last = (group + 1) * maps
            for first in range(group * maps, last, MAPS):
                is_folded = False
                for m in range(first, min(first + MAPS, last)):
                    place = place_of(y_places, image, m) + y_pixels[column]
                    if float_bits(y[place]) != 0 or float_bits(bias[m]) != -(2**31):
                        continue
                    if not is_folded:
                        ends = (first * depth, depth, (last - 1) * depth)
                        fold_maps(values, taps, count, weights, *ends, totals)
                        is_folded = True
                    y[place] = totals[m - first]


def packed_bytes(parameters: ConvParameters) -> int:
    """Return what the packed weights of a convolution take."""
    if is_depthwise(parameters):
        return 4 * prod(parameters.weight_shape)
    maps = parameters.weight_shape[0] // parameters.group
    return 4 * parameters.group * -(-maps // BLOCK) * BLOCK * parameters.depth


def is_blockable(node: Node) -> bool:
    """Say whether a convolution runs on blocked images; else it needs plain ones."""
    return is_shape_blockable(node, packed_bytes(node.parameters))


def may_fuse(node: Node) -> bool:
    """Say whether a convolution may bound its results, and perhaps add to them, in registers."""
    return is_blockable(node) and writes_blocks(node.parameters)


def may_restore(node: Node) -> bool:
    """Say whether a result may be +0 that `restore_negative_zeros` makes -0."""
    return any(node.parameters.pads) and may_lack_bias(node)


def may_lack_bias(node: Node) -> bool:
    """Say whether a bias may be -0 in some run, which is what an absent one counts as."""
    bias = node.view.constant_at(2)
    return bias is None or bool((bias.view(np.int32) == NO_BIAS.view(np.int32)).any())


def build(builder: StepBuilder) -> None:
    """Plan a float32 Conv over one or two spatial axes."""
    parameters: ConvParameters = builder.node.parameters
    if len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    weights = np.asarray(builder.constant(1))
    bias = bias_of(builder)
    if not is_blockable(builder.node) or not builder.allows(0, packed_bytes(parameters)):
        build_direct(builder, bias)
        return
    add_convolution(builder, weights, bias)
    y = builder.stored_results[0]
    if y.layout.is_padded:
        builder.add(fill_padding, y.array, y.places, y.layout.fill)
    if may_restore(builder.node) and builder.epilogue.low < 0:
        add_restoring(builder, bias)


def add_convolution(builder: StepBuilder, weights: Array, bias: Array) -> None:
    """Plan the call of the kernel and what it reads."""
    parameters: ConvParameters = builder.node.parameters
    depthwise = is_depthwise(parameters)
    source = source_of(builder, builder.stored(0), block_of(parameters, builder.stored(0)), 0, 0)
    y, addend = builder.stored_results[0], builder.epilogue.addend
    pixels = pixels_of(builder.level, prod(parameters.output_shape))
    taken = 4 * parameters.input_shape[1] * prod(parameters.strides)
    chunk = chunk_of(parameters, pixels, taken)
    beside = None if addend is None else addend.places
    groups = 1 if depthwise else parameters.group
    matrices = weights.reshape(groups, -1, parameters.depth)
    builder.add(
        convolve_f32(builder.level, pixels, depthwise),
        *(source.array, source.pixels, source.taps),
        np.concatenate([pack_blocks(matrix) for matrix in matrices]),
        padded_bias(builder, bias, groups),
        *((NOTHING, HERE) if addend is None else (addend.array, pixels_in(addend))),
        *(builder.epilogue.low, builder.epilogue.high, y.array, pixels_in(y)),
        *(np.zeros(2 * BLOCK * BLOCK, np.float32), TILE_PIXELS),
        frame_of(parameters, source, y.places, beside, chunk),
    )


def pixels_in(image: Stored) -> Array:
    """Return the distance of each pixel of an image from the first, row-major."""
    return positions(image.places, image.places[2:4], (1, 1))


def bias_of(builder: StepBuilder) -> Array:
    """Return the bias (m), -0 where there is none."""
    bias = builder.optional(2)
    if bias is None:
        return np.full(builder.node.parameters.weight_shape[0], NO_BIAS, np.float32)
    return bias


def padded_bias(builder: StepBuilder, bias: Array, groups: int) -> Array:
    """Return the bias in whole blocks; one that is no constant is copied there in every run."""
    padded = by_blocks(bias, groups, NO_BIAS)
    if builder.constant(2) is None and builder.optional(2) is not None:
        maps = len(bias) // groups
        target = padded.reshape(groups, -1)[:, :maps]
        builder.add(np.copyto, target, bias.reshape(groups, maps))
    return padded


def build_direct(builder: StepBuilder, bias: Array) -> None:
    """Plan a convolution term by term."""
    parameters: ConvParameters = builder.node.parameters
    groups, maps = parameters.group, parameters.weight_shape[0] // parameters.group
    window = window_of(parameters, parameters.input_shape[2:])
    constants = (flat(builder.operand(1)), flat(bias))
    frame = (groups, parameters.input_shape[0], parameters.weight_shape[1], maps)
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    builder.add(direct.convolution_f32, x, window, *constants, *frame, y)


def add_restoring(builder: StepBuilder, bias: Array) -> None:
    """Plan `restore_negative_zeros`, unless no weight could make a product underflow."""
    parameters: ConvParameters = builder.node.parameters
    weights = np.asarray(builder.constant(1))
    smallest_weight = np.min(np.abs(weights), where=weights != 0, initial=np.float32(np.inf))
    if not np.isfinite(smallest_weight):
        return
    x, y = builder.stored(0), builder.stored_results[0]
    scratch = (
        builder.scratch("float32", parameters.depth),
        builder.scratch("int64", parameters.depth),
        builder.scratch("float32", MAPS),
    )
    builder.add(
        restore_negative_zeros,
        *(x.array, x.places, window_of(parameters, parameters.input_shape[2:])),
        *(flat(weights).copy(), bias),
        np.float32(min(EXACT_PRODUCT / float(smallest_weight), 3e38)),
        parameters.group,
        *scratch,
        *(y.array, y.places, pixels_in(y)),
    )
