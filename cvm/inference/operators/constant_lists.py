"""Constant inputs and attributes that list axes, lengths or counts."""

from collections.abc import Sequence

from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import constant_operand, operand_type
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import TensorType

INDEX_DTYPES = ("int32", "int64")


def any_operand(view: NodeView, index: int) -> TensorType:
    """Return the type of a required input of any dtype."""
    found = view.type_at(index)
    if found is None:
        raise refusal(view, "operand count", f"input {index} is missing")
    return found


def constant_integers(
    view: NodeView, index: int, meaning: str, most: int, dtypes: Sequence[str] = ("int64",)
) -> tuple[int, ...]:
    """Return a constant input that is a list of at most `most` integers."""
    found = operand_type(view, index, dtypes)
    if found.rank != 1 or found.size > most:
        raise refusal(
            view, "operand shape", f"{meaning} must list at most {most} integers, found {found}"
        )
    return tuple(int(value) for value in constant_operand(view, index, meaning))


def constant_integer(
    view: NodeView, index: int, meaning: str, dtypes: Sequence[str] = ("int64",)
) -> int:
    """Return a constant input that is one integer, as a scalar or a list of one."""
    found = operand_type(view, index, dtypes)
    if found.rank > 1 or found.size != 1:
        raise refusal(view, "operand shape", f"{meaning} must be one integer, found {found}")
    return int(constant_operand(view, index, meaning).reshape(()))


def resolve_axis(view: NodeView, axis: int, rank: int, rule: str = "operand value") -> int:
    """Return an axis in [-rank, rank - 1], counted from the front."""
    if not -rank <= axis < rank:
        raise refusal(view, rule, f"axis must be in [{-rank}, {rank - 1}], found {axis}")
    return axis % rank


def resolve_axes(
    view: NodeView, axes: Sequence[int], rank: int, rule: str = "operand value"
) -> tuple[int, ...]:
    """Return axes counted from the front, in the order given; none may stand twice."""
    resolved = tuple(resolve_axis(view, axis, rank, rule) for axis in axes)
    if len(set(resolved)) != len(resolved):
        raise refusal(view, rule, f"axes {list(axes)} name one axis twice")
    return resolved
