"""MatMulInteger: 8-bit matrix products with int32 results."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.matrix_product import MatrixProductShape, resolve_matrix_product
from cvm.inference.operators.matrix_product_integer import (
    integer_product,
    require_product_fits_int32,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.product_steps import extents_of, integer_product_cost
from cvm.inference.operators.quantisation import LIMITS, per_channel, zero_points
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class MatMulIntegerParameters(MatrixProductShape):
    """A resolved product and its zero points: int32 (rows) of a, int32 (columns) of b.

    Under `has_computed_a_zero` that of a is known only in a run, and `a_zero` is 0.
    """

    a_zero: Array
    b_zero: Array
    has_computed_a_zero: bool


def parse(view: NodeView) -> MatMulIntegerParameters:
    """Check 8-bit a and b, constant zero points (per row of a, per column of b), and the bound.

    Inputs: a, b, a_zero (optional), b_zero (optional). A scalar a_zero may be computed, as
    DynamicQuantizeLinear does, if b is an initializer.
    """
    require_operand_count(view, 2, 4)
    a = operand_type(view, 0, LIMITS)
    b = operand_type(view, 1, LIMITS)
    shape = resolve_matrix_product(view, 0, a, 1, b)
    is_computed = view.type_at(2) is not None and view.constant_at(2) is None
    if is_computed:
        _check_computed_zero(view, a.dtype)
    constant = np.zeros(1, np.int32) if is_computed else zero_points(view, 2, shape.rows, a.dtype)
    a_zero = per_channel(constant, shape.rows)
    b_zero = per_channel(zero_points(view, 3, shape.columns, b.dtype), shape.columns)
    require_product_fits_int32(
        view,
        shape,
        (a.dtype, view.constant_at(0), np.array(LIMITS[a.dtype]) if is_computed else a_zero),
        (b.dtype, view.constant_at(1), b_zero),
    )
    return MatMulIntegerParameters(
        shape.a_shape,
        shape.b_shape,
        shape.batch_shape,
        shape.output_shape,
        a_zero,
        b_zero,
        is_computed,
    )


def _check_computed_zero(view: NodeView, dtype: str) -> None:
    """Refuse a zero point of a that is computed, unless it is one value and b is constant."""
    found = operand_type(view, 2, (dtype,))
    if found.shape not in ((), (1,)):
        raise refusal(
            view, "operand shape", f"a computed zero point of a must be a scalar, is {found}"
        )
    constant_operand(view, 1, "b, beside a computed zero point of a")


def output_types(parameters: MatMulIntegerParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int32 (*batch, m, n), without the axis of a vector operand."""
    return (TensorType("int32", parameters.output_shape),)


def cost(
    parameters: MatMulIntegerParameters, view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the products."""
    return integer_product_cost(extents_of(parameters, view, 0, 1))


def matmul_integer(
    parameters: MatMulIntegerParameters,
    a: Array,
    b: Array,
    *zero_points: Array | None,
) -> tuple[Array, ...]:
    """Return MatMulInteger-10: sums of (a - a_zero) * (b - b_zero) as int32.

    a (*batch, m, k) and b (*batch, k, n) are int8 or uint8, in any combination, shaped as
    `numpy.matmul`. The sum is exact: `parse` proves that it stays below 2**31 in magnitude
    in every order, whatever a zero point that is computed may be.
    """
    a_zero = parameters.a_zero
    if parameters.has_computed_a_zero and zero_points[0] is not None:
        a_zero = a_zero + zero_points[0].reshape(-1).astype(np.int32)
    sums = integer_product(parameters, a, b, a_zero, parameters.b_zero)
    return (sums.reshape(parameters.output_shape),)


MATMUL_INTEGER = OpSpec("MatMulInteger", 10, frozenset(), parse, output_types, cost, matmul_integer)
