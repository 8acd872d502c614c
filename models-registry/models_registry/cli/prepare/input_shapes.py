"""Fixes the shape of every input: a symbolic leading batch is 1, the rest comes from --shape."""

from collections.abc import Mapping, Sequence

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
    if wanted is None:
        return _with_batch_of_one(value.name, value.dims)
    return [_fixed_dim(value, axis, dim, wanted[axis]) for axis, dim in enumerate(value.dims)]


def _with_batch_of_one(name: str, dims: Sequence[int | str | None]) -> list[int]:
    """Return dimensions whose first is 1 if it was open; raises where another is."""
    found = [1 if axis == 0 and not isinstance(dim, int) else dim for axis, dim in enumerate(dims)]
    fixed = [dim for dim in found if isinstance(dim, int)]
    if len(fixed) == len(found):
        return fixed
    places = [axis for axis, dim in enumerate(found) if not isinstance(dim, int)]
    labels = ", ".join(str(found[axis] or "unnamed") for axis in places)
    listed = ", ".join(map(str, places))
    shape = ",".join(str(dim) if isinstance(dim, int) else "?" for dim in found)
    what = (
        "dimension {} of input {!r} is" if len(places) == 1 else "dimensions {} of input {!r} are"
    )
    raise CannotPrepare(
        f"{what.format(listed, name)} open ({labels}): give --shape {name}={shape} with a number "
        "for each ?"
    )


def _fixed_dim(value: DraftInput, axis: int, known: int | str | None, wanted: int) -> int:
    if isinstance(known, int):
        if wanted != known:
            raise CannotPrepare(
                f"--shape makes dimension {axis} of input {value.name!r} {wanted}; the file says "
                f"{known}"
            )
        return known
    return wanted
