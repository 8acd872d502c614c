"""Clip: values outside an interval move to its nearer end."""

from dataclasses import dataclass

from cvm.inference.cost import Cost
from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_operand_count,
    require_scalar,
)
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int8", "int32", "int64", "uint8")


@dataclass(frozen=True, slots=True)
class ClipParameters(UnchangedType):
    """The type of the tensor, and which of the two bounds are present."""

    has_low: bool
    has_high: bool


def parse(view: NodeView) -> ClipParameters:
    """Check x and the optional scalar bounds (inputs 1 and 2), all of one dtype."""
    require_operand_count(view, 1, 3)
    x = operand_type(view, 0, DTYPES)
    for index in (1, 2):
        if view.type_at(index) is not None:
            require_scalar(view, index, operand_type(view, index, (x.dtype,)))
    return ClipParameters(
        x.dtype, x.shape, view.type_at(1) is not None, view.type_at(2) is not None
    )


def cost(parameters: ClipParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output and bound."""
    bounds = int(parameters.has_low) + int(parameters.has_high)
    return Cost(elementwise=outputs[0].size * bounds)


def clip(
    _parameters: ClipParameters, x: Array, low: Array | None = None, high: Array | None = None
) -> tuple[Array, ...]:
    """Return Clip-13: Min(Max(x, low), high) elementwise; an absent bound is no step at all.

    For float32, int8, uint8, int32 and int64. NaN in x or in a bound gives NaN; +0 is above
    -0; where low exceeds high the result is high.
    """
    if low is not None:
        x = larger(x, low)
    if high is not None:
        x = smaller(x, high)
    return (x,)


CLIP = OpSpec("Clip", 13, frozenset(), parse, same_type, cost, clip)
