"""Windows as kernels see them: three spatial axes, the missing ones of length 1 in front."""

import numpy as np

from cvm.inference.backends.cuda.launch_builder import Word
from cvm.inference.operators.convolution import ConvolutionShape
from cvm.inference.operators.window import MAX_SPATIAL_RANK, Window
from cvm.inference.tensor_type import Array, Shape


def window_words(window: Window, spatial: Shape) -> tuple[Word, ...]:
    """Return the fields of `Window` in `kernels/window.cuh` for an input of these axes."""
    rank = len(spatial)
    missing = MAX_SPATIAL_RANK - rank
    ones, zeros = (1,) * missing, (0,) * missing
    return (
        *(*ones, *spatial),
        *(*ones, *window.output_shape),
        *(*ones, *window.kernel_shape),
        *(*ones, *window.strides),
        *(*zeros, *window.pads[:rank]),
        *(*zeros, *window.pads[rank:]),
        *(*ones, *window.dilations),
    )


def tap_table(shape: ConvolutionShape) -> Array:
    """Return the `Tap` of every term of a convolution's sums: int32 (depth, 4).

    Row k = (input channel in group, *kernel position) holds the offset in elements, modulo
    2**32, and the move along three axes.
    """
    spatial = shape.input_shape[2:]
    missing = MAX_SPATIAL_RANK - len(spatial)
    lengths = (1,) * missing + spatial
    kernel = (1,) * missing + shape.kernel_shape
    dilations = (1,) * missing + shape.dilations
    channel, *places = np.indices((shape.weight_shape[1], *kernel), np.int64).reshape(4, -1)
    moves = [place * dilation for place, dilation in zip(places, dilations, strict=True)]
    offset = channel
    for length, move in zip(lengths, moves, strict=True):
        offset = offset * length + move
    offset = (offset & 0xFFFF_FFFF).astype(np.uint32).view(np.int32)
    return np.stack([offset, *(move.astype(np.int32) for move in moves)], axis=1)


def is_padded(window: Window, spatial: Shape) -> bool:
    """Return whether any output has a tap outside the input."""
    for axis, length in enumerate(spatial):
        reach = (window.kernel_shape[axis] - 1) * window.dilations[axis]
        last = (window.output_shape[axis] - 1) * window.strides[axis] + reach
        if window.pads[axis] or last - window.pads[axis] >= length:
            return True
    return False
