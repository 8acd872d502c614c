"""What happens on a node while it runs, for those who wait for it: new blocks and transactions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import Transaction

TransactionListener = Callable[[Transaction], None]


@dataclass(frozen=True, slots=True)
class NewHead:
    """A block that has just become the head."""

    header: BlockHeader
    transactions: tuple[Transaction, ...]
    receipts: Sequence[Receipt]


HeadListener = Callable[[NewHead], None]


class PendingSource(Protocol):
    """What holds waiting transactions: the pool of a node."""

    def on_pending(self, listener: TransactionListener) -> object:
        """Call `listener` with every transaction that could stand in the next blocks."""


class ChainEvents:
    """Passes each event to whoever listens at that moment; all of it happens on the event loop."""

    def __init__(self) -> None:
        self._on_head: list[HeadListener] = []
        self._on_pending: list[TransactionListener] = []

    def on_head(self, listener: HeadListener) -> Callable[[], None]:
        """Call `listener` for every new head; return what ends that."""
        self._on_head.append(listener)
        return lambda: self._on_head.remove(listener)

    def on_pending(self, listener: TransactionListener) -> Callable[[], None]:
        """Call `listener` for every transaction that comes to wait; return what ends that."""
        self._on_pending.append(listener)
        return lambda: self._on_pending.remove(listener)

    def new_head(self, head: NewHead) -> None:
        """Tell of a block that is the head from now on."""
        for listener in tuple(self._on_head):
            listener(head)

    def new_pending(self, tx: Transaction) -> None:
        """Tell of a transaction that waits from now on."""
        for listener in tuple(self._on_pending):
            listener(tx)
