"""MaxPool and GlobalAveragePool of images in blocks of channels."""

import numpy as np

from cvm.inference.backends.cpu.im2col import Window, window_of
from cvm.inference.backends.cpu.lane_operations import add_block, take_larger_block
from cvm.inference.backends.cpu.layout import BLOCK, Places
from cvm.inference.backends.cpu.pool_window import outputs_inside
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.exact.ordering import lowest
from cvm.inference.operators.global_average_pool import GlobalAveragePoolParameters
from cvm.inference.operators.max_pool import MaxPoolParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def max_pool_blocks(
    x: Array, given: Places, window: Window, least: Array, y: Array, wanted: Places
) -> None:
    """Equal `operators.max_pool`: a fold of Max from `least`; padding never takes part."""
    planes = given.image // given.plane
    for line in range(given.images * planes * window.out_height):
        plane, out_row = line // window.out_height, line % window.out_height
        target = wanted.origin + plane * wanted.plane + out_row * wanted.row
        y[target : target + window.out_width * BLOCK] = least[0]
        for kernel_row in range(window.kernel_height):
            row = out_row * window.stride_height - window.pad_top
            row += kernel_row * window.dilation_height
            if row < 0 or row >= window.height:
                continue
            start = given.origin + plane * given.plane + row * given.row
            for kernel_column in range(window.kernel_width):
                low, high = outputs_inside(window, kernel_column)
                column = kernel_column * window.dilation_width - window.pad_left
                for j in range(low, high):
                    at = start + (j * window.stride_width + column) * BLOCK
                    take_larger_block(y, target + j * BLOCK, x, at)


@kernel
def global_average_pool_blocks(
    x: Array, given: Places, divisor: float, partial: Array, total: Array, y: Array
) -> None:
    """Equal `operators.global_average_pool`: the ordered sum of each plane, divided once."""
    planes = given.image // given.plane
    for plane in range(given.images * planes):
        total[:] = np.float32(0)
        partial[:] = np.float32(0)
        start = given.origin + plane * given.plane
        for i in range(given.height * given.width):
            if i > 0 and i % CHUNK == 0:
                add_block(total, 0, partial, 0)
                partial[:] = np.float32(0)
            at = start + i // given.width * given.row + i % given.width * BLOCK
            add_block(partial, 0, x, at)
        add_block(total, 0, partial, 0)
        first = plane % planes * BLOCK
        for lane in range(min(BLOCK, given.channels - first)):
            y[plane // planes * given.channels + first + lane] = total[lane] / divisor


def build_max(builder: StepBuilder) -> None:
    """Plan a MaxPool that reads and writes blocks."""
    parameters: MaxPoolParameters = builder.node.parameters
    x, y = builder.stored(0), builder.stored_results[0]
    window = window_of(parameters, parameters.input_shape[2:])
    least = np.full(1, lowest(parameters.dtype), x.array.dtype)
    builder.add(max_pool_blocks, x.array, x.places, window, least, y.array, y.places)


def build_global_average(builder: StepBuilder) -> None:
    """Plan a GlobalAveragePool that reads blocks."""
    parameters: GlobalAveragePoolParameters = builder.node.parameters
    x, y = builder.stored(0), builder.stored_results[0]
    partial, total = np.zeros((2, BLOCK), np.float32)
    divisor = np.float32(parameters.count)
    builder.add(global_average_pool_blocks, x.array, x.places, divisor, partial, total, y.array)
