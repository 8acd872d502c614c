"""The shape rule that GlobalMaxPool and GlobalLpPool share: a reduction of all spatial axes."""

from cvm.inference.graph import NodeView
from cvm.inference.operators.normalisation import channelled_input
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.reduction import ReductionParameters


def resolve_global_pooling(view: NodeView) -> ReductionParameters:
    """Check float32 x (n, c, spatial ...) and return the reduction to (n, c, 1 ...)."""
    require_operand_count(view, 1)
    x = channelled_input(view, 0)
    axes = tuple(range(2, x.rank))
    return ReductionParameters(x.dtype, x.shape, axes, (*x.shape[:2], *(1,) * len(axes)))
