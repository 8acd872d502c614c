"""Gemm: alpha * A B + beta * C on float32 matrices."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, float_attribute
from cvm.inference.operators.broadcasting import require_stretches_to
from cvm.inference.operators.matmul import ordered_product
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.product_steps import Extents, dynamic_count, product_cost
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class GemmParameters:
    """Which operands are transposed, the two factors, and (rows, depth, columns)."""

    transpose_a: bool
    transpose_b: bool
    alpha: np.float32
    beta: np.float32
    has_c: bool
    rows: int
    depth: int
    columns: int


def parse(view: NodeView) -> GemmParameters:
    """Check float32 matrices a (m, k) and b (k, n), each maybe transposed, and c -> (m, n)."""
    require_operand_count(view, 2, 3)
    a = operand_type(view, 0, ("float32",))
    b = operand_type(view, 1, ("float32",))
    for index, found in ((0, a), (1, b)):
        require_elements(view, index, found)
        if found.rank != 2:
            raise refusal(view, "operand shape", f"input {index} must be a matrix, found {found}")
    transpose_a = flag_attribute(view, "transA", False)
    transpose_b = flag_attribute(view, "transB", False)
    rows, depth = reversed(a.shape) if transpose_a else a.shape
    b_depth, columns = reversed(b.shape) if transpose_b else b.shape
    if depth != b_depth:
        raise refusal(view, "operand shape", f"{a} by {b}: depth {depth} against {b_depth}")
    c = view.type_at(2)
    if c is not None:
        operand_type(view, 2, ("float32",))
        require_stretches_to(view, c.shape, (rows, columns))
    return GemmParameters(
        transpose_a,
        transpose_b,
        float_attribute(view, "alpha", 1.0),
        float_attribute(view, "beta", 1.0),
        c is not None,
        rows,
        depth,
        columns,
    )


def output_types(parameters: GemmParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (m, n)."""
    return (TensorType("float32", (parameters.rows, parameters.columns)),)


def cost(parameters: GemmParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count k multiply-adds for each output, and each factor and addition that is not omitted."""
    scalar_steps = int(parameters.alpha != 1)
    if parameters.has_c:
        scalar_steps += 1 + int(parameters.beta != 1)
    m, n, depth = parameters.rows, parameters.columns, parameters.depth
    left, right = dynamic_count(view, 0, m * depth), dynamic_count(view, 1, n * depth)
    products = product_cost(Extents(1, m, depth, n, left, right))
    return products + Cost(elementwise=outputs[0].size * scalar_steps)


def gemm(
    parameters: GemmParameters, a: Array, b: Array, c: Array | None = None
) -> tuple[Array, ...]:
    """Return Gemm-13: alpha * (a b) + beta * c for float32 a (m, k), b (k, n), c -> (m, n).

    Each dot product has one accumulator, from +0: `acc = fma(a, b, acc)`, k ascending. Then,
    each rounded once: acc * alpha, c * beta, their sum. A factor of 1 is omitted, and without
    c nothing is added. A factor of 0 is multiplied like any other, so 0 * inf is NaN.
    """
    a = a.transpose() if parameters.transpose_a else a
    b = b.transpose() if parameters.transpose_b else b
    shape = (parameters.rows, parameters.columns)
    y = ordered_product(MatrixProductShape(a.shape, b.shape, (), shape), a, b)
    with np.errstate(all="ignore"):
        if parameters.alpha != 1:
            y = y * parameters.alpha
        if c is not None:
            y = y + (c * parameters.beta if parameters.beta != 1 else c)
    return (y,)


GEMM = OpSpec(
    "Gemm",
    13,
    frozenset({"alpha", "beta", "transA", "transB"}),
    parse,
    output_types,
    cost,
    gemm,
)
