"""ReduceLogSumExp: logarithms of sums of exponentials over some axes."""

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.exact.conversion import integer_from_float32
from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.logarithm import log32
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduction import (
    REDUCTION_ATTRIBUTES,
    SUM_DTYPES,
    ReductionParameters,
    output_type,
    resolve_reduction,
    terms,
)
from cvm.inference.tensor_type import Array, TensorType

STEPS = 3
"""Per input: a comparison, a difference, an addition (and one exponential)."""


def parse(view: NodeView) -> ReductionParameters:
    """Check float32, int32 or int64 data and the axes."""
    return resolve_reduction(view, SUM_DTYPES)


def cost(parameters: ReductionParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count three steps and an exponential for each input, a logarithm for each output."""
    size = outputs[0].size
    return Cost(
        elementwise=size * (STEPS * parameters.count + 3 * RUN),
        transcendental=size * (4 * parameters.count + 1),
    )


def reduce_log_sum_exp(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceLogSumExp-18 with the greatest element taken out, each step rounded once.

    1. m = fold of Max over the axes; 0 where that is infinite
    2. e = exp32(x - m)
    3. s = ordered_sum(e), row-major over the reduced axes
    4. y = log32(s) + m

    (The ONNX function body computes in float64, where no element up to 709 overflows; taking
    the greatest out keeps that in float32.) NaN gives NaN, +inf gives +inf, nothing but -inf
    gives -inf. Integers are rounded to float32 first, and y is truncated back to their dtype.
    """
    values = terms(parameters, x.astype(np.float32))
    greatest = values[0]
    for value in values[1:]:
        greatest = larger(greatest, value)
    with np.errstate(all="ignore"):
        greatest = np.where(np.isinf(greatest), np.float32(0), greatest)
        total = ordered_sum(exp32(values - greatest))
        result = np.asarray(log32(total) + greatest).reshape(parameters.output_shape)
    if parameters.dtype == "float32":
        return (result,)
    return (integer_from_float32(result, parameters.dtype),)


REDUCE_LOG_SUM_EXP = OpSpec(
    "ReduceLogSumExp", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_log_sum_exp
)
