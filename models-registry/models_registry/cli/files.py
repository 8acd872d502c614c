"""Reads and writes the files that a user names to `cvm model`."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.chunks import MAX_MODEL_BYTES

MAX_ORDINARY_BYTES = 2**31 - 1
"""The largest ONNX file that protobuf can hold; a file to be prepared may be as large."""


PREPARE_FIRST = "`cvm model prepare FILE -o NEW` turns an ordinary ONNX file into the strict form"
"""What to do about a file that breaks a rule of the strict form."""

SAVE_ARRAYS = "save arrays by input name with numpy.savez"


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


def check_target(path: Path, original: Path) -> None:
    """Raise `CannotRead` where a file cannot be written, before the work that fills it."""
    if path.is_dir():
        raise CannotRead(f"{path}: Is a directory; name the file to write")
    if not path.parent.is_dir():
        raise CannotRead(f"{path}: there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise CannotRead(f"{path}: no file can be written in {path.parent}")
    if path.exists() and original.exists() and path.samefile(original):
        raise CannotRead(f"{path}: is the model itself, which stays; name another file to write")


def save_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise CannotRead(f"{path}: {error.strerror}") from error


def load_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of an .npz by name; raises `CannotRead`. Pickles are refused."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise CannotRead(f"{path}: not an .npz; {SAVE_ARRAYS}")
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if not zipfile.is_zipfile(path):
            raise CannotRead(f"{path}: not a readable .npz archive; {SAVE_ARRAYS}") from error
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
