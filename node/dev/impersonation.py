"""Transactions of accounts whose keys nobody has, on a development chain.

Such a transaction carries a signature that no key made: its r names the sender, its s is one
constant. So a block that holds one can be read again after a restart, and by other processes.
Every other node recovers some other sender from it, or none, and refuses the block.
"""

from collections.abc import Iterable

from cvm.evm.execution import BlockExecution
from cvm.evm.keccak import keccak256
from cvm.evm.transaction import Transaction, keep_sender
from cvm.evm.transaction_signing import UnsignedTransaction

NO_KEY_S = int.from_bytes(keccak256(b"cvm dev: signed by no key"), "big") >> 2
"""Below half the curve's order, as EIP-2 demands of s."""

ADDRESS_BITS = 160
R_MARK = 1 << ADDRESS_BITS
"""Above the address in r, so that r is never 0."""


def signed_by_no_key(tx: UnsignedTransaction, sender: bytes) -> Transaction:
    """Return the transaction as one of `sender`."""
    made = tx.with_signature(0, R_MARK | int.from_bytes(sender, "big"), NO_KEY_S)
    keep_sender(made, sender)
    return made


def sender_without_key(tx: Transaction) -> bytes | None:
    """Return the sender of a transaction that was made here, None of one that a key signed."""
    if tx.s != NO_KEY_S or tx.r >> ADDRESS_BITS != 1:
        return None
    return (tx.r - R_MARK).to_bytes(20, "big")


def name_senders(transactions: Iterable[Transaction]) -> None:
    """Give transactions that no key signed the senders that they name."""
    for tx in transactions:
        sender = sender_without_key(tx)
        if sender is not None:
            keep_sender(tx, sender)


class DevExecution(BlockExecution):
    """A block in which contracts may send, where no key signed for them."""

    def validate_sender_code(self, tx: Transaction, code: bytes) -> None:
        """Check that an account with this code may send (EIP-3607); raises `SenderNotEoa`."""
        if sender_without_key(tx) is None:
            super().validate_sender_code(tx, code)
