"""ReduceMax: the largest elements over some axes."""

from cvm.inference.exact.ordering import larger
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduce_extreme import cost, fold, parse
from cvm.inference.operators.reduction import (
    REDUCTION_ATTRIBUTES,
    ReductionParameters,
    output_type,
)
from cvm.inference.tensor_type import Array


def reduce_max(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceMax-20: a fold of Max over the axes, for any dtype.

    NaN if any element is NaN; +0 is above -0; of bools False is below True.
    """
    return (fold(larger, parameters, x),)


REDUCE_MAX = OpSpec("ReduceMax", 20, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_max)
