"""Sends calls of a system contract in one account's name, and waits until they are mined."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cvm.evm.private_key import PrivateKey
from models_registry.addresses import MODEL_REGISTRY
from models_registry.cli.amounts import ether_text
from models_registry.cli.chain_client import ChainClient


class ChainSaysNo(Exception):
    """The chain, as it is, does not allow what was asked for; the message says what to do."""


class StageTimeout(ChainSaysNo):
    """Nothing changed for too long."""

    def __init__(self, stage: str, timeout_s: float) -> None:
        super().__init__(
            f"waited {timeout_s:.0f} s for {stage}; the same command goes on from here, "
            "--timeout makes it wait longer"
        )
        self.stage = stage


class Progress(Protocol):
    """Shows a person how far a command is."""

    def note(self, text: str) -> None:
        """Say that something happened, or what is waited for."""

    def chunks(self, done: int, total: int) -> None:
        """Show how many of the chunks have been moved."""

    def require_yes(self, question: str, *, yes: bool) -> None:
        """Ask, unless it was said before; raises `NotAgreed` for any other answer."""


class Clock(Protocol):
    """The time, and a way to let it pass between two questions to the node."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def pause(self) -> None:
        """Let some time pass."""


@dataclass(slots=True)
class Sender:
    """One account that sends transactions to a contract; `transactions` are those sent, by name."""

    chain: ChainClient
    key: PrivateKey
    progress: Progress
    clock: Clock
    timeout_s: float
    contract: bytes = MODEL_REGISTRY
    transactions: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> bytes:
        """Return the account's address."""
        return self.key.address

    def send(self, name: str, data: bytes, value: int = 0) -> str:
        """Send a call of the contract with `value` wei, wait for it, and return its hash.

        Raises `ClientFault` or `StageTimeout`.
        """
        tx_hash = self.chain.send(self.key, name, data, value, self.contract)
        self.transactions[name] = tx_hash
        self.progress.note(f"{name} {tx_hash}")
        self.until(f"the {name} transaction", lambda: self.chain.is_mined(name, tx_hash))
        return tx_hash

    def offer(
        self, name: str, data: bytes, question: str | None, *, yes: bool, value: int = 0
    ) -> str:
        """Say what a call costs, ask a question where there is one, and send it.

        Raises `NotAgreed`, `ClientFault` or `StageTimeout`.
        """
        self.settle()
        gas = self.chain.estimate(self.address, name, data, value, self.contract)
        wei = ether_text(gas * self.chain.gas_price())
        self.progress.note(f"{name} costs about {gas:,} gas ({wei} now)")
        if question is not None:
            self.progress.require_yes(question, yes=yes)
        return self.send(name, data, value)

    def settle(self) -> None:
        """Wait until nothing of the account waits in the node's pool."""
        self.until(
            "its transactions in the pool",
            lambda: self.chain.pending_transactions(self.address) == 0,
        )

    def until(self, stage: str, is_reached: Callable[[], bool]) -> None:
        """Ask the node again and again, up to the time limit."""
        started = self.clock.now()
        is_announced = False
        while not is_reached():
            if self.clock.now() - started >= self.timeout_s:
                raise StageTimeout(stage, self.timeout_s)
            if not is_announced:
                self.progress.note(f"waiting for {stage}")
                is_announced = True
            self.clock.pause()
