"""GlobalMaxPool: the largest element of each channel."""

from cvm.inference.cost import RUN, Cost
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.global_pooling import resolve_global_pooling
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.reduce_extreme import fold
from cvm.inference.operators.reduction import ReductionParameters, output_type
from cvm.inference.tensor_type import Array, TensorType


def parse(view: NodeView) -> ReductionParameters:
    """Check float32 x (n, c, spatial ...) with at least one spatial axis."""
    return resolve_global_pooling(view)


def cost(parameters: ReductionParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one comparison for each input."""
    return Cost(elementwise=outputs[0].size * (10 * parameters.count + RUN))


def global_max_pool(parameters: ReductionParameters, x: Array) -> tuple[Array, ...]:
    """Return GlobalMaxPool-1: a fold of Max over the spatial axes of float32 x, as (n, c, 1 ...).

    NaN in a channel gives NaN; +0 is above -0.
    """
    return (fold(larger, parameters, x),)


GLOBAL_MAX_POOL = OpSpec("GlobalMaxPool", 1, frozenset(), parse, output_type, cost, global_max_pool)
