"""MaxPool, AveragePool and GlobalAveragePool: row by row, one tap at a time."""

import numpy as np

from cvm.inference.backends.cpu import definition, image_pooling
from cvm.inference.backends.cpu.im2col import MAX_SPATIAL_RANK, Window, window_of
from cvm.inference.backends.cpu.layout import PLAIN
from cvm.inference.backends.cpu.pool_window import outputs_inside
from cvm.inference.backends.cpu.scalar_operations import larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.exact.ordering import lowest
from cvm.inference.operators.average_pool import AveragePoolParameters, divisors
from cvm.inference.operators.global_average_pool import GlobalAveragePoolParameters
from cvm.inference.operators.max_pool import MaxPoolParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def max_pool(x: Array, planes: int, window: Window, least: Array, y: Array) -> None:
    """Equal `operators.max_pool`: a fold of Max from `least[0]`; padding never takes part."""
    stride, columns = window.stride_width, window.out_width
    for line in range(planes * window.out_height):
        plane, out_row = line // window.out_height, line % window.out_height
        result = y[line * columns : (line + 1) * columns]
        for j in range(columns):
            result[j] = least[0]
        for kernel_row in range(window.kernel_height):
            row = out_row * window.stride_height - window.pad_top
            row += kernel_row * window.dilation_height
            if row < 0 or row >= window.height:
                continue
            start = (plane * window.height + row) * window.width - window.pad_left
            for kernel_column in range(window.kernel_width):
                low, high = outputs_inside(window, kernel_column)
                tap = start + kernel_column * window.dilation_width + low * stride
                best, values = result[low:high], x[tap:]
                if stride == 1:
                    for j in range(high - low):
                        best[j] = larger(best[j], values[j])
                elif stride == 2:
                    for j in range(high - low):
                        best[j] = larger(best[j], values[2 * j])
                else:
                    for j in range(high - low):
                        best[j] = larger(best[j], values[j * stride])


@kernel
def average_pool(
    x: Array, planes: int, window: Window, counts: Array, partial: Array, y: Array
) -> None:
    """Equal `operators.average_pool`: chunks of 256 taps, each output's sum divided once."""
    stride, columns = window.stride_width, window.out_width
    for line in range(planes * window.out_height):
        plane, out_row = line // window.out_height, line % window.out_height
        at = line * columns
        for j in range(columns):
            y[at + j] = np.float32(0)
            partial[j] = np.float32(0)
        for tap in range(window.kernel_height * window.kernel_width):
            kernel_row, kernel_column = tap // window.kernel_width, tap % window.kernel_width
            if tap > 0 and tap % CHUNK == 0:
                for j in range(columns):
                    y[at + j] += partial[j]
                    partial[j] = np.float32(0)
            row = out_row * window.stride_height - window.pad_top
            row += kernel_row * window.dilation_height
            if row < 0 or row >= window.height:
                continue
            start = (plane * window.height + row) * window.width - window.pad_left
            start += kernel_column * window.dilation_width
            low, high = outputs_inside(window, kernel_column)
            for j in range(low, high):
                partial[j] += x[start + j * stride]
        for j in range(columns):
            y[at + j] = (y[at + j] + partial[j]) / counts[out_row * columns + j]


@kernel
def global_average_pool(x: Array, count: int, divisor: float, y: Array) -> None:
    """Equal `operators.global_average_pool`: the ordered sum of each plane, divided once."""
    for plane in range(len(y)):
        total = np.float32(0)
        for start in range(0, count, CHUNK):
            partial = np.float32(0)
            for i in range(start, min(start + CHUNK, count)):
                partial += x[plane * count + i]
            total += partial
        y[plane] = total / divisor


def build_max(builder: StepBuilder) -> None:
    """Plan a MaxPool over one or two spatial axes."""
    if builder.stored(0).layout != PLAIN:
        image_pooling.build_max(builder)
        return
    parameters: MaxPoolParameters = builder.node.parameters
    if len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    x, y = builder.operand(0), builder.results[0]
    window = window_of(parameters, parameters.input_shape[2:])
    planes = x.shape[0] * x.shape[1]
    least = np.full(1, lowest(parameters.dtype), x.dtype)
    builder.add(max_pool, flat(x), planes, window, least, flat(y))


def build_average(builder: StepBuilder) -> None:
    """Plan an AveragePool over one or two spatial axes."""
    parameters: AveragePoolParameters = builder.node.parameters
    if len(parameters.kernel_shape) > MAX_SPATIAL_RANK:
        definition.build(builder)
        return
    x, y = builder.operand(0), builder.results[0]
    window = window_of(parameters, parameters.input_shape[2:])
    planes = x.shape[0] * x.shape[1]
    counts = divisors(parameters, parameters.input_shape[2:], parameters.count_include_pad)
    partial = builder.scratch("float32", window.out_width)
    divisor = flat(counts.astype(np.float32))
    builder.add(average_pool, flat(x), planes, window, divisor, partial, flat(y))


def build_global_average(builder: StepBuilder) -> None:
    """Plan a GlobalAveragePool."""
    if builder.stored(0).layout != PLAIN:
        image_pooling.build_global_average(builder)
        return
    parameters: GlobalAveragePoolParameters = builder.node.parameters
    divisor = np.float32(parameters.count)
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    builder.add(global_average_pool, x, parameters.count, divisor, y)
