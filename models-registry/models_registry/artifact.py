"""The compiled contracts, as package data: ABI, code and storage layout."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


class ArtifactMissing(Exception):
    """A compiled contract is neither in the package nor beside it in the repository."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no artifact of contract {name!r}: install the package again, or in the repository "
            "run models-registry/contracts/compile.py"
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Artifact:
    """What compile.py wrote of one contract; `abi` and `storage_layout` are solc's own JSON."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    storage_layout: dict[str, Any]


@cache
def load_artifact(name: str) -> Artifact:
    """Return a contract's artifact by the contract's name; raises `ArtifactMissing`."""
    for folder in _folders():
        file = folder / f"{name}.json"
        if file.is_file():
            data = json.loads(file.read_text(encoding="utf-8"))
            return Artifact(
                name=data["contractName"],
                abi=tuple(data["abi"]),
                bytecode=bytes.fromhex(data["bytecode"][2:]),
                deployed_bytecode=bytes.fromhex(data["deployedBytecode"][2:]),
                storage_layout=data["storageLayout"],
            )
    raise ArtifactMissing(name)


def _folders() -> tuple[Traversable, ...]:
    """Return where artifacts may lie: in an installed package, or in the repository."""
    package = files("models_registry")
    return (package / "artifacts", package / ".." / "contracts" / "artifacts")
