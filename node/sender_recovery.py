"""Recovers the senders of a block's transactions on a few threads, before or while others execute.

Each thread works on its share in one call without the interpreter's lock, so the recovery of the
next block goes on beside the execution of this one.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cvm.evm.sender_batch import SenderBatch
from cvm.evm.transaction import Transaction

SMALLEST_SHARE = 32
"""Fewer transactions stay on one thread: a hand-over costs more than it saves."""


class PendingSenders:
    """Senders that are being recovered."""

    def __init__(self, batches: list[SenderBatch], runs: list[Future[None]]) -> None:
        self._batches, self._runs = batches, runs

    def finish(self) -> None:
        """Wait, and let each transaction keep its sender.

        One whose signature has no signer stays without, for the rules to refuse in its place.
        """
        for batch, run in zip(self._batches, self._runs, strict=True):
            run.result()
            batch.finish()


class SenderRecovery:
    """A small pool of threads for signatures; `close` ends it."""

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="senders")

    def start(self, transactions: Sequence[Transaction]) -> PendingSenders:
        """Begin to recover the senders of a block; needs 2 us of this thread for each."""
        count = len(transactions)
        shares = max(1, min(self._threads, count // SMALLEST_SHARE))
        bounds = [count * share // shares for share in range(shares + 1)]
        batches = [
            SenderBatch(transactions[bounds[share] : bounds[share + 1]]) for share in range(shares)
        ]
        return PendingSenders(batches, [self._pool.submit(batch.run) for batch in batches])

    def recover(self, transactions: Sequence[Transaction]) -> None:
        """Recover the senders of a block and return when all are known."""
        self.start(transactions).finish()

    def close(self) -> None:
        """End the threads once their work is done."""
        self._pool.shutdown()
