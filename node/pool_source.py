"""The pool of a node, as the gossip of transactions sees it."""

import asyncio
from collections.abc import Callable, Sequence

from cvm.evm.transaction import Transaction
from node.chain import Chain
from node.transaction_pool import TransactionPool


class PoolSource:
    """A `TransactionSource`; `work` is set when a transaction that blocks could take comes in."""

    def __init__(
        self,
        chain: Chain,
        pool: TransactionPool,
        work: asyncio.Event,
        is_syncing: Callable[[], bool],
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._work = work
        self._is_syncing = is_syncing

    @property
    def is_open(self) -> bool:
        """Tell whether new transactions are wanted: not while the node is far behind."""
        return not self._is_syncing()

    def get(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that waits here."""
        return self._pool.get(tx_hash)

    def pending(self) -> Sequence[Transaction]:
        """Return the transactions that blocks could take, each sender's in nonce order."""
        return list(self._pool.best_first(0))

    def on_pending(self, listener: Callable[[Transaction], None]) -> None:
        """Call `listener` with every transaction that becomes pending."""
        self._pool.on_pending(listener)

    async def add(self, tx: Transaction) -> None:
        """Take a transaction from a peer; raises an `InvalidTransaction`."""
        with self._chain.state_at(self._chain.head) as state:
            self._pool.add(tx, state)
        if self._pool.is_pending(tx):
            self._work.set()
