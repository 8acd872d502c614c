"""What a call asks for and what comes back: the two values that calls exchange."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from cvm.evm.contract_code import ContractCode
from cvm.evm.native import layout


class Status(IntEnum):
    """How a frame ended."""

    SUCCEEDED = layout.SUCCEEDED
    REVERTED = layout.REVERTED
    HALTED = layout.HALTED


class Message(NamedTuple):
    """One call or creation.

    `target` is the account whose storage and address the code has, `code_address` the account
    whose code runs (it decides about precompiles). `value` is what CALLVALUE shows, in wei; it
    moves from caller to target if `transfers`. A creation has its initcode in `code`.
    """

    caller: bytes
    target: bytes
    code_address: bytes
    value: int
    gas: int
    data: bytes
    is_static: bool = False
    transfers: bool = True
    is_creation: bool = False
    code: ContractCode | None = None


class Outcome(NamedTuple):
    """How a message ended; `error` names the halt, `execution reverted`, or is None."""

    status: Status
    gas_left: int
    output: bytes
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Tell whether the message did what it should."""
        return self.status is Status.SUCCEEDED


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """What opcodes see of the block; times in seconds, fees in wei per gas."""

    chain_id: int
    number: int
    timestamp: int
    coinbase: bytes
    gas_limit: int
    base_fee: int
    prev_randao: bytes
    blob_base_fee: int = 1


class TransactionEnvironment(NamedTuple):
    """What opcodes see of the transaction."""

    origin: bytes
    gas_price: int
    blob_hashes: tuple[bytes, ...] = ()
