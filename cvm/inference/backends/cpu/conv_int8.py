"""Integer convolutions: packed weights times implicit im2col panels of interleaved channels."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import definition, direct
from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.feature_level import QUADS, FeatureLevel
from cvm.inference.backends.cpu.gemm_int8 import requantise_all
from cvm.inference.backends.cpu.im2col import (
    MAX_SPATIAL_RANK,
    SLACK,
    Planes,
    Window,
    as_one_row,
    planes_of,
    tap_offsets,
    window_of,
)
from cvm.inference.backends.cpu.micro_kernel_int8 import dot_tile_int8
from cvm.inference.backends.cpu.panels import SIGN, pack_rows, words_of
from cvm.inference.backends.cpu.scalar_operations import requantise
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat, flat_bytes
from cvm.inference.backends.cpu.vector_copy import copy_words
from cvm.inference.operators.conv_integer import ConvIntegerParameters
from cvm.inference.operators.convolution import ConvolutionShape
from cvm.inference.operators.qlinear_conv import QLinearConvParameters
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.tensor_type import Array


@kernel
def pad_row(out: Array, start: int, stop: int, fill: int) -> None:
    """Fill out[start:stop]."""
    for at in range(start, stop):
        out[at] = np.int32(fill)


@kernel
def join_quads(
    a: Array, b: Array, c: Array, d: Array, stride: int, flips: np.uint32, out: Array
) -> None:
    """Write words of four bytes, the first lowest, each xor `flips`."""
    if stride == 1:
        for i in range(len(out)):
            low = np.uint32(a[i]) | np.uint32(b[i]) << np.uint32(8)
            high = np.uint32(c[i]) | np.uint32(d[i]) << np.uint32(8)
            out[i] = np.int32((low | high << np.uint32(16)) ^ flips)
    else:
        for i in range(len(out)):
            j = i * stride
            low = np.uint32(a[j]) | np.uint32(b[j]) << np.uint32(8)
            high = np.uint32(c[j]) | np.uint32(d[j]) << np.uint32(8)
            out[i] = np.int32((low | high << np.uint32(16)) ^ flips)


@kernel
def join_pairs(
    a: Array, b: Array, stride: int, flip: int, zero: int, keep: int, out: Array
) -> None:
    """Write words of two int16, each (byte xor `flip`) - `zero`; `keep` masks the high one."""
    for i in range(len(out)):
        left = np.int32(a[i * stride] ^ np.uint8(flip)) - np.int32(zero)
        right = np.int32(b[i * stride] ^ np.uint8(flip)) - np.int32(zero)
        out[i] = np.int32((left & 0xFFFF) | ((right << 16) & keep))


@kernel
def write_quads(
    x: Array,
    groups: int,
    channels: int,
    window: Window,
    planes: Planes,
    flip: int,
    zero: int,
    out: Array,
) -> None:
    """Interleave the bytes of four channels at a time into words, each byte xor `flip`.

    `x` has `groups` times `channels` planes; a group ends with a word that lacks channels when
    they are no multiple of four, and a byte without a channel is 0. Padding is `zero`.
    """
    size = window.height * window.width
    at = 0
    for group in range(groups):
        for channel in range(0, channels, 4):
            base = (group * channels + channel) * size
            present = min(4, channels - channel)
            fill = 0
            for byte in range(present):
                fill |= zero << (8 * byte)
            for plane_row in range(planes.rows):
                row = plane_row - window.pad_top
                for phase in range(window.stride_width):
                    stride = window.stride_width
                    first = phase - window.pad_left
                    low = min(max((stride - 1 - first) // stride, 0), planes.phase)
                    high = (window.width - first + stride - 1) // stride
                    high = max(min(high, planes.phase), low)
                    if row < 0 or row >= window.height:
                        low = high = planes.phase
                    pad_row(out, at, at + low, fill)
                    start = base + row * window.width + first
                    if present == 4 and high > low:
                        i = start + low * stride
                        join_quads(
                            x[i:], x[i + size :], x[i + 2 * size :], x[i + 3 * size :],
                            stride, np.uint32(flip * 0x01010101), out[at + low : at + high],
                        )  # fmt: skip
                    else:
                        for position in range(low, high):
                            i = start + position * stride
                            word = np.uint32(0)
                            for byte in range(present):
                                value = np.uint32(x[i + byte * size] ^ np.uint8(flip))
                                word |= value << np.uint32(8 * byte)
                            out[at + position] = np.int32(word)
                    pad_row(out, at + high, at + planes.phase, fill)
                    at += planes.phase


@kernel
def write_pairs(
    x: Array,
    groups: int,
    channels: int,
    window: Window,
    planes: Planes,
    flip: int,
    zero: int,
    out: Array,
) -> None:
    """Interleave two channels at a time into words of int16, each (byte xor `flip`) - `zero`.

    `x` has `groups` times `channels` planes; a value without a channel is 0. Padding is 0.
    """
    size = window.height * window.width
    at = 0
    for group in range(groups):
        for channel in range(0, channels, 2):
            base = (group * channels + channel) * size
            other = size if channel + 1 < channels else 0
            keep = 0xFFFF0000 if channel + 1 < channels else 0
            for plane_row in range(planes.rows):
                row = plane_row - window.pad_top
                for phase in range(window.stride_width):
                    stride = window.stride_width
                    first = phase - window.pad_left
                    low = min(max((stride - 1 - first) // stride, 0), planes.phase)
                    high = (window.width - first + stride - 1) // stride
                    high = max(min(high, planes.phase), low)
                    if row < 0 or row >= window.height:
                        low = high = planes.phase
                    pad_row(out, at, at + low, 0)
                    start = base + row * window.width + first
                    if high > low:
                        i = start + low * stride
                        pair = x[i:], x[i + other :]
                        join_pairs(*pair, stride, flip, zero, keep, out[at + low : at + high])
                    pad_row(out, at + high, at + planes.phase, 0)
                    at += planes.phase


@kernel
def add_columns(panel: Array, words: int, width: int, sums: Array) -> None:
    """Write the sum of the unsigned bytes of each panel column."""
    for column in range(width):
        sums[column] = np.int32(0)
    for word in range(words):
        for column in range(width):
            value = np.uint32(panel[word * width + column])
            total = (value & np.uint32(0xFF)) + ((value >> np.uint32(8)) & np.uint32(0xFF))
            total += ((value >> np.uint32(16)) & np.uint32(0xFF)) + (value >> np.uint32(24))
            sums[column] += np.int32(total)


@cache
def conv_int8(level: FeatureLevel, requantises: bool) -> Callable[..., None]:
    """Return the kernel that equals `operators.qlinear_conv`, or `operators.conv_integer`.

    `terms` has per output channel bias - zx * sum(w) + depth * zw * zx, `weight_zeros` has zw, in
    the packed domain; `has_weight_zeros` says whether one of them is not 0.
    """
    lanes, vectors, rows, width = level.lanes, level.vectors, level.rows, level.width
    word_depth = level.word_depth
    to_bytes = 1 if requantises else 0

    @kernel
    def convolve(
        x: Array,
        taps: Array,
        planes: Planes,
        weights: Array,
        terms: Array,
        weight_zeros: Array,
        has_weight_zeros: bool,
        multipliers: Array,
        low: np.float32,
        high: np.float32,
        zero: int,
        groups: int,
        group_size: int,
        images: int,
        maps: int,
        panel: Array,
        sums: Array,
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
                if has_weight_zeros:
                    add_columns(panel, depth, width, sums)
                for row in range(0, maps, rows):
                    a = (group * padded_maps + row) * depth
                    channel = group * padded_maps + row
                    out = (item * maps + row) * columns + first
                    dot_tile_int8(
                        word_depth, lanes, vectors, rows, width,
                        weights, a, panel, 0, terms, channel, tile, 0, width, depth,
                    )  # fmt: skip
                    for r in range(min(rows, maps - row)):
                        totals = tile[r * width : (r + 1) * width]
                        result = y[out + r * columns : out + r * columns + count]
                        if has_weight_zeros:
                            factor = weight_zeros[channel + r]
                            for j in range(width):
                                totals[j] -= np.int32(factor * sums[j])
                        if to_bytes == 1:
                            multiplier = multipliers[channel + r]
                            for j in range(count):
                                value = requantise(totals[j], multiplier, low, high)
                                result[j] = np.uint8((value + zero) & 0xFF)
                        else:
                            for j in range(count):
                                result[j] = totals[j]

    return convolve


def interleave(level: FeatureLevel) -> Callable[..., None]:
    """Return the kernel that lays channels out as the words of a level."""
    return write_quads if level.word_depth == QUADS else write_pairs


def build_integer(builder: StepBuilder) -> None:
    """Plan a ConvInteger over one or two spatial axes."""
    parameters: ConvIntegerParameters = builder.node.parameters
    maps = parameters.weight_shape[0]
    unused = np.zeros(1, np.float32)
    finish = (unused, np.float32(0), np.float32(0), 0, flat(builder.results[0]))
    build(builder, 0, 1, (parameters.x_zero, parameters.w_zero, np.zeros(maps, np.int32)), finish)


def build_qlinear(builder: StepBuilder) -> None:
    """Plan a QLinearConv over one or two spatial axes."""
    parameters: QLinearConvParameters = builder.node.parameters
    low, high = LIMITS[parameters.y_dtype]
    zero = parameters.y_zero
    rows, groups = builder.level.rows, parameters.group
    finish = (
        padded_to_panels(parameters.multiplier, groups, rows),
        np.float32(low - zero),
        np.float32(high - zero),
        zero,
        flat_bytes(builder.results[0]),
    )
    build(builder, 0, 3, (parameters.x_zero, parameters.w_zero, parameters.bias), finish)


def padded_to_panels(values: Array, groups: int, rows: int) -> Array:
    """Return (m) values as (groups, m / groups up to whole panels) in one axis, 0 in between."""
    maps = len(values) // groups
    padded = np.zeros((groups, -(-maps // rows) * rows), values.dtype)
    padded[:, :maps] = values.reshape(groups, maps)
    return flat(padded)


def build(
    builder: StepBuilder,
    x_index: int,
    w_index: int,
    offsets: tuple[int, Array, Array],
    finish: tuple[Any, ...],
) -> None:
    """Plan the interleaving of x, then the convolution; `offsets` are x's zero, w's, the bias."""
    parameters: ConvolutionShape = builder.node.parameters
    if len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    level, groups = builder.level, parameters.group
    images, all_channels = parameters.input_shape[:2]
    channels, maps = all_channels // groups, parameters.weight_shape[0] // groups
    words = -(-channels // level.word_depth)
    window = window_of(parameters, parameters.input_shape[2:])
    planes = planes_of(window, must_copy=True)
    depth = words * math.prod(parameters.kernel_shape)
    scratch = images * groups * words * planes.plane + depth * level.width
    padded_maps = groups * -(-maps // level.rows) * level.rows
    if not builder.allows(4 * scratch, 4 * depth * padded_maps):
        build_direct(builder, window, (x_index, w_index), offsets, finish)
        return
    source = builder.scratch("int32", images * groups * words * planes.plane + SLACK)
    x = builder.operand(x_index)
    flip = SIGN if x.dtype == np.int8 else 0
    x_zero = offsets[0] + flip
    frame = (images * groups, channels, *as_one_row(window, planes), flip, x_zero)
    builder.add(interleave(level), flat_bytes(x), *frame, source)
    packed, terms, w_zeros = packed_weights(builder, w_index, x_zero, offsets)
    taps = tap_offsets(window, planes, words)
    builder.add(
        conv_int8(level, finish[-1].dtype != np.int32),
        source,
        taps,
        planes,
        packed,
        terms,
        w_zeros,
        bool(w_zeros.any()),
        *finish[:-1],
        groups,
        words * planes.plane,
        images,
        maps,
        builder.scratch("int32", len(taps) * level.width + SLACK),
        builder.scratch("int32", level.width),
        builder.scratch("int32", level.rows * level.width),
        finish[-1],
    )


def build_direct(
    builder: StepBuilder,
    window: Window,
    operands: tuple[int, int],
    offsets: tuple[int, Array, Array],
    finish: tuple[Any, ...],
) -> None:
    """Plan the sums without packing, then their requantisation if the result is of bytes."""
    parameters: ConvolutionShape = builder.node.parameters
    groups, maps = parameters.group, parameters.weight_shape[0]
    images, channels = parameters.input_shape[0], parameters.weight_shape[1]
    y = finish[-1]
    sums = y if y.dtype == np.int32 else builder.scratch("int32", y.size)
    x, w = (flat(builder.operand(index)) for index in operands)
    x_zero, w_zeros, bias = offsets
    frame = (groups, images, channels, maps // groups, sums)
    builder.add(direct.convolution_int8, x, x_zero, window, w, w_zeros, flat(bias), *frame)
    if y.dtype != np.int32:
        qlinear: QLinearConvParameters = builder.node.parameters
        columns = window.out_height * window.out_width
        builder.add(requantise_all, sums, columns, qlinear.multiplier, *finish[1:])


def packed_weights(
    builder: StepBuilder, w_index: int, x_zero: int, offsets: tuple[int, Array, Array]
) -> tuple[Array, Array, Array]:
    """Return the weights in panels, and per output channel the constant terms and zero points.

    `x_zero` is x's zero point as packed; int16 words have it subtracted already.
    """
    level, groups = builder.level, builder.node.parameters.group
    weights = np.asarray(builder.constant(w_index))
    maps, channels = weights.shape[:2]
    kernel_size = weights[0, 0].size
    by_tap = weights.reshape(maps, channels, kernel_size).transpose(0, 2, 1)
    zeros = np.repeat(offsets[1], kernel_size)
    matrix = words_of(by_tap.reshape(-1, channels), zeros, level, is_left=True)
    words = matrix.words.reshape(maps, kernel_size, -1).transpose(0, 2, 1)
    words = words.reshape(groups, maps // groups, -1)
    packed = np.concatenate([pack_rows(group, level.rows) for group in words])
    totals = matrix.sums.reshape(maps, kernel_size).sum(axis=1, dtype=np.int64)
    w_zeros = matrix.zeros[::kernel_size].astype(np.int64)
    terms = offsets[2] - x_zero * totals + channels * kernel_size * w_zeros * x_zero
    return (
        flat(packed),
        padded_to_panels(terms.astype(np.int32), groups, level.rows),
        padded_to_panels(w_zeros.astype(np.int32), groups, level.rows),
    )
