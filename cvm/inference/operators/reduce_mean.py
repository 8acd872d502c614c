"""ReduceMean: means over some axes."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.division import truncated_quotient
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


def cost(parameters: ReductionParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one addition for each input and one division for each output."""
    return Cost(elementwise=fold_steps(parameters, 8) + outputs[0].size)


def reduce_mean(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceMean-18 of float32, int32 or int64: the sum of ReduceSum, then a division.

    float32 divides by float32(count), one rounding. An integer sum, which wraps around, is
    divided by the count and truncated toward zero, as Div does.
    """
    with np.errstate(all="ignore"):
        total = sum_of(parameters, x)
        if parameters.dtype == "float32":
            return (np.asarray(total / np.float32(parameters.count)),)
        count = np.asarray(parameters.count).astype(parameters.dtype)
        return (truncated_quotient(total, count),)


REDUCE_MEAN = OpSpec("ReduceMean", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_mean)
