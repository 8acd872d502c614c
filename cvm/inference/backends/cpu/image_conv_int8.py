"""ConvInteger and QLinearConv on plain or blocked images; see `image_conv_f32` and `layout`."""

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import definition, direct
from cvm.inference.backends.cpu.feature_level import PAIRS, QUADS, FeatureLevel
from cvm.inference.backends.cpu.gemm_int8 import requantise_all
from cvm.inference.backends.cpu.im2col import MAX_SPATIAL_RANK, window_of
from cvm.inference.backends.cpu.image_conv import (
    Frame,
    Source,
    by_blocks,
    chunk_of,
    frame_of,
    is_depthwise,
    pack_blocks,
    pixels_of,
    source_of,
)
from cvm.inference.backends.cpu.image_conv import is_blockable as is_shape_blockable
from cvm.inference.backends.cpu.layout import BLOCK, fill_padding, positions
from cvm.inference.backends.cpu.panels import SIGN
from cvm.inference.backends.cpu.pixel_tile_int8 import DEPTHWISE, pixel_tile_int8
from cvm.inference.backends.cpu.step_builder import StepBuilder, Stored, flat, flat_bytes
from cvm.inference.graph import Node
from cvm.inference.operators.conv_integer import ConvIntegerParameters
from cvm.inference.operators.convolution import ConvolutionShape
from cvm.inference.operators.qlinear_conv import QLinearConvParameters
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

TILE_PIXELS = np.arange(BLOCK, dtype=np.int64) * 2 * BLOCK
"""Where the pixels of a tile lie that is stored to be spread over a plain image."""

WORD = 4
"""Channels that are read at once."""


