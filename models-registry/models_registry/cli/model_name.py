"""A model as a person names it: by its id, or by its file."""

import re
from dataclasses import dataclass
from pathlib import Path

from models_registry.chunks import model_id
from models_registry.cli.files import CannotRead, load_file

_ID = re.compile(r"(0x)?[0-9a-fA-F]{64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model's id; `data` is the file, where the model was named by it."""

    identity: bytes
    data: bytes | None = None

    @property
    def size_bytes(self) -> int | None:
        """Return the file's size, None where only the id is known."""
        return None if self.data is None else len(self.data)


def named_model(text: str) -> NamedModel:
    """Return the model that a text names; raises `CannotRead` or `BadModelSize`."""
    if _ID.match(text):
        return NamedModel(parse_model_id(text))
    path = Path(text)
    if not path.is_file():
        raise CannotRead(f"{text!r} is not a model id: 0x and 64 hex digits, nor a file")
    data = load_file(path)
    return NamedModel(model_id(data), data)


def parse_model_id(text: str) -> bytes:
    """Return the 32 bytes of a model id; raises `CannotRead`."""
    if not _ID.match(text):
        raise CannotRead(f"{text!r} is not a model id: 0x and 64 hex digits")
    return bytes.fromhex(text.removeprefix("0x"))
