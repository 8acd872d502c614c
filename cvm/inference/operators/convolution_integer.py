"""The integer convolution that ConvInteger and QLinearConv share."""

import numpy as np

from cvm.inference.operators.convolution import ConvolutionShape, grouped_output_shape, steps
from cvm.inference.tensor_type import Array


def integer_convolution(
    shape: ConvolutionShape, x: Array, w: Array, x_zero: int, w_zero: Array
) -> Array:
    """Return the int32 sums of (x - x_zero) * (w - w_zero), (n, m, *spatial).

    `w_zero` is int32 (m). A padded tap counts as x_zero, so it adds nothing. Every partial
    sum fits an int32 (`accumulator_bound`), so no order can change the result.
    """
    centred_x = x.astype(np.int32) - np.int32(x_zero)
    centred_w = w.astype(np.int32) - w_zero.reshape(-1, *(1,) * (w.ndim - 1))
    accumulator = np.zeros(grouped_output_shape(shape), np.int32)
    for step in steps(shape, centred_x, centred_w):
        accumulator[step.outputs] += step.pixels * step.weights
    return accumulator.reshape(shape.full_output_shape)
