"""Loads the golden vectors that ship with the engine, one file per operator."""

from collections.abc import Collection
from importlib.resources import files

from cvm.inference.vectors import Vector, parse_vectors


def load_self_test_vectors(op_types: Collection[str] | None = None) -> tuple[Vector, ...]:
    """Return every golden vector, by file name and then in the file's order.

    With `op_types` only the files that name one of these operators are parsed: parsing all of them
    takes longer than proving a model's own. Raises `BadVector` for a number that is not exact in
    its dtype.
    """
    folder = files("cvm.inference").joinpath("vectors")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    texts = [entry.read_text(encoding="utf-8") for entry in entries if entry.name.endswith(".json")]
    if op_types is not None:
        wanted = [f'"{op_type}"' for op_type in op_types]
        texts = [text for text in texts if any(each in text for each in wanted)]
    return tuple(vector for text in texts for vector in parse_vectors(text))
