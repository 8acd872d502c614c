"""ReduceProd: products over some axes."""

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduction import (
    REDUCTION_ATTRIBUTES,
    SUM_DTYPES,
    ReductionParameters,
    fold_steps,
    output_type,
    resolve_reduction,
    terms,
)
from cvm.inference.tensor_type import Array, TensorType


def parse(view: NodeView) -> ReductionParameters:
    """Check float32, int32 or int64 data and the axes."""
    return resolve_reduction(view, SUM_DTYPES)


def cost(
    parameters: ReductionParameters, _view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one multiplication for each input."""
    return Cost(elementwise=fold_steps(parameters, 5 * SERIAL))


def reduce_prod(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceProd-18 of float32, int32 or int64.

    The elements, row-major over the reduced axes, are multiplied ascending from 1, one
    rounding each, in one run without chunks. Integers wrap around in two's complement.
    """
    product = np.ones(parameters.kept_shape, parameters.dtype)
    with np.errstate(all="ignore"):
        for value in terms(parameters, x):
            product = product * value
    return (np.asarray(product).reshape(parameters.output_shape),)


REDUCE_PROD = OpSpec("ReduceProd", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_prod)
