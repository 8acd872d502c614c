"""What the blocked convolutions share: where their pixels, taps and results lie."""

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.im2col import MAX_SPATIAL_RANK, Window, window_of
from cvm.inference.backends.cpu.layout import (
    BLOCK,
    Layout,
    Places,
    channel_offsets,
    fill_padding,
    move_image,
    places_of,
    positions,
    stored_size,
)
from cvm.inference.backends.cpu.step_builder import StepBuilder, Stored, may_take
from cvm.inference.graph import Node
from cvm.inference.operators.convolution import ConvolutionShape
from cvm.inference.tensor_type import Array

NEAR_BYTES = 2**18
"""Part of an image that is worked on at once: with a panel of weights it fits the cache of a
core."""


class Frame(NamedTuple):
    """How a blocked convolution goes through its operands; distances are in elements.

    A depthwise convolution has a group for each block of channels.
    """

    images: int
    groups: int
    blocks: int
    maps: int
    all_maps: int
    columns: int
    chunk: int
    x_origin: int
    x_image: int
    x_group: int
    y_block: int
    y_origin: int
    y_image: int
    y_group: int
    y_plane: int
    has_addend: int
    addend_origin: int
    addend_image: int
    addend_group: int
    addend_plane: int


@dataclass(frozen=True, slots=True)
class Source:
    """The image that a convolution reads: memory with its padding, and where the window is in it.

    `pixels` and `taps` are distances from `places.origin` less the window's own padding.
    """

    array: Any
    places: Places
    first: int
    group: int
    pixels: Array
    taps: Array


def is_depthwise(shape: ConvolutionShape) -> bool:
    """Say whether every channel is a group of its own, in whole blocks or nearly so."""
    groups = shape.group
    return groups == shape.weight_shape[0] == shape.input_shape[1] and groups >= BLOCK


def margins(window: Window) -> tuple[int, int, int, int]:
    """Return the padding that a window really reaches: top, left, bottom, right."""
    bottom = (window.out_height - 1) * window.stride_height - window.pad_top - window.height + 1
    bottom += (window.kernel_height - 1) * window.dilation_height
    right = (window.out_width - 1) * window.stride_width - window.pad_left - window.width + 1
    right += (window.kernel_width - 1) * window.dilation_width
    return window.pad_top, window.pad_left, max(bottom, 0), max(right, 0)


def is_blockable(node: Node, packed_bytes: int) -> bool:
    """Say whether a convolution may run on blocked images within its share of memory.

    `packed_bytes` is what its packed weights take.
    """
    shape: ConvolutionShape = node.parameters
    if len(shape.kernel_shape) > MAX_SPATIAL_RANK:
        return False
    window = window_of(shape, shape.input_shape[2:])
    itemsize = 4 if node.spec.name == "Conv" else 1
    layout = Layout(BLOCK if shape.input_shape[1] >= BLOCK else 4, *margins(window))
    scratch = stored_size(shape.input_shape, layout) * itemsize
    tables = 3 * 8 * prod(shape.output_shape)
    return may_take(node, scratch, packed_bytes + tables)


