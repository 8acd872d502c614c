"""ConvInteger: 8-bit convolution with int32 results."""

from dataclasses import dataclass

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.accumulator_bound import largest_distance, require_fits_int32
from cvm.inference.operators.convolution import (
    CONVOLUTION_ATTRIBUTES,
    ConvolutionShape,
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
    per_channel,
    zero_point,
    zero_points,
)
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class ConvIntegerParameters(ConvolutionShape):
    """A resolved convolution and its zero points; `w_zero` is int32 (m)."""

    x_zero: int
    w_zero: Array


def parse(view: NodeView) -> ConvIntegerParameters:
    """Check 8-bit x and constant w, constant zero points (w's maybe per channel), and the bound."""
    require_operand_count(view, 2, 4)
    x = operand_type(view, 0, LIMITS)
    w = operand_type(view, 1, LIMITS)
    weights = constant_operand(view, 1, "weights")
    shape = resolve_convolution(view, x, w)
    channels = w.shape[0]
    x_zero = zero_point(view, 2, x.dtype)
    w_zero = per_channel(zero_points(view, 3, channels, w.dtype), channels)
    largest = largest_distance(x.dtype, x_zero)
    require_fits_int32(view, weights.reshape(channels, -1), w_zero, largest)
    return ConvIntegerParameters(
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
    )


def output_types(parameters: ConvIntegerParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int32 (n, m, *output spatial)."""
    return (TensorType("int32", parameters.full_output_shape),)


def cost(
    parameters: ConvIntegerParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count every tap of every output."""
    return (
        Cost(int8_macs=outputs[0].size * parameters.depth)
        + integer_convolution_cost(parameters)
        + solid_steps(parameters, 2, 2)
    )


def conv_integer(
    parameters: ConvIntegerParameters,
    x: Array,
    w: Array,
    *_zero_points: Array | None,
) -> tuple[Array, ...]:
    """Return ConvInteger-10: sums of (x - x_zero) * (w - w_zero) as int32 (n, m, *spatial).

    x (n, c, *spatial) and w (m, c / group, *kernel) are int8 or uint8, in any combination. A
    padded tap counts as x_zero and adds nothing. The sum is exact: `parse` proves that it
    stays below 2**31 in magnitude in every order.
    """
    return (integer_convolution(parameters, x, w, parameters.x_zero, parameters.w_zero),)


CONV_INTEGER = OpSpec(
    "ConvInteger", 10, CONVOLUTION_ATTRIBUTES, parse, output_types, cost, conv_integer
)
