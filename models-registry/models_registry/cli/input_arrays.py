"""Reads .npy and .npz files that a user hands to a model, and packs arrays as a call's input.

The files are untrusted: pickles are refused, and sizes are checked before anything is read.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from cvm.inference.graph import Value
from cvm.inference.limits import MAX_BATCH
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array, Shape
from models_registry.interface import ModelInterface

_NPY_HEADER_BYTES = 65_536
"""More than NumPy writes before the elements of any array that a model takes."""


class BadInputFile(Exception):
    """A file that does not hold the model's input; the message says what it should hold."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


def load_input_arrays(paths: Sequence[Path], inputs: Sequence[Value]) -> tuple[Array, ...]:
    """Return one array per graph input: from one .npz by name, else from .npy files in order.

    Raises `BadInputFile` where an array is missing, cannot be read, or has another dtype than
    the model takes.
    """
    names = ", ".join(f"{value.name} {value.type}" for value in inputs)
    if len(paths) == 1 and paths[0].suffix == ".npz":
        arrays = _load_npz(paths[0], inputs)
    elif len(paths) == len(inputs):
        arrays = tuple(_load_npy(path) for path in paths)
    else:
        reason = f"{len(paths)} files for {len(inputs)} inputs ({names}); repeat --input in order"
        raise BadInputFile(paths[0], reason)
    for index, (array, value) in enumerate(zip(arrays, inputs, strict=True)):
        if array.dtype.newbyteorder("=") != np.dtype(value.type.dtype):
            path = paths[min(index, len(paths) - 1)]
            reason = f"dtype {array.dtype}, input {value.name!r} takes {value.type}; convert it"
            raise BadInputFile(path, reason)
    return arrays


def pack_items(path: Path, model: ModelInterface, arrays: Sequence[Array]) -> bytes:
    """Return the arrays as a call's input: item after item, inputs in graph order.

    An array holds one item (axes of length 1 may be left out) or, where the model is batchable,
    N items along a leading axis. Raises `BadInputFile` for another shape, and where two inputs
    hold different numbers of items.
    """
    items = [
        _items_of(path, model, array, value)
        for array, value in zip(arrays, model.inputs, strict=True)
    ]
    counts = {len(array) for array in items}
    if len(counts) != 1:
        raise BadInputFile(path, f"inputs hold different numbers of items: {sorted(counts)}")
    return b"".join(encode_tensor(array[index]) for index in range(counts.pop()) for array in items)


def _items_of(path: Path, model: ModelInterface, array: Array, value: Value) -> Array:
    """Return an array of the host's byte order with a leading axis of items."""
    shape, found = value.type.shape, array.shape
    is_batch = model.batchable and len(found) > 0 and 1 <= found[0] <= MAX_BATCH
    if found == shape:
        count = 1
    elif is_batch and found[1:] == shape[1:]:
        count = found[0]
    elif _without_ones(found) == _without_ones(shape):
        count = 1
    elif is_batch and _without_ones(found[1:]) == _without_ones(shape[1:]):
        count = found[0]
    else:
        batch = f", or 1 to {MAX_BATCH} items along its first axis" if model.batchable else ""
        reason = f"shape {list(found)}, input {value.name!r} takes {list(shape)}{batch}"
        raise BadInputFile(path, reason)
    return array.astype(value.type.dtype).reshape((count, *shape))


def _without_ones(shape: Shape) -> Shape:
    """Return a shape without the axes of length 1."""
    return tuple(dim for dim in shape if dim != 1)


def _load_npy(path: Path) -> Array:
    """Return the array of one .npy file, mapped, so that a false header allocates nothing."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError, OverflowError, MemoryError) as error:
        reason = f"not a readable .npy file ({error}); numpy.save writes one"
        raise BadInputFile(path, reason) from error


def _load_npz(path: Path, inputs: Sequence[Value]) -> tuple[Array, ...]:
    """Return the arrays that an .npz names like the graph's inputs."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(_load_member(path, archive, value) for value in inputs)
    except (zipfile.BadZipFile, RuntimeError) as error:
        # RuntimeError: a member is encrypted, or compressed in a way that zipfile does not know
        raise BadInputFile(path, f"not a readable .npz archive ({error})") from error


def _load_member(path: Path, archive: zipfile.ZipFile, value: Value) -> Array:
    """Return one array of an archive, its unpacked size bounded by what the model can take."""
    most_bytes = MAX_BATCH * value.type.size_bytes + _NPY_HEADER_BYTES
    try:
        entry = archive.getinfo(f"{value.name}.npy")
    except KeyError as error:
        held = ", ".join(name.removesuffix(".npy") for name in archive.namelist()[:10]) or "nothing"
        raise BadInputFile(path, f"holds no array {value.name!r}; it holds {held}") from error
    if entry.file_size > most_bytes:
        reason = f"array {value.name!r} takes {entry.file_size} bytes, at most {most_bytes}"
        raise BadInputFile(path, reason)
    try:
        with archive.open(entry) as member:
            return _read_npy(member.read(most_bytes))
    except (ValueError, EOFError, zlib.error) as error:
        raise BadInputFile(path, f"array {value.name!r} is unreadable ({error})") from error


def _read_npy(data: bytes) -> Array:
    """Return the array that .npy bytes hold; the header must match the bytes that follow."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, is_fortran_order, dtype = read_header(stream)
    rest = data[stream.tell() :]
    if dtype.hasobject or prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"header says {dtype} {shape}, {len(rest)} bytes follow")
    elements = np.frombuffer(rest, dtype=dtype)
    return elements.reshape(shape[::-1]).T if is_fortran_order else elements.reshape(shape)
