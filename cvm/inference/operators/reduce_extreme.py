"""What ReduceMax and ReduceMin share: the dtypes, the cost, and the fold."""

from collections.abc import Callable

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.reduction import (
    ReductionParameters,
    fold_steps,
    resolve_reduction,
    terms,
)
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("bool", "float32", "int32", "int64", "int8", "uint8")


def parse(view: NodeView) -> ReductionParameters:
    """Check data of any dtype and the axes."""
    return resolve_reduction(view, DTYPES)


def cost(
    parameters: ReductionParameters, _view: NodeView, _outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one comparison for each input."""
    return Cost(elementwise=fold_steps(parameters, 10, 5, start=RUN, is_chain=False))


def fold(
    choose: Callable[[Array, Array], Array], parameters: ReductionParameters, x: Array
) -> Array:
    """Fold `choose` over the axes of x, ascending from the first element."""
    values = terms(parameters, x)
    chosen = values[0]
    for value in values[1:]:
        chosen = choose(chosen, value)
    return np.asarray(chosen).reshape(parameters.output_shape)
