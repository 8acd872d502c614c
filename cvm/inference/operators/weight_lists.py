"""Reading of attributes that hold weights: long lists of numbers, as arrays of one axis."""

from collections.abc import Mapping

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array


def integer_list(view: NodeView, name: str) -> Array:
    """Return a list of integers as int64; nothing where it is absent."""
    return _list(view, name, np.int64, int, "integers")


def float_list(view: NodeView, name: str) -> Array:
    """Return a list of finite float32; nothing where it is absent."""
    values = _list(view, name, np.float32, np.float32, "floats")
    if not np.isfinite(values).all():
        raise refusal(view, "attribute value", f"{name} holds a NaN or an infinity")
    return values


def _list(view: NodeView, name: str, dtype: type, kind: type, what: str) -> Array:
    """Return an attribute as an array of one axis, refusing elements of another kind."""
    value = view.attributes.get(name, ())
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and value.dtype == dtype:
            return value
    elif isinstance(value, tuple) and all(isinstance(item, kind) for item in value):
        return np.array(value, dtype)
    raise refusal(view, "attribute type", f"{name} must be a list of {what}")


def float_weights(view: NodeView, name: str) -> Array:
    """Return float32 weights from a list, or from the tensor attribute `name`_as_tensor."""
    tensor = view.attributes.get(f"{name}_as_tensor")
    if tensor is None:
        return float_list(view, name)
    if not isinstance(tensor, np.ndarray) or tensor.dtype != np.float32 or tensor.ndim != 1:
        raise refusal(view, "attribute type", f"{name}_as_tensor must be float32 of rank 1")
    if name in view.attributes:
        raise refusal(view, "attribute value", f"{name} stands twice, as a list and as a tensor")
    if not np.isfinite(tensor).all():
        raise refusal(view, "attribute value", f"{name}_as_tensor holds a NaN or an infinity")
    return tensor


def require_length(view: NodeView, lists: Mapping[str, Array], length: int) -> None:
    """Refuse lists that do not have one element for each of `length` things."""
    for name, values in lists.items():
        if values.shape != (length,):
            raise refusal(
                view, "attribute value", f"{name} has {values.size} elements, needs {length}"
            )