def writes_blocks(shape: ConvolutionShape) -> bool:
    """Say whether the output channels of each group are whole blocks."""
    maps = shape.weight_shape[0]
    return is_depthwise(shape) or (
        maps >= BLOCK and (shape.group == 1 or maps // shape.group % BLOCK == 0)
    )


def source_of(builder: StepBuilder, stored: Stored, block: int, flip: int, fill: int) -> Source:
    """Return the image as a convolution may read it: as it is, or copied with padding.

    A copy has `block` channels side by side, its elements are xor `flip`, and its padding `fill`.
    """
    shape: ConvolutionShape = builder.node.parameters
    window = window_of(shape, shape.input_shape[2:])
    needed = margins(window)
    layout = stored.layout
    has = (layout.top, layout.left, layout.bottom, layout.right)
    is_wide_enough = all(own >= need for own, need in zip(has, needed, strict=True))
    has_fill = not any(needed) or layout.fill == fill
    array = stored.array
    if flip or layout.block != block or not (is_wide_enough and has_fill):
        layout = Layout(block, *needed, fill=fill)
        array = builder.scratch(str(array.dtype), stored_size(shape.input_shape, layout))
        given, wanted = stored.places, places_of(shape.input_shape, layout)
        builder.add(move_image, stored.array, given, array, wanted, flip)
        if any(needed):
            builder.add(fill_padding, array, wanted, fill)
    places = places_of(shape.input_shape, layout)
    return placed(shape, window, array, places)


def placed(shape: ConvolutionShape, window: Window, array: Any, places: Places) -> Source:
    """Return where the pixels and taps of a window lie in an image with enough padding."""
    grid = (window.out_height, window.out_width)
    strides = (window.stride_height, window.stride_width)
    kernel = (window.kernel_height, window.kernel_width)
    dilations = (window.dilation_height, window.dilation_width)
    first = places.origin - window.pad_top * places.row - window.pad_left * places.block
    offsets = channel_offsets(places, shape.input_shape[1])
    channels = shape.weight_shape[1]
    group = int(offsets[channels]) if shape.group > 1 else 0
    taps = positions(places, kernel, dilations)
    if is_depthwise(shape):
        return Source(array, places, first, places.plane, positions(places, grid, strides), taps)
    taps = (offsets[:channels, None] + taps).reshape(-1)
    return Source(array, places, first, group, positions(places, grid, strides), taps)


def block_of(shape: ConvolutionShape, stored: Stored) -> int:
    """Return how many channels side by side a float32 convolution wants of an image."""
    if is_depthwise(shape):
        return BLOCK
    if stored.layout.block == 1 or (shape.group > 1 and shape.weight_shape[1] % BLOCK):
        return 1
    return BLOCK


def frame_of(
    shape: ConvolutionShape, source: Source, y: Places, addend: Places | None, chunk: int
) -> Frame:
    """Return how to go through a convolution's images, groups and blocks."""
    maps = shape.weight_shape[0] // shape.group
    groups, blocks = shape.group, -(-maps // BLOCK)
    if is_depthwise(shape):
        groups, maps, blocks = -(-groups // BLOCK), BLOCK, 1
    beside = (0,) * 5
    if addend is not None:
        step = addend.plane * blocks
        beside = (1, addend.origin, addend.image, step, addend.plane)
    y_group = y.plane * (blocks if y.block == BLOCK else maps)
    return Frame(
        *(shape.input_shape[0], groups, blocks, maps, shape.weight_shape[0]),
        *(prod(shape.output_shape), chunk),
        *(source.first, source.places.image, source.group),
        *(y.block, y.origin, y.image, y_group, y.plane),
        *beside,
    )


def chunk_of(shape: ConvolutionShape, pixels: int, pixel_bytes: int) -> int:
    """Return how many outputs to work on before the next block: a multiple of `pixels`.

    `pixel_bytes` is what the channels of one output's stride take.
    """
    count = max(NEAR_BYTES // max(pixel_bytes, 1) // pixels, 1) * pixels
    return min(count, -(-prod(shape.output_shape) // pixels) * pixels)


def pixels_of(level: FeatureLevel, columns: int) -> int:
    """Return how many pixels a tile should have: the count that wastes least work.

    The last tile starts early instead of ending late, so that a tile has at most all pixels.
    """
    counts = [count for count in level.pixel_counts if count <= columns]
    return min(counts, key=lambda count: (-(-columns // count) * (count + 0.5), -count))


def pack_blocks(matrix: Array) -> Array:
    """Pack weights (m, k) as (ceil(m / BLOCK), k, BLOCK), flat; missing rows are zero."""
    rows, depth = matrix.shape
    padded = np.zeros((-(-rows // BLOCK) * BLOCK, depth), matrix.dtype)
    padded[:rows] = matrix
    return np.ascontiguousarray(padded.reshape(-1, BLOCK, depth).transpose(0, 2, 1)).reshape(-1)


def by_blocks(values: Array, groups: int, fill: Any) -> Array:
    """Return (m) values as (groups, m / groups up to whole blocks) in one axis."""
    maps = len(values) // groups
    padded = np.full((groups, -(-maps // BLOCK) * BLOCK), fill, values.dtype)
    padded[:, :maps] = values.reshape(groups, maps)
    return padded.reshape(-1)
