"""Recovers the senders of many transactions at once."""

from collections.abc import Sequence

from cvm.evm.signature_batch import SignatureBatch
from cvm.evm.transaction import Transaction, keep_sender


class SenderBatch:
    """Prepared where it is made, `run` on any thread, then `finish`.

    `run` is nearly all of the work and needs no interpreter lock.
    """

    def __init__(self, transactions: Sequence[Transaction]) -> None:
        self._transactions = transactions
        self._signatures = SignatureBatch(
            b"".join([tx.signing_hash() for tx in transactions]),
            b"".join([tx.signature for tx in transactions]),
            bytes([tx.y_parity for tx in transactions]),
        )

    def run(self) -> None:
        """Recover every signer."""
        self._signatures.run()

    def finish(self) -> None:
        """Let each transaction keep its sender; one whose signature has none stays without."""
        for tx, sender in zip(self._transactions, self._signatures.addresses(), strict=True):
            if sender is not None:
                keep_sender(tx, sender)
