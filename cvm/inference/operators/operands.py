"""Checks of a node's inputs: how many, of what dtype, constant where a rule needs the value."""

from collections.abc import Collection

from cvm.inference.graph import NodeView
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType


def require_operand_count(view: NodeView, required: int, most: int | None = None) -> None:
    """Refuse a node unless its first `required` inputs are there and none follows the last."""
    most = required if most is None else most
    if len(view.types) > most or any(view.type_at(index) is None for index in range(required)):
        present = "".join("x" if found else "-" for found in view.types)
        raise refusal(
            view, "operand count", f"takes {required} to {most} inputs, found {present or 'none'}"
        )


def operand_type(view: NodeView, index: int, dtypes: Collection[str]) -> TensorType:
    """Return the type of a required input, refusing a dtype outside `dtypes`."""
    found = view.type_at(index)
    if found is None:
        raise refusal(view, "operand count", f"input {index} is missing")
    if found.dtype not in dtypes:
        raise refusal(
            view,
            "operand dtype",
            f"input {index} must be {' or '.join(sorted(dtypes))}, found {found}",
        )
    return found


def require_elements(view: NodeView, index: int, found: TensorType) -> None:
    """Refuse an input with an axis of length 0."""
    if 0 in found.shape:
        raise refusal(view, "operand shape", f"input {index} has no elements: {found}")


def require_same_dtype(view: NodeView, index: int, dtype: str) -> TensorType:
    """Return the type of input `index`, which must have the given dtype."""
    return operand_type(view, index, (dtype,))


def require_scalar(view: NodeView, index: int, found: TensorType) -> None:
    """Refuse an input that is not of rank 0."""
    if found.shape != ():
        raise refusal(view, "operand shape", f"input {index} must be a scalar, found {found}")


def constant_operand(view: NodeView, index: int, meaning: str) -> Array:
    """Return the value of an input that must be an initializer; `meaning` names it."""
    value = view.constant_at(index)
    if value is None:
        raise refusal(
            view,
            "constant operand",
            f"input {index} ({meaning}) must be an initializer; fold it into the file first",
        )
    return value
