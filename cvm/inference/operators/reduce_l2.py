"""ReduceL2: Euclidean norms over some axes."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.conversion import integer_from_float32
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
    """Count a multiplication and an addition for each input, a root for each output."""
    return Cost(elementwise=fold_steps(parameters, 16) + outputs[0].size)


def reduce_l2(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceL2-18, its ONNX function body: Sqrt(ReduceSum(Mul(x, x))).

    Squares and sums are those of ReduceSumSquare; the root is rounded once. An integer sum is
    rounded to float32 before the root, and the root is truncated back to the integer dtype
    (NaN, the root of a sum that wrapped around below 0, gives 0).
    """
    with np.errstate(all="ignore"):
        total = sum_of(parameters, x * x)
        root = np.asarray(np.sqrt(total.astype(np.float32)))
    if parameters.dtype == "float32":
        return (root,)
    return (integer_from_float32(root, parameters.dtype),)


REDUCE_L2 = OpSpec("ReduceL2", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_l2)