@cache
def convolve_int8(level: FeatureLevel, pixels: int, kind: int) -> Callable[..., None]:
    """Return the kernel of exact integer sums; `kind` says how words are multiplied.

    An int32 y gets the sums plus `terms`, which hold bias - x_zero * sum(w - w_zero); a y of
    bytes gets them requantised.
    """
    lanes = level.lanes
    blocks = 1 if kind == DEPTHWISE else level.tile_blocks
    words = 2 if kind == PAIRS else 1

    @kernel
    def convolve(
        x: Array,
        x_pixels: Array,
        taps: Array,
        weights: Array,
        terms: Array,
        multipliers: Array,
        low: np.float32,
        high: np.float32,
        zero: int,
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
            for start in range(0, frame.columns, frame.chunk):
                stop = min(start + frame.chunk, frame.columns)
                for block in range(0, frame.blocks, blocks):
                    channel = (group * frame.blocks + block) * BLOCK
                    out_at = 0 if is_plain else y_image + block * frame.y_plane
                    for position in range(start, stop, pixels):
                        first = min(position, frame.columns - pixels)
                        out_first = 0 if is_plain else first
                        if block + blocks <= frame.blocks:
                            pixel_tile_int8(
                                kind, lanes, blocks, pixels,
                                x, x_at, x_pixels, taps, depth, weights, channel * depth * words,
                                terms, multipliers, channel, low, high, zero,
                                out, out_at, out_pixels, out_first, out_plane, first,
                            )  # fmt: skip
                        else:
                            pixel_tile_int8(
                                kind, lanes, 1, pixels,
                                x, x_at, x_pixels, taps, depth, weights, channel * depth * words,
                                terms, multipliers, channel, low, high, zero,
                                out, out_at, out_pixels, out_first, out_plane, first,
                            )  # fmt: skip
                        if is_plain:
                            maps = min(blocks * BLOCK, frame.maps - block * BLOCK)
                            maps = min(maps, frame.all_maps - group * frame.maps - block * BLOCK)
                            for m in range(maps):
                                plane = y_image + (block * BLOCK + m) * frame.y_plane
                                for p in range(pixels):
                                    y[plane + y_pixels[first + p]] = tile[tile_pixels[p] + m]

    return convolve


def is_blockable(node: Node) -> bool:
    """Say whether a convolution runs on blocked images; else it needs plain ones.

    Channels of a group must fill their words, unless there is one group.
    """
    shape: ConvolutionShape = node.parameters
    if not is_depthwise(shape) and shape.group > 1 and shape.weight_shape[1] % WORD:
        return False
    return is_shape_blockable(node, packed_bytes(shape))


def packed_bytes(shape: ConvolutionShape) -> int:
    """Return the most that the packed weights of a convolution take."""
    maps, channels = shape.weight_shape[:2]
    taps = prod(shape.kernel_shape)
    if is_depthwise(shape):
        return 4 * -(-maps // BLOCK) * BLOCK * taps
    words = -(-channels // WORD) * taps
    return 8 * shape.group * -(-maps // shape.group // BLOCK) * BLOCK * words


def build_integer(builder: StepBuilder) -> None:
    """Plan a ConvInteger over one or two spatial axes."""
    parameters: ConvIntegerParameters = builder.node.parameters
    maps = parameters.weight_shape[0]
    offsets = (parameters.x_zero, parameters.w_zero, np.zeros(maps, np.int32))
    unused = (np.zeros(maps, np.float32), np.float32(0), np.float32(0), 0)
    build(builder, 1, offsets, unused)


def build_qlinear(builder: StepBuilder) -> None:
    """Plan a QLinearConv over one or two spatial axes."""
    parameters: QLinearConvParameters = builder.node.parameters
    low, high = LIMITS[parameters.y_dtype]
    zero = parameters.y_zero
    bounds = (np.float32(low - zero), np.float32(high - zero), zero)
    offsets = (parameters.x_zero, parameters.w_zero, parameters.bias)
    build(builder, 3, offsets, (parameters.multiplier, *bounds))


def build(
    builder: StepBuilder,
    w_index: int,
    offsets: tuple[int, Array, Array],
    finish: tuple[Array, np.float32, np.float32, int],
) -> None:
    """Plan a convolution; `offsets` are x's zero, w's and the bias, `finish` how y is made."""
    shape: ConvolutionShape = builder.node.parameters
    if len(shape.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    if not is_blockable(builder.node) or not builder.allows(0, packed_bytes(shape)):
        build_direct(builder, w_index, offsets, finish)
        return
    stored, y = builder.stored(0), builder.stored_results[0]
    flip = SIGN if stored.array.dtype == np.int8 else 0
    x = Stored(stored.array.view(np.uint8), stored.shape, stored.layout)
    x_zero = offsets[0] + flip
    source = by_words(shape, source_of(builder, x, block_of(shape, x), flip, x_zero))
    kind, weights, sums = packed_weights(builder, w_index, offsets[1])
    terms = (offsets[2] - x_zero * sums).astype(np.int32)
    groups = 1 if is_depthwise(shape) else shape.group
    pixels = pixels_of(builder.level, prod(shape.output_shape))
    chunk = chunk_of(shape, pixels, shape.input_shape[1] * prod(shape.strides))
    result = y.array if y.array.dtype == np.int32 else y.array.view(np.uint8)
    builder.add(
        convolve_int8(builder.level, pixels, kind),
        *(source.array, source.pixels, source.taps, weights),
        *(by_blocks(terms, groups, 0), by_blocks(finish[0], groups, 0), *finish[1:]),
        *(result, positions(y.places, y.places[2:4], (1, 1))),
        *(np.zeros(2 * BLOCK * BLOCK, result.dtype), TILE_PIXELS),
        frame_of(shape, source, y.places, None, chunk),
    )
    if y.layout.is_padded:
        builder.add(fill_padding, result, y.places, y.layout.fill)


def block_of(shape: ConvolutionShape, x: Stored) -> int:
    """Return how many channels side by side an integer convolution wants of an image."""
    channels = shape.weight_shape[1]
    if is_depthwise(shape) or (shape.group == 1 and shape.input_shape[1] >= BLOCK):
        return BLOCK
    if x.layout.block == BLOCK and (shape.group == 1 or channels % BLOCK == 0):
        return BLOCK
    return WORD


def by_words(shape: ConvolutionShape, source: Source) -> Source:
    """Return a source whose taps are words of four channels, or whole blocks (depthwise)."""
    if is_depthwise(shape):
        return source
    taps = source.taps.reshape(shape.weight_shape[1], -1)[::WORD].reshape(-1)
    return Source(
        source.array, source.places, source.first, source.group, source.pixels, taps.copy()
    )


def packed_weights(builder: StepBuilder, w_index: int, zeros: Array) -> tuple[int, Array, Array]:
    """Return how words are multiplied, the packed weights, and the int64 sum of each channel's.

    Zero points are subtracted; weights that then do not fit int8 are multiplied as int16.
    """
    shape: ConvolutionShape = builder.node.parameters
    weights = np.asarray(builder.constant(w_index)).astype(np.int16)
    maps, channels = weights.shape[:2]
    centred = weights.reshape(maps, channels, -1) - zeros.reshape(-1, 1, 1).astype(np.int16)
    sums = centred.sum(axis=(1, 2), dtype=np.int64)
    if is_depthwise(shape):
        return DEPTHWISE, pack_blocks(centred.astype(np.int32).reshape(maps, -1)), sums
    low, high = LIMITS["int8"]
    fits = bool(centred.min() >= low and centred.max() <= high)
    kind = QUADS if fits and builder.level.word_depth == QUADS else PAIRS
    groups = words_of(centred, kind).reshape(shape.group, maps // shape.group, -1)
    return kind, np.concatenate([pack_blocks(group) for group in groups]), sums


def words_of(weights: Array, kind: int) -> Array:
    """Return weights (m, channels, taps) as int32 words (m, k): word by word, each tap by tap."""
    maps, channels, taps = weights.shape
    words = -(-channels // WORD)
    padded = np.zeros((maps, words * WORD, taps), np.int8 if kind == QUADS else np.int16)
    padded[:, :channels] = weights
    by_tap = padded.reshape(maps, words, WORD, taps).transpose(0, 1, 3, 2)
    ordered = by_tap if kind == QUADS else by_tap[..., [0, 2, 1, 3]]
    return np.ascontiguousarray(ordered).view(np.int32).reshape(maps, -1)


def build_direct(
    builder: StepBuilder,
    w_index: int,
    offsets: tuple[int, Array, Array],
    finish: tuple[Any, ...],
) -> None:
    """Plan the sums term by term, then their requantisation if the result is of bytes."""
    shape: ConvolutionShape = builder.node.parameters
    groups, maps = shape.group, shape.weight_shape[0]
    images, channels = shape.input_shape[0], shape.weight_shape[1]
    window = window_of(shape, shape.input_shape[2:])
    y = flat(builder.results[0])
    sums = y if y.dtype == np.int32 else builder.scratch("int32", y.size)
    x, w = flat(builder.operand(0)), flat(builder.operand(w_index))
    x_zero, w_zeros, bias = offsets
    frame = (groups, images, channels, maps // groups, sums)
    builder.add(direct.convolution_int8, x, x_zero, window, w, w_zeros, flat(bias), *frame)
    if y.dtype != np.int32:
        columns = window.out_height * window.out_width
        builder.add(requantise_all, sums, columns, *finish, flat_bytes(y))
