"""Recovers the senders of a block's transactions on a few threads, before it is executed.

libsecp256k1 works without the interpreter's lock, so two threads share the work of a block.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from cvm.evm.faults import InvalidSignature
from cvm.evm.transaction import Transaction

SMALLEST_SHARE = 32
"""Fewer transactions than two such shares are recovered where they are: a hand-over costs more."""


class SenderRecovery:
    """A small pool of threads for signatures; `close` ends it."""

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="senders")

    def recover(self, transactions: Sequence[Transaction]) -> None:
        """Recover every sender once; a transaction keeps its own.

        A signature without a signer is left for the rules to refuse in its place.
        """
        shares = min(self._threads, len(transactions) // SMALLEST_SHARE)
        if shares < 2:
            recover_senders(transactions)
            return
        parts = [transactions[start::shares] for start in range(1, shares)]
        others = [self._pool.submit(recover_senders, part) for part in parts]
        recover_senders(transactions[::shares])
        for other in others:
            other.result()

    def close(self) -> None:
        """End the threads once their work is done."""
        self._pool.shutdown()


def recover_senders(transactions: Sequence[Transaction]) -> None:
    """Recover the senders of transactions, one after the other."""
    for tx in transactions:
        try:
            _ = tx.sender
        except InvalidSignature:
            continue
