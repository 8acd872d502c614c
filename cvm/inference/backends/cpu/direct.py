"""Convolutions and products term by term, for shapes whose panels would take too much memory.

They are the plainest form of the definitions, a few nanoseconds a term: a kernel of 2**20 by
2**20 dilated taps, or a product of two long vectors, is not worth packing.
"""

import numpy as np

from cvm.inference.backends.cpu.im2col import Window
from cvm.inference.backends.cpu.scalar_operations import fma_f32
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def product_f32(
    a: Array,
    a_index: Array,
    a_strides: tuple[int, int],
    b: Array,
    b_index: Array,
    b_strides: tuple[int, int],
    m: int,
    n: int,
    depth: int,
    y: Array,
) -> None:
    """Write the products of stacks of float32 matrices; strides are (row or column, depth)."""
    for product in range(len(a_index)):
        for row in range(m):
            for column in range(n):
                i = a_index[product] * m * depth + row * a_strides[0]
                j = b_index[product] * n * depth + column * b_strides[0]
                total = np.float32(0)
                for k in range(depth):
                    total = fma_f32(a[i + k * a_strides[1]], b[j + k * b_strides[1]], total)
                y[(product * m + row) * n + column] = total


@kernel
def product_int8(
    a: Array,
    a_index: Array,
    a_strides: tuple[int, int],
    a_zeros: Array,
    b: Array,
    b_index: Array,
    b_strides: tuple[int, int],
    b_zeros: Array,
    depth: int,
    y: Array,
) -> None:
    """Write the int32 sums of (a - za) * (b - zb) of stacks of int8 or uint8 matrices."""
    m, n = len(a_zeros), len(b_zeros)
    for product in range(len(a_index)):
        for row in range(m):
            for column in range(n):
                i = a_index[product] * m * depth + row * a_strides[0]
                j = b_index[product] * n * depth + column * b_strides[0]
                total = 0
                for k in range(depth):
                    left = np.int64(a[i + k * a_strides[1]]) - a_zeros[row]
                    total += left * (np.int64(b[j + k * b_strides[1]]) - b_zeros[column])
                y[(product * m + row) * n + column] = np.int32(total)


@kernel
def fold_inside(
    x: Array,
    first_plane: int,
    window: Window,
    weights: Array,
    output_map: int,
    channels: int,
    column: int,
) -> np.float32:
    """Return one float32 dot product of a window, its padded taps skipped."""
    top = column // window.out_width * window.stride_height - window.pad_top
    left = column % window.out_width * window.stride_width - window.pad_left
    total = np.float32(0)
    weight = output_map * channels * window.kernel_height * window.kernel_width
    for channel in range(channels):
        plane = (first_plane + channel) * window.height * window.width
        for kernel_row in range(window.kernel_height):
            row = top + kernel_row * window.dilation_height
            for kernel_column in range(window.kernel_width):
                position = left + kernel_column * window.dilation_width
                if 0 <= row < window.height and 0 <= position < window.width:
                    pixel = x[plane + row * window.width + position]
                    total = fma_f32(pixel, weights[weight], total)
                weight += 1
    return total


@kernel
def convolution_f32(
    x: Array,
    window: Window,
    weights: Array,
    bias: Array,
    groups: int,
    images: int,
    channels: int,
    maps: int,
    y: Array,
) -> None:
    """Write a float32 convolution; `bias` has whole panels of maps for each group."""
    columns = window.out_height * window.out_width
    padded_maps = len(bias) // groups
    for item in range(images * groups):
        group = item % groups
        for m in range(maps):
            addend = bias[group * padded_maps + m]
            for column in range(columns):
                total = fold_inside(
                    x, item * channels, window, weights, group * maps + m, channels, column
                )
                y[(item * maps + m) * columns + column] = total + addend


@kernel
def convolution_int8(
    x: Array,
    x_zero: int,
    window: Window,
    weights: Array,
    w_zeros: Array,
    bias: Array,
    groups: int,
    images: int,
    channels: int,
    maps: int,
    y: Array,
) -> None:
    """Write the int32 sums of (x - zx) * (w - zw) plus the bias; padded taps add nothing."""
    columns = window.out_height * window.out_width
    taps = window.kernel_height * window.kernel_width
    for line in range(images * groups * maps):
        item, m = line // maps, line % maps
        output_map = item % groups * maps + m
        for column in range(columns):
            top = column // window.out_width * window.stride_height - window.pad_top
            left = column % window.out_width * window.stride_width - window.pad_left
            total = np.int64(bias[output_map])
            for tap in range(channels * taps):
                plane = (item * channels + tap // taps) * window.height
                row = top + tap % taps // window.kernel_width * window.dilation_height
                position = left + tap % window.kernel_width * window.dilation_width
                if 0 <= row < window.height and 0 <= position < window.width:
                    pixel = np.int64(x[(plane + row) * window.width + position]) - x_zero
                    weight = np.int64(weights[output_map * channels * taps + tap])
                    total += pixel * (weight - w_zeros[output_map])
            y[line * columns + column] = np.int32(total)
