"""Typed reading of a node's attributes; a value of another kind is refused."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.refusal import refusal


def int_attribute(view: NodeView, name: str, default: int) -> int:
    """Return an integer attribute, or the default where it is absent."""
    value = view.attributes.get(name, default)
    if not isinstance(value, int):
        raise refusal(view, "attribute type", f"{name} must be an integer, found {value!r}")
    return value


def flag_attribute(view: NodeView, name: str, default: bool) -> bool:
    """Return an attribute that may only be 0 or 1 as a bool."""
    value = int_attribute(view, name, int(default))
    if value not in (0, 1):
        raise refusal(view, "attribute value", f"{name} must be 0 or 1, found {value}")
    return value == 1


def ints_attribute(view: NodeView, name: str) -> tuple[int, ...] | None:
    """Return an attribute that is a list of integers, or None where it is absent."""
    value = view.attributes.get(name)
    if value is None:
        return None
    if isinstance(value, tuple):
        integers = tuple(item for item in value if isinstance(item, int))
        if len(integers) == len(value):
            return integers
    raise refusal(view, "attribute type", f"{name} must be a list of integers, found {value!r}")


def float_attribute(view: NodeView, name: str, default: float) -> np.float32:
    """Return a finite float32 attribute, or the default where it is absent."""
    value = view.attributes.get(name, np.float32(default))
    if not isinstance(value, np.float32):
        raise refusal(view, "attribute type", f"{name} must be a float, found {value!r}")
    if not np.isfinite(value):
        raise refusal(view, "attribute value", f"{name} must be finite, found {value}")
    return value


def floats_attribute(view: NodeView, name: str) -> tuple[np.float32, ...]:
    """Return an attribute that is a list of finite float32, or nothing where it is absent."""
    value = view.attributes.get(name, ())
    if isinstance(value, tuple):
        floats = tuple(item for item in value if isinstance(item, np.float32))
        if len(floats) == len(value):
            if not all(np.isfinite(item) for item in floats):
                raise refusal(view, "attribute value", f"{name} must be finite, found {value}")
            return floats
    raise refusal(view, "attribute type", f"{name} must be a list of floats, found {value!r}")


def strings_attribute(view: NodeView, name: str) -> tuple[str, ...]:
    """Return an attribute that is a list of texts, or nothing where it is absent."""
    value = view.attributes.get(name, ())
    if isinstance(value, tuple):
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) == len(value):
            return texts
    raise refusal(view, "attribute type", f"{name} must be a list of texts, found {value!r}")


def string_attribute(view: NodeView, name: str, default: str) -> str:
    """Return a string attribute, or the default where it is absent."""
    value = view.attributes.get(name, default)
    if not isinstance(value, str):
        raise refusal(view, "attribute type", f"{name} must be a string, found {value!r}")
    return value


def axis_attribute(view: NodeView, default: int, rank: int) -> int:
    """Return attribute `axis`, in [-rank, rank - 1], counted from the front."""
    axis = int_attribute(view, "axis", default)
    if not -rank <= axis < rank:
        raise refusal(
            view, "attribute value", f"axis must be in [{-rank}, {rank - 1}], found {axis}"
        )
    return axis % rank
