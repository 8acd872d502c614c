"""The input of a call, as people have it: pictures, CSV rows, arrays, or JSON."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cvm.inference.graph import Value
from cvm.inference.limits import MAX_BATCH
from cvm.inference.tensor_type import Array
from models_registry.cli.image_input import SUFFIXES, ImageOptions, load_image
from models_registry.cli.input_arrays import BadInputFile, load_input_arrays, pack_items
from models_registry.cli.json_text import parse_json
from models_registry.interface import ModelInterface

MAX_TEXT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read; `row` picks one row of a CSV file, counted from 0."""

    image: ImageOptions = field(default_factory=ImageOptions)
    row: int | None = None


def packed_input(given: Sequence[str], interface: ModelInterface, options: InputOptions) -> bytes:
    """Return a call's input, item after item; raises `BadInputFile` or `CannotRead`.

    `given` are files, or one JSON text: pictures of one item each, one .csv whose rows are items,
    one .npz by input name, one .npy per input, or JSON lists.
    """
    first = Path(given[0])
    suffixes = {Path(text).suffix.lower() for text in given}
    if given[0].lstrip()[:1] in ("[", "{"):
        return _packed(Path("--input"), interface, _of_json(Path("--input"), given[0], interface))
    if suffixes <= SUFFIXES:
        return _packed(first, interface, _of_images(given, interface, options.image))
    if len(given) == 1 and suffixes == {".csv"}:
        return _packed(first, interface, _of_csv(first, interface, options.row))
    if len(given) == 1 and suffixes == {".json"}:
        return _packed(first, interface, _of_json(first, _text(first), interface))
    if suffixes <= {".npy", ".npz"}:
        paths = [Path(text) for text in given]
        try:
            arrays = load_input_arrays(paths, interface.inputs)
        except OSError as error:
            raise BadInputFile(first, error.strerror or str(error)) from error
        return pack_items(first, interface, arrays)
    raise BadInputFile(first, "is neither a picture, .csv, .json, .npy nor .npz, nor a JSON list")


def _packed(path: Path, interface: ModelInterface, arrays: Sequence[Array]) -> bytes:
    return pack_items(path, interface, arrays)


def _of_images(
    given: Sequence[str], interface: ModelInterface, options: ImageOptions
) -> tuple[Array, ...]:
    """Return a batch with one picture an item."""
    if len(interface.inputs) != 1:
        raise BadInputFile(Path(given[0]), f"the model takes {_names(interface.inputs)}")
    value = interface.inputs[0]
    pictures = [load_image(Path(text), value, options) for text in given]
    if len(pictures) == 1:
        return (pictures[0],)
    return (np.concatenate([picture.reshape(1, *value.type.shape[1:]) for picture in pictures]),)


def _of_csv(path: Path, interface: ModelInterface, row: int | None) -> tuple[Array, ...]:
    """Return the inputs that the rows hold: each row the elements of all inputs, in order."""
    rows = [cells for cells in csv.reader(_text(path).splitlines()) if cells]
    if rows and not _is_number(rows[0][0]):
        rows = rows[1:]
    if row is not None:
        if row >= len(rows):
            raise BadInputFile(path, f"has {len(rows)} rows of numbers, counted from 0: no {row}")
        rows = [rows[row]]
    if not 1 <= len(rows) <= MAX_BATCH:
        raise BadInputFile(path, f"{len(rows)} rows of numbers; a call takes 1 to {MAX_BATCH}")
    wanted = sum(value.type.size for value in interface.inputs)
    for number, cells in enumerate(rows):
        if len(cells) != wanted:
            raise BadInputFile(path, f"row {number} has {len(cells)} cells, an item takes {wanted}")
    try:
        cells_of = np.array([[_number(cell) for cell in cells] for cells in rows], dtype=object)
    except ValueError as error:
        raise BadInputFile(path, f"{error}; cells are numbers") from error
    arrays, start = [], 0
    for value in interface.inputs:
        part = cells_of[:, start : start + value.type.size]
        start += value.type.size
        shape = (len(rows), *value.type.shape) if len(rows) > 1 else value.type.shape
        arrays.append(_typed(path, part.reshape(shape), value))
    return tuple(arrays)


def _of_json(path: Path, text: str, interface: ModelInterface) -> tuple[Array, ...]:
    """Return the inputs of a JSON list, or of an object with a list for each input's name."""
    try:
        given = parse_json(text.encode())
    except ValueError as error:
        raise BadInputFile(path, f"is no JSON ({error})") from error
    names = _names(interface.inputs)
    if isinstance(given, list) and len(interface.inputs) == 1:
        given = {interface.inputs[0].name: given}
    if not isinstance(given, Mapping) or given.keys() != {v.name for v in interface.inputs}:
        raise BadInputFile(path, f"want an object with a list for each of {names}")
    return tuple(_of_lists(path, given[value.name], value) for value in interface.inputs)


def _of_lists(path: Path, given: Any, value: Value) -> Array:
    misfit = f"input {value.name!r}: not a list of numbers, or of lists of one length"
    try:
        array = np.array(given, dtype=object)
    except ValueError as error:
        raise BadInputFile(path, misfit) from error
    if not all(isinstance(x, int | float) for x in array.ravel()):
        raise BadInputFile(path, misfit)
    if array.size == value.type.size and array.ndim == 1:
        array = array.reshape(value.type.shape)
    return _typed(path, array, value)


def _typed(path: Path, array: Array, value: Value) -> Array:
    """Return numbers in an input's dtype; raises `BadInputFile` for one that it does not hold."""
    dtype = np.dtype(value.type.dtype)
    if dtype == np.float32:
        with np.errstate(over="ignore"):
            return array.astype(np.float64).astype(np.float32)
    least, most = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for number in array.ravel():
        if number != int(number) or not least <= number <= most:
            raise BadInputFile(path, f"{number}: input {value.name!r} takes {least} to {most}")
    return array.astype(dtype)


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise BadInputFile(path, error.strerror or str(error)) from error
    if len(data) > MAX_TEXT_BYTES:
        raise BadInputFile(path, f"more than {MAX_TEXT_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputFile(path, "is not text") from error


def _names(values: Sequence[Value]) -> str:
    return ", ".join(f"{value.name} {value.type}" for value in values)
