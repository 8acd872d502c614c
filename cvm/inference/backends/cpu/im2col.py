"""Implicit im2col: the columns of one panel are copied from padded planes just before their use.

A plane holds a channel with its padding written out, and each row split by column phase where the
stride is above 1: then every tap of neighbouring outputs is contiguous, and packing a panel is a
few vector copies per tap, without a comparison.
"""

from typing import NamedTuple

import numpy as np

from cvm.inference.operators import window as operators_window
from cvm.inference.tensor_type import Array, Shape
from cvm.native_code import kernel

MAX_SPATIAL_RANK = 2
"""Windows over three axes run by the definition."""

SLACK = 16
"""Elements that may be read or written past the end of planes and panels by the last vector."""


class Window(NamedTuple):
    """A two-dimensional sliding window over planes of `height` x `width`."""

    height: int
    width: int
    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int
    out_height: int
    out_width: int


class Planes(NamedTuple):
    """How channels lie in memory once they are padded: rows of `stride` phases of `phase` columns.

    `out_row` is the distance between the taps of two output rows. `is_copy` is False where the
    image itself already has this layout.
    """

    rows: int
    phase: int
    row: int
    plane: int
    out_row: int
    out_height: int
    out_width: int
    is_copy: bool


def window_of(shape: operators_window.Window, spatial: Shape) -> Window:
    """Return a resolved window over one or two spatial axes as a two-dimensional one."""
    one = len(shape.kernel_shape) == 1
    pads = (0, shape.pads[0]) if one else shape.pads[:2]
    return Window(
        *((1,) * one + spatial),
        *((1,) * one + shape.kernel_shape),
        *((1,) * one + shape.strides),
        *((1,) * one + shape.dilations),
        *pads,
        *((1,) * one + shape.output_shape),
    )


def planes_of(window: Window, must_copy: bool = False) -> Planes:
    """Return the layout of the planes that a window slides over.

    An image without padding serves as it is, unless `must_copy`.
    """
    rows = (window.out_height - 1) * window.stride_height
    rows += (window.kernel_height - 1) * window.dilation_height + 1
    columns = (window.out_width - 1) * window.stride_width
    columns += (window.kernel_width - 1) * window.dilation_width + 1
    fits = not must_copy and window.pad_top == window.pad_left == 0 and window.stride_width == 1
    if fits and rows <= window.height and columns <= window.width:
        row, phase, rows = window.width, window.width, window.height
        is_copy = False
    else:
        phase = -(-columns // window.stride_width)
        row = phase * window.stride_width
        is_copy = True
    out_row = window.stride_height * row
    out_height, out_width = window.out_height, window.out_width
    if out_row == out_width:
        out_height, out_width = 1, out_height * out_width
    return Planes(rows, phase, row, rows * row, out_row, out_height, out_width, is_copy)


def as_one_row(window: Window, planes: Planes) -> tuple[Window, Planes]:
    """Return what writes the same planes, as one long row where no padding is between rows."""
    same = window.stride_width == 1 and planes.rows * planes.row == window.height * window.width
    if not same or planes.row != window.width or window.pad_top or window.pad_left:
        return window, planes
    size = planes.plane
    return window._replace(height=1, width=size), planes._replace(rows=1, row=size, phase=size)


def tap_offsets(window: Window, planes: Planes, channels: int) -> Array:
    """Return, for each tap (channel, kernel row, kernel column), its distance from the first."""
    row = np.arange(window.kernel_height) * window.dilation_height * planes.row
    column = np.arange(window.kernel_width) * window.dilation_width
    column = column % window.stride_width * planes.phase + column // window.stride_width
    plane = np.arange(channels) * planes.plane
    return (plane[:, None, None] + row[:, None] + column).reshape(-1).astype(np.int64)


@kernel
def copy_strided(source: Array, stride: int, target: Array) -> None:
    """Write every `stride`-th element of `source` to `target`."""
    if stride == 1:
        for i in range(len(target)):
            target[i] = source[i]
    elif stride == 2:
        for i in range(len(target)):
            target[i] = source[2 * i]
    else:
        for i in range(len(target)):
            target[i] = source[i * stride]


@kernel
def write_planes(x: Array, channels: int, window: Window, planes: Planes, out: Array) -> None:
    """Copy `channels` planes of x into the layout `planes`, with 0 in the padding."""
    stride = window.stride_width
    at = 0
    for channel in range(channels):
        for plane_row in range(planes.rows):
            row = plane_row - window.pad_top
            for phase in range(stride):
                first = phase - window.pad_left
                low = min(max((stride - 1 - first) // stride, 0), planes.phase)
                high = max(min((window.width - first + stride - 1) // stride, planes.phase), low)
                if row < 0 or row >= window.height:
                    low = high = planes.phase
                target = out[at : at + planes.phase]
                target[:low] = 0
                target[high:] = 0
                if high > low:
                    start = (channel * window.height + row) * window.width + first
                    copy_strided(x[start + low * stride :], stride, target[low:high])
                at += planes.phase
