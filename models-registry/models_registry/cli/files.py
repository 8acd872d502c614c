"""Reads and writes the files that a user names to `cvm model`."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.chunks import MAX_MODEL_BYTES

MAX_ORDINARY_BYTES = 2**31 - 1
"""The largest ONNX file that protobuf can hold; a file to be prepared may be as large."""


class CannotRead(Exception):
    """A file of the user cannot be read or written."""


def load_file(path: Path, limit: int = MAX_MODEL_BYTES) -> bytes:
    """Read a model file, and no more of it than `limit` and one byte."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise CannotRead(f"{path}: more than {limit} bytes, the largest model")
    return data


def save_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error


def load_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of an .npz by name; raises `CannotRead`. Pickles are refused."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise CannotRead(f"{path}: not an .npz; save arrays by input name with numpy.savez")
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CannotRead(f"{path}: not a readable .npz archive ({error})") from error


def load_labels(path: Path) -> Array:
    """Return the labels in an .npy, one integer for each item; raises `CannotRead`."""
    try:
        with path.open("rb") as file:
            labels = np.load(file, allow_pickle=False)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CannotRead(f"{path}: not a readable .npy file ({error})") from error
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise CannotRead(f"{path}: labels are a list of integers in one .npy file")
    return labels
