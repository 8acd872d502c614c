"""Builds Prague classes with added opcodes and precompiles; py-evm's own stay as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth.abc import ComputationAPI, OpcodeAPI
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState

from cvm.evm.blake2f import blake2f
from cvm.evm.frame import Frame
from cvm.evm.point_evaluation import point_evaluation

Precompile = Callable[[ComputationAPI], Any]
SELFDESTRUCT = 0xFF
REPAIRED_PRECOMPILES: dict[bytes, Precompile] = {
    (9).to_bytes(20, "big"): blake2f,
    (10).to_bytes(20, "big"): point_evaluation,
}
"""In the place of py-evm's own, at the same price."""


def prague_opcodes() -> dict[int, OpcodeAPI]:
    """Return Prague's opcodes, SELFDESTRUCT without py-evm's `DeprecationWarning`.

    Under `python -W error` the warning would be an exception in the middle of a block.
    """
    silent: Any = PragueComputation.opcodes[SELFDESTRUCT]
    return {**PragueComputation.opcodes, SELFDESTRUCT: silent.__wrapped__}


class OpcodeTaken(ValueError):
    """An added opcode or precompile would replace one of Ethereum's."""

    def __init__(self, what: str, taken: list[str]) -> None:
        super().__init__(f"{what} already in use: {', '.join(taken)}")


@dataclass(frozen=True, slots=True)
class Additions:
    """What a chain adds to the EVM: opcodes by byte, precompiles by 20-byte address."""

    opcodes: Mapping[int, OpcodeAPI] = field(default_factory=dict)
    precompiles: Mapping[bytes, Precompile] = field(default_factory=dict)


def state_class_with(additions: Additions) -> type[PragueState]:
    """Return a Prague state class whose frames also know the added opcodes and precompiles.

    Raises `OpcodeTaken` where Ethereum already uses the byte or the address.
    """
    taken = sorted(additions.opcodes.keys() & PragueComputation.opcodes.keys())
    if taken:
        raise OpcodeTaken("opcode", [f"0x{byte:02x}" for byte in taken])
    base = PragueComputation.get_precompiles()
    taken_addresses = sorted(additions.precompiles.keys() & base.keys())
    if taken_addresses:
        raise OpcodeTaken("precompile", [f"0x{address.hex()}" for address in taken_addresses])
    computation = Frame.configure(
        __name__="CvmComputation",
        opcodes={**prague_opcodes(), **additions.opcodes},
        _precompiles={**base, **REPAIRED_PRECOMPILES, **additions.precompiles},
    )
    return PragueState.configure(__name__="CvmState", computation_class=computation)
