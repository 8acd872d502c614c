"""The device code, one `.cu` file per family, read as text and compiled when it is needed."""

from importlib.resources import files

SOURCE_SUFFIX, HEADER_SUFFIX = ".cu", ".cuh"

EXACT_OPTIONS = (
    "--fmad=false",
    "--ftz=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    "--std=c++17",
)
"""For NVRTC and nvcc: no contraction, no flush to zero, no approximate division or square root."""


def source_names() -> tuple[str, ...]:
    """Return the names of the `.cu` files, sorted."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(n.removesuffix(SOURCE_SUFFIX) for n in names if n.endswith(SOURCE_SUFFIX)))


def source_text(name: str) -> str:
    """Return the text of `name`.cu."""
    return (files(__name__) / f"{name}{SOURCE_SUFFIX}").read_text("utf-8")


def headers() -> dict[str, str]:
    """Return the text of every header by file name."""
    found = (entry for entry in files(__name__).iterdir() if entry.name.endswith(HEADER_SUFFIX))
    return {entry.name: entry.read_text("utf-8") for entry in found}
