"""ReduceL1: sums of magnitudes over some axes."""

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
    """Count a magnitude and an addition for each input."""
    return Cost(elementwise=fold_steps(parameters, 16))


def reduce_l1(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceL1-18, its ONNX function body: ReduceSum(Abs(x)).

    float32 sums are ordered as in ReduceSum. The magnitude of the least integer is itself,
    and sums wrap around, both in two's complement.
    """
    with np.errstate(all="ignore"):
        return (sum_of(parameters, np.abs(x)),)


REDUCE_L1 = OpSpec("ReduceL1", 18, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_l1)
