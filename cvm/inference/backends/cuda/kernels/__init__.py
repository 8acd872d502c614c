"""The device code, one `.cu` file per family, read as text and compiled when it is needed."""

from importlib.resources import files

HEADER_SUFFIX = ".cuh"


def source_text(name: str) -> str:
    """Return the text of `name`.cu."""
    return (files(__name__) / f"{name}.cu").read_text("utf-8")


def headers() -> dict[str, str]:
    """Return the text of every header by file name."""
    found = (entry for entry in files(__name__).iterdir() if entry.name.endswith(HEADER_SUFFIX))
    return {entry.name: entry.read_text("utf-8") for entry in found}
