"""The integer matrix product that MatMulInteger and QLinearMatMul share."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.accumulator_bound import (
    largest_distance,
    require_dynamic_fits_int32,
    require_fits_int32,
)
from cvm.inference.operators.matrix_product import MatrixProductShape, steps
from cvm.inference.tensor_type import Array


def require_product_fits_int32(
    view: NodeView,
    shape: MatrixProductShape,
    a: tuple[str, Array | None, Array],
    b: tuple[str, Array | None, Array],
) -> None:
    """Refuse a product that could overflow; each side is (dtype, constant value, zero points).

    Zero points are (rows) of a and (columns) of b. A constant b is bounded column by
    column, a constant a row by row, and two inputs by their dtypes and the depth.
    """
    (a_dtype, a_value, a_zero), (b_dtype, b_value, b_zero) = a, b
    a_largest, b_largest = largest_distance(a_dtype, a_zero), largest_distance(b_dtype, b_zero)
    if b_value is not None:
        columns = np.swapaxes(b_value.reshape(shape.b_shape), -1, -2).reshape(-1, shape.depth)
        zeros = np.broadcast_to(b_zero, (*shape.b_shape[:-2], shape.columns)).reshape(-1)
        require_fits_int32(view, columns, zeros, a_largest)
    elif a_value is not None:
        rows = a_value.reshape(-1, shape.depth)
        zeros = np.broadcast_to(a_zero, shape.a_shape[:-1]).reshape(-1)
        require_fits_int32(view, rows, zeros, b_largest)
    else:
        require_dynamic_fits_int32(view, shape.depth, a_largest, b_largest)


def integer_product(
    shape: MatrixProductShape, a: Array, b: Array, a_zero: Array, b_zero: Array
) -> Array:
    """Return the int32 sums of (a - a_zero) * (b - b_zero), (*batch, rows, columns).

    `a_zero` is int32 (rows), `b_zero` is int32 (columns). Every partial sum fits an int32
    (`accumulator_bound`), so no order can change the result.
    """
    centred_a = a.reshape(shape.a_shape).astype(np.int32) - a_zero[:, None]
    centred_b = b.reshape(shape.b_shape).astype(np.int32) - b_zero
    accumulator = np.zeros(shape.stacked_shape, np.int32)
    for step in steps(shape, centred_a, centred_b):
        accumulator[step.outputs] += step.column * step.row
    return accumulator
