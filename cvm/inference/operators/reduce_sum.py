"""ReduceSum: sums over some axes."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduction import (
    REDUCTION_ATTRIBUTES,
    SUM_DTYPES,
    ReductionParameters,
    fold_steps,
    output_type,
    resolve_reduction,
    sum_of,
)
from cvm.inference.tensor_type import Array, TensorType


def parse(view: NodeView) -> ReductionParameters:
    """Check float32, int32 or int64 data and the axes."""
    return resolve_reduction(view, SUM_DTYPES)


def cost(
    parameters: ReductionParameters, _view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one addition for each input."""
    return Cost(elementwise=fold_steps(parameters, 8))


def reduce_sum(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceSum-13 of float32, int32 or int64.

    float32 elements, row-major over the reduced axes, are folded ascending from +0 in chunks
    of 256, then the chunk totals ascending from +0. Integers wrap around in two's complement.
    With no axes at all (noop_with_empty_axes) every value stays as it is.
    """
    with np.errstate(all="ignore"):
        return (sum_of(parameters, x),)


REDUCE_SUM = OpSpec("ReduceSum", 13, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_sum)
