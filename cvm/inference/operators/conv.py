"""Conv: float32 cross-correlation over 1 to 3 spatial axes."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.fused_multiply_add import add_product, widen
from cvm.inference.graph import NodeView
from cvm.inference.operators.convolution import (
    CONVOLUTION_ATTRIBUTES,
    ConvolutionShape,
    along_channels,
    convolution_cost,
    grouped_output_shape,
    positions_inside,
    resolve_convolution,
    solid_steps,
    steps,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

RESTORING_STEPS = 3
"""Of a term that may be folded again."""


@dataclass(frozen=True, slots=True)
class ConvParameters(ConvolutionShape):
    """A resolved convolution; `has_bias` says whether input 2 is present."""

    has_bias: bool


def parse(view: NodeView) -> ConvParameters:
    """Check x (n, c, *spatial), constant weights (m, c / group, *kernel), bias (m)."""
    require_operand_count(view, 2, 3)
    x = operand_type(view, 0, ("float32",))
    w = operand_type(view, 1, ("float32",))
    constant_operand(view, 1, "weights")
    shape = resolve_convolution(view, x, w)
    bias = view.type_at(2)
    if bias is not None:
        operand_type(view, 2, ("float32",))
        if bias.shape != (w.shape[0],):
            raise refusal(view, "operand shape", f"bias {bias} must have {w.shape[0]} values")
    return ConvParameters(
        shape.kernel_shape,
        shape.strides,
        shape.pads,
        shape.dilations,
        shape.output_shape,
        shape.group,
        shape.input_shape,
        shape.weight_shape,
        shape.full_output_shape,
        bias is not None,
    )


def output_types(parameters: ConvParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (n, m, *output spatial)."""
    return (TensorType("float32", parameters.full_output_shape),)


def cost(parameters: ConvParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count every tap of every output, and one addition of the bias."""
    size = outputs[0].size
    products = Cost(
        float32_macs=size * parameters.depth,
        elementwise=size if parameters.has_bias else 0,
    )
    return (
        products
        + restoring_cost(parameters, view)
        + convolution_cost(parameters)
        + solid_steps(parameters, 20, 6)
    )


def restoring_cost(parameters: ConvParameters, view: NodeView) -> Cost:
    """Count the outputs beside padding that may be folded again: see `conv`, a padded tap.

    Only an output without a bias (-0 counts as none) can be a zero whose sign a padded tap turns.
    """
    bias = view.constant_at(2)
    if bias is not None and not (np.signbit(bias) & (bias == 0)).any():
        return Cost()
    positions = prod(parameters.output_shape)
    border = parameters.full_output_shape[0] * (positions - positions_inside(parameters))
    maps, groups = parameters.full_output_shape[1], parameters.group
    starts = 7 * RUN // 8 * groups if maps == groups else 2 * SERIAL * groups * parameters.depth
    return Cost(elementwise=border * (starts + RESTORING_STEPS * maps * parameters.depth))


def conv(
    parameters: ConvParameters, x: Array, w: Array, bias: Array | None = None
) -> tuple[Array, ...]:
    """Return Conv-11 of float32 x (n, c, *spatial) and w (m, c / group, *kernel).

    Each output has one accumulator, from +0: `acc = fma(x, w, acc)` with one rounding, in
    ascending order of (input channel in group, kernel row, kernel column ...). A padded tap
    is skipped: it is not a multiply-add with +0, which would turn an accumulator that has
    underflowed to -0 into +0. The bias, if any, is added last, by a separate rounding. NaN
    and infinities of x propagate as in IEEE 754; the weights are finite and constant.
    """
    accumulator = np.zeros(grouped_output_shape(parameters), np.float32)
    for step in steps(parameters, widen(x), widen(w)):
        with np.errstate(all="ignore"):
            product = step.pixels * step.weights
        accumulator[step.outputs] = add_product(product, accumulator[step.outputs])
    y = accumulator.reshape(parameters.full_output_shape)
    if bias is None:
        return (y,)
    with np.errstate(all="ignore"):
        return (y + along_channels(bias, parameters),)


CONV = OpSpec("Conv", 11, CONVOLUTION_ATTRIBUTES, parse, output_types, cost, conv)
