"""ConvInteger and QLinearConv as launches of `kernels/conv_int8.cu`."""

import numpy as np

from cvm.inference.backends.cuda.conv_f32 import (
    columns_of,
    convolution_words,
    is_tiled,
    rows_per_group,
)
from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.backends.cuda.packing import (
    carried,
    carried_zero,
    flip_of,
    packed_along,
    result_words,
    words_of,
)
from cvm.inference.backends.cuda.stacks import tile_size
from cvm.inference.backends.cuda.windows import tap_table
from cvm.inference.operators.conv_integer import ConvIntegerParameters
from cvm.inference.operators.qlinear_conv import QLinearConvParameters
from cvm.inference.tensor_type import Array

Parameters = ConvIntegerParameters | QLinearConvParameters

SOURCE = "conv_int8"


def build_conv_integer(builder: LaunchBuilder) -> None:
    """Launch ConvInteger-10."""
    by: ConvIntegerParameters = builder.node.parameters
    _build(builder, by, 1, None, result_words(builder, None, 0, "int32"))


def build_qlinear_conv(builder: LaunchBuilder) -> None:
    """Launch QLinearConv-10."""
    by: QLinearConvParameters = builder.node.parameters
    result = result_words(builder, by.multiplier, by.y_zero, by.y_dtype)
    _build(builder, by, 3, builder.table(by.bias), result)


def _build(
    builder: LaunchBuilder,
    by: Parameters,
    weight_index: int,
    bias: Place | None,
    result: tuple[Word, ...],
) -> None:
    """Append the convolution; `weight_index` is the input that holds the constant weights."""
    weights = builder.node.view.constants[weight_index]
    if weights is None:
        raise TypeError(f"{builder.node.name!r}: the weights are no initializer")
    if is_tiled(by):
        _add_tiled(builder, by, weights, bias, result)
    else:
        _add_direct(builder, by, weights, bias, result)


def _add_direct(
    builder: LaunchBuilder,
    by: Parameters,
    weights: Array,
    bias: Place | None,
    result: tuple[Word, ...],
) -> None:
    """Append the kernel that multiplies centred values one by one."""
    words = (
        builder.operand(0),
        builder.table(weights),
        builder.table(carried_zero(by.w_zero, str(weights.dtype))),
        bias,
        flip_of(builder.operand_type(0).dtype),
        flip_of(str(weights.dtype)),
        _x_zero(builder, by),
        *convolution_words(by, None),
        *result,
    )
    builder.add_over(Kernel(SOURCE, "conv_int8_direct"), builder.result_type().size, words)


def _add_tiled(
    builder: LaunchBuilder,
    by: Parameters,
    weights: Array,
    bias: Place | None,
    result: tuple[Word, ...],
) -> None:
    """Append the matrix product of packed words and, where it needs them, the window sums."""
    channels, depth = weights.shape[0], by.depth
    rows, columns = rows_per_group(by), columns_of(by)
    conv = (
        builder.operand(0),
        builder.table(packed_along(weights, (channels, depth), 1)),
        words_of(depth),
        flip_of(builder.operand_type(0).dtype),
        _x_zero(builder, by),
        *convolution_words(by, builder.table(tap_table(by))),
    )
    w_zero = carried_zero(by.w_zero, str(weights.dtype))
    window_sums = builder.scratch("int32", by.group, columns) if w_zero.any() else None
    row_sums = carried(weights).reshape(channels, depth).astype(np.int64).sum(axis=1)
    correction = (
        builder.table(w_zero) if w_zero.any() else None,
        window_sums,
        builder.table(np.array([_x_zero(builder, by)], np.int32)),
        builder.table(row_sums.astype(np.int32)),
        bias,
        0,
        depth,
    )
    record = (*conv, *correction, *result)
    if window_sums is not None:
        kernel = Kernel(SOURCE, "window_sums")
        builder.add_over(kernel, by.group * columns, (window_sums, *record))
    size = tile_size(rows, columns)
    kernel = Kernel(SOURCE, f"conv_int8_{size.suffix}")
    builder.add(kernel, by.group * size.blocks(rows, columns), record)


def _x_zero(builder: LaunchBuilder, by: Parameters) -> int:
    """Return the zero point of x as the kernels carry it."""
    return int(carried_zero(np.array(by.x_zero), builder.operand_type(0).dtype))
