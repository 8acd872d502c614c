"""QLinearMatMul: 8-bit matrix products with requantised results."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.matrix_product import MatrixProductShape, resolve_matrix_product
from cvm.inference.operators.matrix_product_integer import (
    integer_product,
    require_product_fits_int32,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.product_steps import extents_of, integer_product_cost
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
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class QLinearMatMulParameters(MatrixProductShape):
    """A resolved product and how its sums become `y_dtype`.

    `a_zero` is int32 (rows), every value the same; `b_zero` is int32 (columns) and
    `multiplier` float32 (columns).
    """

    a_zero: Array
    b_zero: Array
    multiplier: Array
    y_zero: int
    y_dtype: str


def parse(view: NodeView) -> QLinearMatMulParameters:
    """Check 8-bit a and b, constant scales and zero points (b's maybe per column), and the bound.

    Inputs: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero. A scale per row of a or
    per matrix of a stack is refused.
    """
    require_operand_count(view, 8)
    a = operand_type(view, 0, LIMITS)
    b = operand_type(view, 3, LIMITS)
    shape = resolve_matrix_product(view, 0, a, 3, b)
    a_zero = per_channel(zero_points(view, 2, 1, a.dtype), shape.rows)
    b_zero = per_channel(zero_points(view, 5, shape.columns, b.dtype), shape.columns)
    require_product_fits_int32(
        view,
        shape,
        (a.dtype, view.constant_at(0), a_zero),
        (b.dtype, view.constant_at(3), b_zero),
    )
    b_scales = scales(view, 4, shape.columns)
    y_dtype = quantised_dtype(view, 7)
    return QLinearMatMulParameters(
        shape.a_shape,
        shape.b_shape,
        shape.batch_shape,
        shape.output_shape,
        a_zero,
        b_zero,
        multipliers(view, scale(view, 1), b_scales, scale(view, 6), shape.columns),
        zero_point(view, 7, y_dtype),
        y_dtype,
    )


def output_types(parameters: QLinearMatMulParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return (*batch, m, n) of the dtype of y's zero point, without the axis of a vector."""
    return (TensorType(parameters.y_dtype, parameters.output_shape),)


def cost(
    parameters: QLinearMatMulParameters, view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the products, and the steps that requantise each output."""
    products = integer_product_cost(extents_of(parameters, view, 0, 3))
    return products + Cost(elementwise=outputs[0].size * REQUANTISE_STEPS * SERIAL, nodes=1)


def qlinear_matmul(
    parameters: QLinearMatMulParameters,
    a: Array,
    _a_scale: Array,
    _a_zero: Array,
    b: Array,
    *_constants: Array,
) -> tuple[Array, ...]:
    """Return QLinearMatMul-21: clip(rint(float32(acc) * m), lo - y_zero, hi - y_zero) + y_zero.

    acc is the exact int32 sum of (a - a_zero) * (b - b_zero) (`parse` proves that no order
    overflows); m = (a_scale * b_scale) / y_scale in float32, in that order, per column.
    float32(acc) and the product round once each, halves go to the even integer, and
    saturation comes before the conversion. a (*batch, m, k) and b (*batch, k, n) are int8 or
    uint8, in any combination, shaped as `numpy.matmul`.
    """
    sums = integer_product(parameters, a, b, parameters.a_zero, parameters.b_zero)
    y = requantise(sums, parameters.multiplier, parameters.y_zero, parameters.y_dtype)
    return (np.asarray(y.reshape(parameters.output_shape)),)


QLINEAR_MATMUL = OpSpec("QLinearMatMul", 21, frozenset(), parse, output_types, cost, qlinear_matmul)
