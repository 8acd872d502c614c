"""Calls the contracts of `contracts/testing`, which show the Solidity libraries to a test."""

from typing import Any

from cvm.evm.keccak import keccak256
from models_registry.artifact import load_artifact
from tests.unit.models_registry.contract_host import ContractHost

WIDTHS = {"Int64": 8, "Int32": 4, "Int8": 1, "Uint8": 1, "Bool": 1, "Float32Bits": 4}
"""Bytes of an element, by what the libraries call its kind."""

SOLIDITY_TYPES = {
    "Int64": "int64",
    "Int32": "int32",
    "Int8": "int8",
    "Uint8": "uint8",
    "Bool": "bool",
    "Float32Bits": "uint32",
}


class Probe:
    """One of the testing contracts, placed on a chain of its own."""

    def __init__(self, name: str) -> None:
        self.host = ContractHost()
        self.address = keccak256(name.encode())[12:]
        self.host.place(self.address, load_artifact(name).deployed_bytecode)

    def __call__(self, signature: str, arguments: list[Any], *returns: str) -> Any:
        """Return what a function returns; raises `Reverted`."""
        return self.host.view(self.address, signature, arguments, list(returns))


def packed(kind: str, values: list[int]) -> bytes:
    """Return the tensor of some elements, as the engine reads it."""
    is_signed = kind.startswith("Int")
    return b"".join(int(value).to_bytes(WIDTHS[kind], "big", signed=is_signed) for value in values)


def bounds(kind: str) -> tuple[int, int]:
    """Return the least and the largest element of a kind."""
    bits = 8 * WIDTHS[kind]
    if kind == "Bool":
        return 0, 1
    return (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.startswith("Int") else (0, (1 << bits) - 1)
    )
