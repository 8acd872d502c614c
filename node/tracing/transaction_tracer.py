"""What every tracer of a transaction is: it watches, and says in the end what it saw."""

from dataclasses import dataclass
from typing import Protocol

from cvm.evm.messages import Message, Outcome
from cvm.evm.tracer import TracedFrame, Tracer
from node.execution.execution_chain import LiveWorld
from node.rpc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class TraceStart:
    """What is known before the transaction runs, and the state that it finds.

    `signers` have set their delegations with it (EIP-7702). A message that nobody signed stands in
    no block and has no hash and no place; `first_log` counts from the start of the block.
    """

    sender: bytes
    to: bytes
    gas: int
    coinbase: bytes
    world: LiveWorld
    signers: tuple[bytes, ...] = ()
    block_hash: bytes | None = None
    block_number: int = 0
    tx_hash: bytes | None = None
    tx_index: int | None = None
    first_log: int = 0


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """What the transaction came to; `error` names a halt, `execution reverted`, or is None."""

    gas_used: int
    output: bytes
    error: str | None


class TransactionTracer(Tracer, Protocol):
    """A tracer of one transaction."""

    def begin(self, start: TraceStart, /) -> None:
        """Take what is known before anything of the transaction has been done."""

    def result(self, end: TraceEnd, /) -> JsonValue:
        """Return the trace, after everything has been done."""


class SilentTracer:
    """A tracer that notes nothing: those that note a few things override the rest."""

    def begin(self, _start: TraceStart, /) -> None:
        """Note nothing."""

    def enter(self, _message: Message, _opcode: int | None, _depth: int, /) -> None:
        """Note nothing."""

    def step(self, _frame: TracedFrame, _opcode: int, /) -> None:
        """Note nothing."""

    def exit(self, _outcome: Outcome, _depth: int, /) -> None:
        """Note nothing."""

    def fault(self, _frame: TracedFrame, _error: str, /) -> None:
        """Note nothing."""
