"""Where the models and digits that come with the package lie."""

from importlib.resources import as_file, files
from pathlib import Path


class SampleMissing(FileNotFoundError):
    """A file that comes with the package is not there."""


def sample_model_path(name: str) -> Path:
    """Return the path of a bundled file, in an installed package or in the repository."""
    package = files("models_registry")
    for folder in (package / "models", package / ".." / "models"):
        if (folder / name).is_file():
            with as_file(folder / name) as path:
                return path.resolve()
    raise SampleMissing(2, "not installed with the package; install cvm-chain again", name)
