"""A model as a person names it: by its id, or by its file."""

import re
from dataclasses import dataclass
from pathlib import Path

from cvm.inference.faults import InvalidModel
from models_registry.chunks import MAX_MODEL_BYTES, BadModelSize, model_id
from models_registry.cli.files import MAX_ORDINARY_BYTES, CannotRead, load_file
from models_registry.cli.prepare_command import Wishes, prepare_file
from models_registry.cli.rules import ModelRules
from models_registry.cli.terminal import note

_ID = re.compile(r"(0x)?[0-9a-fA-F]{64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model's id; `data` is its strict form, where the model was named by a file."""

    identity: bytes
    data: bytes | None = None

    @property
    def size_bytes(self) -> int | None:
        """Return the size of the strict form, None where only the id is known."""
        return None if self.data is None else len(self.data)


def named_model(text: str, rules: ModelRules) -> NamedModel:
    """Return the model that a text names; raises `CannotRead` or as `model_of_file` does."""
    if _ID.match(text):
        return NamedModel(parse_model_id(text))
    path = Path(text)
    if not path.is_file():
        raise CannotRead(f"{text!r} is not a model id: 0x and 64 hex digits, nor a file")
    return model_of_file(path, rules)


def model_of_file(path: Path, rules: ModelRules) -> NamedModel:
    """Return the model of a file: an ordinary one names what `register` makes of it.

    That is its preparation without any option, which always gives the same bytes; a note says so.
    Raises `CannotRead`, `CannotPrepare`, `InvalidModel` or `BadModelSize`.
    """
    data = load_file(path, MAX_ORDINARY_BYTES)
    if len(data) <= MAX_MODEL_BYTES:
        try:
            rules.inspect(data)
        except (InvalidModel, BadModelSize):
            pass
        else:
            return NamedModel(model_id(data), data)
    strict = prepare_file(path, Wishes(), rules).data
    identity = model_id(strict)
    note(f"{path} is an ordinary file: prepared without options it is model 0x{identity.hex()}")
    return NamedModel(identity, strict)


def parse_model_id(text: str) -> bytes:
    """Return the 32 bytes of a model id; raises `CannotRead`."""
    if not _ID.match(text):
        raise CannotRead(f"{text!r} is not a model id: 0x and 64 hex digits")
    return bytes.fromhex(text.removeprefix("0x"))
