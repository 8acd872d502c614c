"""The Solidity libraries that generated code imports, as package data."""

from importlib.resources import files

LIBRARIES = ("CVM.sol", "CVMInput.sol", "Float32.sol")


def library_sources() -> dict[str, str]:
    """Return the libraries' sources by file name, from the package or the repository."""
    package = files("models_registry")
    folders = (package / "solidity", package / ".." / "contracts")
    folder = next(folder for folder in folders if (folder / LIBRARIES[0]).is_file())
    return {name: (folder / name).read_text(encoding="utf-8") for name in LIBRARIES}
