"""Fixes the shape of every input: a symbolic leading batch is 1, the rest comes from --shape."""

from collections.abc import Mapping

from models_registry.cli.prepare.draft import Draft, DraftInput
from models_registry.cli.prepare.faults import CannotPrepare

Shapes = Mapping[str, tuple[int, ...]]


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Return name and dimensions of `NAME=1,3,224,224`; raises `CannotPrepare`."""
    name, separator, dims = text.rpartition("=")
    numbers = dims.split(",")
    if not separator or not name or not all(n.isascii() and n.isdigit() for n in numbers):
        raise CannotPrepare(f"--shape {text!r} is not of the form NAME=1,3,224,224")
    return name, tuple(int(number) for number in numbers)


def fix_input_shapes(draft: Draft, shapes: Shapes) -> list[str]:
    """Give every input fixed dimensions; raises `CannotPrepare` where one stays open."""
    names = [value.name for value in draft.inputs]
    for name in shapes:
        if name not in names:
            raise CannotPrepare(f"--shape names {name!r}; the inputs are {', '.join(names)}")
    notes = []
    for value in draft.inputs:
        before = value.dims
        value.dims = list(_fixed(value, shapes.get(value.name)))
        if value.dims != before:
            notes.append(f"input {value.name} has shape {value.dims}")
    return notes


def _fixed(value: DraftInput, wanted: tuple[int, ...] | None) -> list[int]:
    if value.dims is None:
        if wanted is None:
            raise CannotPrepare(f"input {value.name!r} has no shape: give --shape {value.name}=...")
        return list(wanted)
    if wanted is not None and len(wanted) != len(value.dims):
        raise CannotPrepare(
            f"--shape gives input {value.name!r} {len(wanted)} dimensions; it has {len(value.dims)}"
        )
    return [
        _fixed_dim(value, axis, dim, None if wanted is None else wanted[axis])
        for axis, dim in enumerate(value.dims)
    ]


def _fixed_dim(value: DraftInput, axis: int, known: int | str | None, wanted: int | None) -> int:
    if isinstance(known, int):
        if wanted not in (None, known):
            raise CannotPrepare(
                f"--shape makes dimension {axis} of input {value.name!r} {wanted}; the file says "
                f"{known}"
            )
        return known
    if wanted is None and axis > 0:
        raise CannotPrepare(
            f"dimension {axis} of input {value.name!r} is open ({known or 'unnamed'}): "
            f"give --shape {value.name}=..."
        )
    return 1 if wanted is None else wanted
