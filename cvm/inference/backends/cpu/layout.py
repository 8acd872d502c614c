"""How an image lies in memory: plain (n, c, h, w), or blocks of channels side by side, padded.

In a blocked layout `BLOCK` neighbouring channels of one pixel are neighbours in memory, so that a
vector holds output channels: no convolution then needs im2col, and no image size leaves a vector
half empty. Lanes that stand for no channel hold anything finite or not; no result depends on them.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from cvm.inference.tensor_type import Array, Shape
from cvm.native_code import kernel

BLOCK = 16
"""Channels side by side: the float32 lanes of the widest vector, the bytes of the narrowest."""

MAX_IMAGE_RANK = 4
"""Blocked values have a batch axis, channels, and one or two spatial axes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`block` channels side by side (1: plain), and rows and columns of padding around."""

    block: int = 1
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    fill: int = 0

    @property
    def is_padded(self) -> bool:
        """Say whether there is padding."""
        return (self.top, self.left, self.bottom, self.right) != (0, 0, 0, 0)


PLAIN = Layout()
BLOCKED = Layout(BLOCK)


class Places(NamedTuple):
    """Where the elements of an image lie.

    Element (n, c, h, w) is at
    origin + n * image + c // block * plane + h * row + w * block + c % block.
    """

    images: int
    channels: int
    height: int
    width: int
    block: int
    origin: int
    image: int
    plane: int
    row: int
    top: int
    left: int
    bottom: int
    right: int


def image_shape(shape: Shape) -> tuple[int, int, int, int]:
    """Return a shape of one or two spatial axes with two."""
    images, channels, *spatial = shape
    height, width = (1, *spatial)[-2:]
    return images, channels, height, width


def places_of(shape: Shape, layout: Layout) -> Places:
    """Return where the elements of an image (n, c, spatial) lie; spatial has one or two axes."""
    images, channels, height, width = image_shape(shape)
    row = (width + layout.left + layout.right) * layout.block
    plane = (height + layout.top + layout.bottom) * row
    return Places(
        *(images, channels, height, width, layout.block),
        layout.top * row + layout.left * layout.block,
        -(-channels // layout.block) * plane,
        *(plane, row, layout.top, layout.left, layout.bottom, layout.right),
    )


def stored_size(shape: Shape, layout: Layout) -> int:
    """Return the elements of memory that a value takes."""
    if layout == PLAIN:
        return prod(shape)
    places = places_of(shape, layout)
    return places.images * places.image


def positions(places: Places, window_shape: tuple[int, int], strides: tuple[int, int]) -> Array:
    """Return the distance of each pixel (h, w) of a window's grid from pixel (0, 0), row-major."""
    rows = np.arange(window_shape[0], dtype=np.int64) * (strides[0] * places.row)
    columns = np.arange(window_shape[1], dtype=np.int64) * (strides[1] * places.block)
    return (rows[:, None] + columns).reshape(-1)


def channel_offsets(places: Places, channels: int) -> Array:
    """Return the distance of each of the first channels from channel 0."""
    index = np.arange(channels, dtype=np.int64)
    return index // places.block * places.plane + index % places.block


@kernel
def move_image(source: Array, given: Places, target: Array, wanted: Places, flip: int) -> None:
    """Copy an image between layouts; every element of integers xor `flip`, which is 0 for float32.

    Padding and lanes without a channel are left as they are.
    """
    same_blocks = given.block == wanted.block and given.channels % given.block == 0
    for image in range(given.images):
        if same_blocks:
            for plane in range(given.channels // given.block):
                for row in range(given.height):
                    i = given.origin + image * given.image + plane * given.plane + row * given.row
                    j = wanted.origin + image * wanted.image + plane * wanted.plane
                    j += row * wanted.row
                    count = given.width * given.block
                    move_row(source[i : i + count], 1, target[j : j + count], 1, flip)
            continue
        for channel in range(given.channels):
            i = given.origin + image * given.image + channel // given.block * given.plane
            i += channel % given.block
            j = wanted.origin + image * wanted.image + channel // wanted.block * wanted.plane
            j += channel % wanted.block
            for _ in range(given.height):
                stop = j + (wanted.width - 1) * wanted.block + 1
                move_row(source[i:], given.block, target[j:stop], wanted.block, flip)
                i += given.row
                j += wanted.row


@kernel
def move_row(source: Array, source_step: int, target: Array, target_step: int, flip: int) -> None:
    """Write every `target_step`-th element of `target` from every `source_step`-th of `source`."""
    count = (len(target) + target_step - 1) // target_step
    if flip == 0:
        for i in range(count):
            target[i * target_step] = source[i * source_step]
    else:
        for i in range(count):
            target[i * target_step] = np.uint8(np.uint8(source[i * source_step]) ^ np.uint8(flip))


@kernel
def fill_padding(target: Array, places: Places, fill: int) -> None:
    """Write `fill` into the padding of an image."""
    planes = places.images * places.image // max(places.plane, 1)
    inner = places.width * places.block
    left, right = places.left * places.block, places.right * places.block
    for plane in range(planes):
        start = plane * places.plane
        stop = start + places.plane
        target[start : start + places.top * places.row] = fill
        target[stop - places.bottom * places.row : stop] = fill
        for row in range(places.height):
            at = start + (places.top + row) * places.row
            target[at : at + left] = fill
            target[at + left + inner : at + left + inner + right] = fill
