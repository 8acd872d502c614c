"""Model files on disk, by model id; they come in chunks, each one proven before it is written.

    ROOT/<id>.onnx                       a whole model, assembled and verified
    ROOT/partial/<id>/<index>.chunk      chunks of a model that is still on its way
    ROOT/damaged/<id>.onnx               a file that no longer gives its id, set aside to look at

`<id>` is 64 hex digits. Every file is written under a temporary name beside its place
(`<name>.new`), synced, and renamed, so a name holds all of its bytes or does not exist; after
a crash the next call goes on with the chunks that are there. Files ending in `.new` are leftovers
and are written over. The store takes a chunk of any model: which models to take is the caller's
decision. One process holds a store; its threads may all call it.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from cvm.faults import LocalFault, ModelDataMissing
from models_registry.chunks import (
    CHUNK_BYTES,
    BadModelSize,
    chunk_count,
    model_id,
    validate_chunk,
)

ID_HEX_DIGITS = 64
MODEL_SUFFIX = ".onnx"
CHUNK_SUFFIX = ".chunk"
NEW_SUFFIX = ".new"


class ModelStoreFault(LocalFault):
    """The disk under the model store failed, is full, or may not be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"model store: {path}: {reason}")
        self.path = path


class ModelStore:
    """The models that this node holds, whole or in part, under one folder."""

    def __init__(self, root: Path) -> None:
        """Open the store in `root`, which is made where it does not exist."""
        self._root = root
        self._partial = root / "partial"
        self._damaged = root / "damaged"
        self._writing = Lock()
        with _disk_faults(root):
            for folder in (self._root, self._partial, self._damaged):
                folder.mkdir(parents=True, exist_ok=True)
        for model in self.list_models():
            self._forget_chunks(model)

    def put_chunk(
        self, model: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        """Keep one chunk of a model; the last one to come completes the model.

        Raises `BadChunk` before anything is written, `ModelStoreFault` where the disk fails.
        """
        validate_chunk(model, size_bytes, index, chunk, proof)
        path = self._chunk_path(model, index)
        with self._writing:
            if self.has(model):
                return
            with _disk_faults(path):
                if not path.exists():
                    path.parent.mkdir(exist_ok=True)
                    _save(path, chunk)
            if not self.missing_chunks(model, size_bytes):
                self._assemble(model, size_bytes)

    def missing_chunks(self, model: bytes, size_bytes: int) -> tuple[int, ...]:
        """Return the indices of the chunks that are not here, ascending.

        `size_bytes` is the model's size; raises `BadModelSize` for one that no model may have.
        """
        count = chunk_count(size_bytes)
        if self.has(model):
            return ()
        return tuple(i for i in range(count) if not self._chunk_path(model, i).exists())

    def has(self, model: bytes) -> bool:
        """Return whether the whole model is here."""
        return self._model_path(model).exists()

    def read(self, model: bytes) -> bytes:
        """Return the bytes of a whole model, verified against its id.

        Raises `ModelDataMissing` where the model is not whole here or its file is damaged (which
        is then set aside, so that the model can be fetched again).
        """
        path = self._model_path(model)
        with _disk_faults(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise ModelDataMissing(model) from error
            if not _gives_id(data, model):
                self._set_aside(path)
                raise ModelDataMissing(model)
        return data

    def read_chunk(self, model: bytes, index: int) -> tuple[int, bytes]:
        """Return the size of a whole model and the bytes at a chunk's place, not verified.

        Raises `ModelDataMissing` where the model is not whole here.
        """
        path = self._model_path(model)
        with _disk_faults(path):
            try:
                with path.open("rb") as file:
                    size_bytes = os.fstat(file.fileno()).st_size
                    file.seek(index * CHUNK_BYTES)
                    return size_bytes, file.read(CHUNK_BYTES)
            except FileNotFoundError as error:
                raise ModelDataMissing(model) from error

    def add_file(self, data: bytes) -> bytes:
        """Keep a whole model and return its id; raises `BadModelSize`, `ModelStoreFault`."""
        model = model_id(data)
        path = self._model_path(model)
        with self._writing:
            if not self.has(model):
                with _disk_faults(path):
                    _save(path, data)
                self._forget_chunks(model)
        return model

    def list_models(self) -> tuple[bytes, ...]:
        """Return the ids of all whole models, in ascending order."""
        with _disk_faults(self._root):
            names = [path.stem for path in self._root.iterdir() if path.suffix == MODEL_SUFFIX]
        return tuple(bytes.fromhex(name) for name in sorted(names) if _is_id(name))

    def bytes_beside(self, models: Collection[bytes]) -> int:
        """Return the bytes held of all other models than these, whole or in part."""
        listed = {model.hex() for model in models}
        with self._writing, _disk_faults(self._root):
            whole = self._root.glob(f"*{MODEL_SUFFIX}")
            chunks = self._partial.glob(f"*/*{CHUNK_SUFFIX}")
            sizes = [path.stat().st_size for path in whole if path.stem not in listed]
            sizes += [path.stat().st_size for path in chunks if path.parent.name not in listed]
        return sum(sizes)

    def _set_aside(self, path: Path) -> None:
        with self._writing:
            if path.exists():
                path.replace(self._damaged / path.name)
                _sync_folder(self._root)

    def _assemble(self, model: bytes, size_bytes: int) -> None:
        """Join the chunks of a model; where one was damaged on disk, drop all to come again."""
        paths = [self._chunk_path(model, index) for index in range(chunk_count(size_bytes))]
        path = self._model_path(model)
        with _disk_faults(path):
            data = b"".join(chunk.read_bytes() for chunk in paths)
            if _gives_id(data, model):
                _save(path, data)
        self._forget_chunks(model)

    def _forget_chunks(self, model: bytes) -> None:
        folder = self._partial / model.hex()
        with _disk_faults(folder):
            if folder.exists():
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()

    def _model_path(self, model: bytes) -> Path:
        return self._root / f"{model.hex()}{MODEL_SUFFIX}"

    def _chunk_path(self, model: bytes, index: int) -> Path:
        return self._partial / model.hex() / f"{index:03d}{CHUNK_SUFFIX}"


def _gives_id(data: bytes, model: bytes) -> bool:
    try:
        return model_id(data) == model
    except BadModelSize:
        return False


def _is_id(name: str) -> bool:
    return len(name) == ID_HEX_DIGITS and all(digit in "0123456789abcdef" for digit in name)


def _save(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, and for good, or not at all."""
    new = path.with_name(path.name + NEW_SUFFIX)
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_faults(path: Path) -> Iterator[None]:
    """Turn what the operating system says into a fault of this machine."""
    try:
        yield
    except OSError as error:
        raise ModelStoreFault(path, error.strerror or type(error).__name__) from error
