"""Arrays that a user gives, as items of a model: calibration and data."""

from collections.abc import Mapping, Sequence

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.adapters import InputAdapter
from models_registry.cli.prepare.draft import DraftInput
from models_registry.cli.prepare.faults import CannotPrepare

Items = Sequence[Mapping[str, Array]]
"""Inputs by name, one mapping for each item."""


def items_of(arrays: Mapping[str, Array], inputs: Sequence[DraftInput], what: str) -> Items:
    """Return arrays as items: each array is one item, or has items along its first axis.

    Raises `CannotPrepare` where an input has no array or one of another shape or kind.
    """
    columns = {value.name: _column(arrays, value, what) for value in inputs}
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) != 1:
        raise CannotPrepare(f"{what} holds different numbers of items: {counts}")
    count = next(iter(counts.values()))
    return [{name: column[i] for name, column in columns.items()} for i in range(count)]


def both_sides(
    items: Items, inputs: Sequence[DraftInput], adapters: Mapping[str, InputAdapter]
) -> tuple[Items, Items]:
    """Return the items as a model with adapters takes them, and as one without does.

    An array of an adapter's dtype holds what a contract sends, any other what the original takes.
    """
    ours: list[dict[str, Array]] = [{} for _ in items]
    theirs: list[dict[str, Array]] = [{} for _ in items]
    for value in inputs:
        adapter = adapters.get(value.name)
        for index, item in enumerate(items):
            array = item[value.name]
            if adapter is None:
                ours[index][value.name] = theirs[index][value.name] = array.astype(value.dtype)
            elif str(array.dtype) == adapter.dtype:
                ours[index][value.name] = array
                theirs[index][value.name] = adapter.to_real(array)
            else:
                integers = adapter.to_integers(array)
                ours[index][value.name] = integers
                theirs[index][value.name] = array.astype(value.dtype)
    return ours, theirs


def check_finite(items: Items, what: str) -> None:
    """Raise `CannotPrepare` where a float is NaN or infinite: extremes set the scales."""
    for number, item in enumerate(items):
        for name, array in item.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise CannotPrepare(
                    f"{what}: item {number} of array {name!r} holds NaN or infinite values, "
                    "which give no scale"
                )


def _column(arrays: Mapping[str, Array], value: DraftInput, what: str) -> Array:
    if value.name not in arrays:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise CannotPrepare(f"{what} holds no array {value.name!r}; it holds {held}")
    array = arrays[value.name]
    shape = tuple(dim for dim in value.dims or () if isinstance(dim, int))
    if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, value.dtype, "same_kind"):
        raise CannotPrepare(
            f"{what}: array {value.name!r} is {array.dtype}; the model takes {value.dtype}"
        )
    if array.shape == shape:
        return array.reshape(1, *shape)
    if array.shape[1:] == shape and len(array):
        return array
    if shape[:1] == (1,) and array.shape[1:] == shape[1:] and len(array):
        return array.reshape(len(array), *shape)
    raise CannotPrepare(
        f"{what}: array {value.name!r} has shape {list(array.shape)}; the model takes "
        f"{list(shape)}, or items of that shape along a first axis"
    )
