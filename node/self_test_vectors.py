"""Loads the golden vectors that ship with the engine, one file per operator."""

from importlib.resources import files

from cvm.inference.vectors import Vector, parse_vectors


def load_self_test_vectors() -> tuple[Vector, ...]:
    """Return every golden vector, by file name and then in the file's order.

    Raises `BadVector` for a number that is not exact in its dtype.
    """
    folder = files("cvm.inference").joinpath("vectors")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return tuple(
        vector
        for entry in entries
        if entry.name.endswith(".json")
        for vector in parse_vectors(entry.read_text(encoding="utf-8"))
    )
