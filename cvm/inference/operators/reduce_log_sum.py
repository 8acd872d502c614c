"""ReduceLogSum: logarithms of sums over some axes."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.conversion import integer_from_float32
from cvm.inference.exact.logarithm import log32
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
    """Count one addition for each input and one logarithm for each output."""
    size = outputs[0].size
    return Cost(elementwise=fold_steps(parameters, 8), transcendental=size)


def reduce_log_sum(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceLogSum-18, its ONNX function body: Log(ReduceSum(x)).

    An integer sum, which wraps around, is rounded to float32 before the logarithm, which is
    truncated back to the integer dtype: NaN gives 0, -inf (the logarithm of 0) the least value.
    """
    with np.errstate(all="ignore"):
        logarithm = log32(sum_of(parameters, x).astype(np.float32))
    if parameters.dtype == "float32":
        return (logarithm,)
    return (integer_from_float32(logarithm, parameters.dtype),)


REDUCE_LOG_SUM = OpSpec(
    "ReduceLogSum", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_log_sum
)
