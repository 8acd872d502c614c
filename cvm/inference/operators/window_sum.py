"""The ordered sum of what lies under a sliding window."""

import numpy as np

from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.pooling import PoolingShape
from cvm.inference.operators.window import EVERY, Window, taps
from cvm.inference.tensor_type import Array


def window_sum(parameters: PoolingShape, x: Array) -> Array:
    """Return the sum of float32 x (n, c, *spatial) under each window, one rounding per addition.

    The taps of a window, row-major, form the chunks of 256 of the ordered sum (a padded tap
    keeps its place in its chunk and adds nothing); each chunk is folded ascending from +0, then
    the chunk totals ascending from +0.
    """
    total = np.zeros(parameters.full_output_shape, np.float32)
    partial = np.zeros(parameters.full_output_shape, np.float32)
    chunk = 0
    for tap in taps(parameters, parameters.input_shape[2:]):
        if tap_number(parameters, tap.index) // CHUNK != chunk:
            chunk = tap_number(parameters, tap.index) // CHUNK
            total = total + partial
            partial = np.zeros(parameters.full_output_shape, np.float32)
        target = (EVERY, EVERY, *tap.outputs)
        partial[target] = partial[target] + x[(EVERY, EVERY, *tap.inputs)]
    return total + partial


def tap_number(window: Window, index: tuple[int, ...]) -> int:
    """Return the row-major place of a tap in its kernel."""
    number = 0
    for extent, place in zip(window.kernel_shape, index, strict=True):
        number = number * extent + place
    return number
