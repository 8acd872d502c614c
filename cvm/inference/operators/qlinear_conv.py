"""QLinearConv: 8-bit convolution with requantised results."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.accumulator_bound import largest_distance, require_fits_int32
from cvm.inference.operators.convolution import (
    CONVOLUTION_ATTRIBUTES,
    ConvolutionShape,
    along_channels,
    integer_convolution_cost,
    resolve_convolution,
    solid_steps,
)
from cvm.inference.operators.convolution_integer import integer_convolution
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.quantisation import (
    LIMITS,
    REQUANTISE_STEPS,
    multipliers,
    per_channel,
    quantised_dtype,
    requantise,
    scale,
    scales,
    zero_point,
    zero_points,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class QLinearConvParameters(ConvolutionShape):
    """A resolved convolution and how its sums become `y_dtype`.

    `w_zero` and `bias` are int32 (m), `multiplier` is float32 (m); an absent bias is 0.
    """

    x_zero: int
    w_zero: Array
    bias: Array
    multiplier: Array
    y_zero: int
    y_dtype: str


def parse(view: NodeView) -> QLinearConvParameters:
    """Check 8-bit x; constant w, bias, scales and zero points (w's maybe per channel); the bound.

    Inputs: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (optional, int32).
    """
    require_operand_count(view, 8, 9)
    x = operand_type(view, 0, LIMITS)
    w = operand_type(view, 3, LIMITS)
    weights = constant_operand(view, 3, "weights")
    shape = resolve_convolution(view, x, w)
    channels = w.shape[0]
    x_zero = zero_point(view, 2, x.dtype)
    w_zero = per_channel(zero_points(view, 5, channels, w.dtype), channels)
    bias = _bias(view, channels)
    largest = largest_distance(x.dtype, x_zero)
    require_fits_int32(view, weights.reshape(channels, -1), w_zero, largest, bias)
    y_dtype = quantised_dtype(view, 7)
    return QLinearConvParameters(
        shape.kernel_shape,
        shape.strides,
        shape.pads,
        shape.dilations,
        shape.output_shape,
        shape.group,
        shape.input_shape,
        shape.weight_shape,
        shape.full_output_shape,
        x_zero,
        w_zero,
        bias,
        multipliers(view, scale(view, 1), scales(view, 4, channels), scale(view, 6), channels),
        zero_point(view, 7, y_dtype),
        y_dtype,
    )


def _bias(view: NodeView, channels: int) -> Array:
    """Return the constant int32 bias, or zeros where it is absent."""
    if view.type_at(8) is None:
        return np.zeros(channels, np.int32)
    found = operand_type(view, 8, ("int32",))
    if found.shape != (channels,):
        raise refusal(view, "operand shape", f"bias {found} must have {channels} values")
    return constant_operand(view, 8, "bias")


def output_types(parameters: QLinearConvParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return (n, m, *output spatial) of the dtype of y's zero point."""
    return (TensorType(parameters.y_dtype, parameters.full_output_shape),)


def cost(
    parameters: QLinearConvParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count every tap of every output, and the steps that requantise it."""
    size = outputs[0].size
    products = Cost(int8_macs=size * parameters.depth, elementwise=size * REQUANTISE_STEPS)
    return products + integer_convolution_cost(parameters) + solid_steps(parameters, 2, 2)


def qlinear_conv(
    parameters: QLinearConvParameters,
    x: Array,
    _x_scale: Array,
    _x_zero: Array,
    w: Array,
    *_constants: Array | None,
) -> tuple[Array, ...]:
    """Return QLinearConv-10: clip(rint(float32(acc) * m), lo - y_zero, hi - y_zero) + y_zero.

    acc is the exact int32 sum of (x - x_zero) * (w - w_zero), plus the bias (`parse` proves
    that no order overflows); m = (x_scale * w_scale) / y_scale in float32, in that order, per
    output channel. float32(acc) and the product round once each, halves go to the even
    integer, and saturation comes before the conversion. A padded tap counts as x_zero.
    x (n, c, *spatial) and w (m, c / group, *kernel) are int8 or uint8, in any combination.
    """
    sums = integer_convolution(parameters, x, w, parameters.x_zero, parameters.w_zero)
    accumulator = sums + along_channels(parameters.bias, parameters)
    multiplier = along_channels(parameters.multiplier, parameters)
    return (requantise(accumulator, multiplier, parameters.y_zero, parameters.y_dtype),)


QLINEAR_CONV = OpSpec(
    "QLinearConv", 10, CONVOLUTION_ATTRIBUTES, parse, output_types, cost, qlinear_conv
)
