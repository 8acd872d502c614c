"""Conv as launches of `kernels/conv_f32.cu`."""

from math import prod

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.backends.cuda.stacks import tile_size
from cvm.inference.backends.cuda.windows import is_padded, tap_table, window_words
from cvm.inference.operators.conv import ConvParameters
from cvm.inference.operators.convolution import ConvolutionShape

FEWEST_TILED_ROWS = 16
"""Output channels of a group below which one thread makes one output, without a tile."""


def rows_per_group(shape: ConvolutionShape) -> int:
    """Return the output channels of one group."""
    return shape.weight_shape[0] // shape.group


def columns_of(shape: ConvolutionShape) -> int:
    """Return the outputs of one channel, over all images."""
    return shape.input_shape[0] * prod(shape.output_shape)


def is_tiled(shape: ConvolutionShape) -> bool:
    """Return whether a convolution is worth a matrix product per group."""
    return rows_per_group(shape) >= FEWEST_TILED_ROWS


def convolution_words(shape: ConvolutionShape, taps: Place | None) -> tuple[Word, ...]:
    """Return the fields of `Convolution` in `kernels/convolution.cuh`."""
    return (
        taps,
        shape.group,
        rows_per_group(shape),
        shape.depth,
        columns_of(shape),
        shape.weight_shape[1],
        *window_words(shape, shape.input_shape[2:]),
    )


def build_conv(builder: LaunchBuilder) -> None:
    """Launch Conv-11."""
    shape: ConvParameters = builder.node.parameters
    taps = builder.table(tap_table(shape)) if is_tiled(shape) else None
    words = (
        builder.result(),
        builder.operand(0),
        builder.operand(1),
        builder.optional(2),
        *convolution_words(shape, taps),
    )
    if not is_tiled(shape):
        builder.add_over(Kernel("conv_f32", "conv_f32_direct"), builder.result_type().size, words)
        return
    rows, columns = rows_per_group(shape), columns_of(shape)
    size = tile_size(rows, columns)
    padded = "_padded" if is_padded(shape, shape.input_shape[2:]) else ""
    kernel = Kernel("conv_f32", f"conv_f32_{size.suffix}{padded}")
    builder.add(kernel, shape.group * size.blocks(rows, columns), words)
