"""Reshape: the same elements under a constant other shape."""

from dataclasses import dataclass
from math import prod

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class ReshapeParameters:
    """The dtype and the resolved shape."""

    dtype: str
    output_shape: Shape


def parse(view: NodeView) -> ReshapeParameters:
    """Check data of any dtype and the constant int64 shape; resolve its 0 and -1."""
    require_operand_count(view, 2)
    data = view.types[0]
    if data is None:
        raise refusal(view, "operand count", "input 0 is missing")
    requested = operand_type(view, 1, ("int64",))
    if requested.rank != 1 or requested.size > MAX_RANK:
        raise refusal(
            view, "operand shape", f"shape must list at most {MAX_RANK} axes, found {requested}"
        )
    lengths = [int(length) for length in constant_operand(view, 1, "shape")]
    resolved = _resolve(view, data, lengths, flag_attribute(view, "allowzero", False))
    return ReshapeParameters(data.dtype, resolved)


def _resolve(view: NodeView, data: TensorType, lengths: list[int], allow_zero: bool) -> Shape:
    """Copy the axes asked for by 0 (unless `allow_zero`), then work out the one that is -1."""
    wrong = min(lengths, default=0) < -1 or lengths.count(-1) > 1
    if wrong or (allow_zero and -1 in lengths and 0 in lengths):
        raise refusal(
            view,
            "operand value",
            f"shape {lengths} may hold one -1 (none beside a 0 under allowzero), else lengths",
        )
    resolved = list(lengths)
    for axis, length in enumerate(lengths):
        if length == 0 and not allow_zero:
            if axis >= data.rank:
                raise refusal(view, "operand value", f"shape {lengths} copies an axis {data} lacks")
            resolved[axis] = data.shape[axis]
    if -1 in resolved:
        known = -prod(resolved)
        if known == 0 or data.size % known:
            raise refusal(view, "operand value", f"{data} has no whole number of {lengths}")
        resolved[resolved.index(-1)] = data.size // known
    if prod(resolved) != data.size:
        raise refusal(view, "operand value", f"{data} does not have the size of {lengths}")
    return tuple(resolved)


def output_types(parameters: ReshapeParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the data's dtype and the resolved shape."""
    return (TensorType(parameters.dtype, parameters.output_shape),)


def cost(_parameters: ReshapeParameters, _view: NodeView, _outputs: tuple[TensorType, ...]) -> Cost:
    """Count nothing: no element changes."""
    return Cost()


def reshape(parameters: ReshapeParameters, data: Array, _shape: Array) -> tuple[Array, ...]:
    """Return Reshape-21: the same elements, row-major; 0 copies an axis, -1 takes the rest."""
    return (data.reshape(parameters.output_shape),)


RESHAPE = OpSpec(
    "Reshape", 21, frozenset({"allowzero"}), parse, output_types, cost, reshape, is_view=True
)
