"""`cvm model bind`: source code that calls one model, with its inputs and outputs as types."""

from models_registry.cli.bind.binding import Binding, binding_of
from models_registry.cli.bind.libraries import library_sources
from models_registry.cli.bind.names import BadLibraryName, library_name, parse_library_name
from models_registry.cli.bind.solidity import solidity_source
from models_registry.cli.bind.vyper import vyper_source

__all__ = [
    "BadLibraryName",
    "Binding",
    "binding_of",
    "library_name",
    "library_sources",
    "parse_library_name",
    "solidity_source",
    "vyper_source",
]
