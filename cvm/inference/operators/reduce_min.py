"""ReduceMin: the smallest elements over some axes."""

from cvm.inference.exact.ordering import smaller
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduce_extreme import cost, fold, parse
from cvm.inference.operators.reduction import (
    REDUCTION_ATTRIBUTES,
    ReductionParameters,
    output_type,
)
from cvm.inference.tensor_type import Array


def reduce_min(
    parameters: ReductionParameters, x: Array, _axes: Array | None = None
) -> tuple[Array, ...]:
    """Return ReduceMin-20: a fold of Min over the axes, for any dtype.

    NaN if any element is NaN; -0 is below +0; of bools False is below True.
    """
    return (fold(smaller, parameters, x),)


REDUCE_MIN = OpSpec("ReduceMin", 20, REDUCTION_ATTRIBUTES, parse, output_type, cost, reduce_min)
