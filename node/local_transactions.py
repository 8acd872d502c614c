"""Transactions that callers of this node sent: into the pool, and into a journal for a restart."""

import structlog

from cvm.evm.faults import InvalidTransaction
from cvm.evm.state_reader import StateReader
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.faults import DatabaseFault
from node.storage.transaction_journal import TransactionJournal
from node.transaction_pool import TransactionPool

log = structlog.get_logger(__name__)
COMPACT_BYTES = 1 << 20
"""A journal is written anew when it is twice what it was then, but not below this size."""


class LocalTransactions:
    """The pool, as callers of this node fill it; without a journal a restart forgets them."""

    def __init__(self, pool: TransactionPool, journal: TransactionJournal | None = None) -> None:
        self.pool = pool
        self._journal = journal
        self._hashes: dict[bytes, None] = {}
        self._compact_at = COMPACT_BYTES

    def restore(self, state: StateReader) -> int:
        """Read the journal back and return how many transactions wait again.

        What the head's state takes no more is forgotten. Raises `DatabaseFault`.
        """
        if self._journal is None:
            return 0
        for raw_transaction in self._journal.load():
            try:
                tx = decode_transaction(raw_transaction)
                self.pool.restore(tx, state)
            except InvalidTransaction as fault:
                log.debug("journaled transaction dropped", reason=str(fault))
            else:
                self._hashes[tx.hash] = None
        self._compact(self._journal)
        return len(self._hashes)

    def add(self, tx: Transaction, state: StateReader) -> None:
        """Put a transaction into pool and journal; raises an `InvalidTransaction`.

        A journal that cannot be written is named in the log: the transaction waits all the same.
        """
        self.pool.add(tx, state)
        self._hashes[tx.hash] = None
        if self._journal is None:
            return
        try:
            self._journal.append(tx.raw)
            if self._journal.size_bytes > self._compact_at:
                self._compact(self._journal)
        except DatabaseFault as fault:
            log.warning("transaction not journaled", tx=f"0x{tx.hash.hex()}", reason=str(fault))

    def rewrite_journal(self) -> None:
        """Have the journal hold what still waits, and nothing else; raises `DatabaseFault`."""
        if self._journal is not None:
            self._compact(self._journal)

    def _compact(self, journal: TransactionJournal) -> None:
        """Leave in the journal what still waits, so that it stays within twice the pool."""
        waiting = [tx for each in self._hashes if (tx := self.pool.get(each)) is not None]
        self._hashes = {tx.hash: None for tx in waiting}
        journal.rewrite(tx.raw for tx in waiting)
        self._compact_at = max(COMPACT_BYTES, 2 * journal.size_bytes)
