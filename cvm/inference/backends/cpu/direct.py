"""Convolutions and products term by term, for shapes whose panels would take too much memory.

They are the plainest form of the definitions: a kernel of 2**20 by 2**20 dilated taps, or a product
of two long vectors, is not worth packing. A convolution still works on whole rows of outputs.
"""

import numpy as np

from cvm.inference.backends.cpu.im2col import Window
from cvm.inference.backends.cpu.scalar_operations import fma_f32
from cvm.inference.tensor_type import Array
from cvm.native_code import inlined, kernel


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


@inlined
def columns_inside(window: Window, kernel_column: int) -> tuple[int, int, int]:
    """Return which output columns a tap finds inside the image, and the position of column 0."""
    first = kernel_column * window.dilation_width - window.pad_left
    stride = window.stride_width
    low = 0 if first >= 0 else (stride - 1 - first) // stride
    high = min(window.out_width, (window.width - first + stride - 1) // stride)
    return low, high, first


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
    """Write a float32 convolution; `bias` has whole panels of maps for each group.

    The sums of a row of outputs grow side by side, each in the order of its taps.
    """
    padded_maps = len(bias) // groups
    stride = window.stride_width
    for line in range(images * groups * maps * window.out_height):
        item, m = line // window.out_height // maps, line // window.out_height % maps
        top = line % window.out_height * window.stride_height - window.pad_top
        group = item % groups
        out = line * window.out_width
        y[out : out + window.out_width] = 0
        weight = (group * maps + m) * channels * window.kernel_height * window.kernel_width
        for channel in range(channels):
            plane = (item * channels + channel) * window.height
            for kernel_row in range(window.kernel_height):
                row = top + kernel_row * window.dilation_height
                for kernel_column in range(window.kernel_width):
                    low, high, first = columns_inside(window, kernel_column)
                    if not 0 <= row < window.height or high <= low:
                        weight += 1
                        continue
                    start = (plane + row) * window.width + first
                    factor = weights[weight]
                    weight += 1
                    sums = y[out + low : out + high]
                    if stride == 1:
                        pixels = x[start + low : start + high]
                        for c in range(len(sums)):
                            sums[c] = fma_f32(pixels[c], factor, sums[c])
                    else:
                        for c in range(len(sums)):
                            sums[c] = fma_f32(x[start + (low + c) * stride], factor, sums[c])
        addend = bias[group * padded_maps + m]
        for c in range(out, out + window.out_width):
            y[c] += addend


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
    """Write the int32 sums of (x - zx) * (w - zw) plus the bias; padded taps add nothing.

    The sums wrap around at 32 bits.
    """
    stride = window.stride_width
    for line in range(images * groups * maps * window.out_height):
        item, m = line // window.out_height // maps, line // window.out_height % maps
        top = line % window.out_height * window.stride_height - window.pad_top
        output_map = item % groups * maps + m
        out = line * window.out_width
        y[out : out + window.out_width] = bias[output_map]
        zero = np.int32(x_zero)
        weight = output_map * channels * window.kernel_height * window.kernel_width
        for channel in range(channels):
            plane = (item * channels + channel) * window.height
            for kernel_row in range(window.kernel_height):
                row = top + kernel_row * window.dilation_height
                for kernel_column in range(window.kernel_width):
                    low, high, first = columns_inside(window, kernel_column)
                    if not 0 <= row < window.height or high <= low:
                        weight += 1
                        continue
                    start = (plane + row) * window.width + first
                    factor = np.int32(np.int32(weights[weight]) - np.int32(w_zeros[output_map]))
                    weight += 1
                    sums = y[out + low : out + high]
                    if stride == 1:
                        pixels = x[start + low : start + high]
                        for c in range(len(sums)):
                            sums[c] += np.int32((np.int32(pixels[c]) - zero) * factor)
                    else:
                        for c in range(len(sums)):
                            pixel = np.int32(x[start + (low + c) * stride])
                            sums[c] += np.int32((pixel - zero) * factor)
