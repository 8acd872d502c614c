"""MatMul: float32 matrix products over broadcast batches."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.fused_multiply_add import add_product, widen
from cvm.inference.graph import NodeView
from cvm.inference.operators.matrix_product import (
    MatrixProductShape,
    resolve_matrix_product,
    steps,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.product_steps import extents_of, product_cost
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class MatMulParameters(MatrixProductShape):
    """A resolved matrix product."""


def parse(view: NodeView) -> MatMulParameters:
    """Check float32 a (*batch, m, k) and b (*batch, k, n), either of which may be a vector (k)."""
    require_operand_count(view, 2)
    a = operand_type(view, 0, ("float32",))
    b = operand_type(view, 1, ("float32",))
    shape = resolve_matrix_product(view, 0, a, 1, b)
    return MatMulParameters(shape.a_shape, shape.b_shape, shape.batch_shape, shape.output_shape)


def output_types(parameters: MatMulParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (*batch, m, n), without the axis of a vector operand."""
    return (TensorType("float32", parameters.output_shape),)


def cost(parameters: MatMulParameters, view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count the products."""
    return product_cost(extents_of(parameters, view, 0, 1))


def matmul(parameters: MatMulParameters, a: Array, b: Array) -> tuple[Array, ...]:
    """Return MatMul-13 of float32 a (*batch, m, k) and b (*batch, k, n), shaped as `numpy.matmul`.

    Each output has one accumulator, from +0: `acc = fma(a, b, acc)` with one rounding, k
    ascending. NaN and infinities propagate as in IEEE 754.
    """
    return (
        ordered_product(
            parameters, a.reshape(parameters.a_shape), b.reshape(parameters.b_shape)
        ).reshape(parameters.output_shape),
    )


def ordered_product(shape: MatrixProductShape, a: Array, b: Array) -> Array:
    """Return the float32 dot products of two stacks of matrices, in the one fixed order."""
    accumulator = np.zeros(shape.stacked_shape, np.float32)
    for step in steps(shape, widen(a), widen(b)):
        with np.errstate(all="ignore"):
            product = step.column * step.row
        accumulator[step.outputs] = add_product(product, accumulator[step.outputs])
    return accumulator


MATMUL = OpSpec("MatMul", 13, frozenset(), parse, output_types, cost, matmul)
