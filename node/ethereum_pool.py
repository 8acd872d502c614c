"""Transactions that wait on a plain Ethereum chain: whoever makes its blocks may ask for them.

A node of such a chain makes no blocks, so this is a bounded list of what was sent to it, kept by
the rules of the head's fork.
"""

from cvm.evm.faults import InvalidTransaction, NonceTooLow
from cvm.evm.state_reader import StateReader
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import (
    NO_ACCOUNT,
    ChainRules,
    validate_balance,
    validate_sender_is_eoa,
    validate_stateless,
)
from node.pool.content import BySender

MAX_WAITING = 1_024


class EthereumPoolFull(InvalidTransaction):
    """No more transactions are kept."""

    def __init__(self) -> None:
        super().__init__(f"txpool is full: {MAX_WAITING} transactions wait")


class AlreadyWaiting(InvalidTransaction):
    """The very same transaction waits already."""

    def __init__(self) -> None:
        super().__init__("already known")


class EthereumPool:
    """Valid transactions in memory, by sender and nonce; the later one of a nonce stays."""

    def __init__(self) -> None:
        self._by_hash: dict[bytes, Transaction] = {}
        self._by_place: dict[tuple[bytes, int], Transaction] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> Transaction | None:
        """Return a waiting transaction by its hash."""
        return self._by_hash.get(tx_hash)

    def by_sender(self) -> BySender:
        """Return what waits, of each sender in nonce order."""
        found: dict[bytes, list[Transaction]] = {}
        for (sender, _nonce), tx in sorted(self._by_place.items(), key=lambda item: item[0]):
            found.setdefault(sender, []).append(tx)
        return found

    def next_nonce(self, sender: bytes, state_nonce: int) -> int:
        """Return the first nonce from the account's on that is free."""
        nonce = state_nonce
        while (sender, nonce) in self._by_place:
            nonce += 1
        return nonce

    def add(self, tx: Transaction, state: StateReader, rules: ChainRules) -> None:
        """Take a transaction; raises an `InvalidTransaction` with the rule and both values."""
        if tx.hash in self._by_hash:
            raise AlreadyWaiting
        if len(self._by_hash) >= MAX_WAITING:
            raise EthereumPoolFull
        validate_stateless(tx, rules)
        account = state.account(tx.sender) or NO_ACCOUNT
        if tx.nonce < account.nonce:
            raise NonceTooLow(tx.sender, tx.nonce, account.nonce)
        validate_sender_is_eoa(tx, state.code(account.code_hash))
        validate_balance(tx, account.balance)
        replaced = self._by_place.get((tx.sender, tx.nonce))
        if replaced is not None:
            del self._by_hash[replaced.hash]
        self._by_place[tx.sender, tx.nonce] = self._by_hash[tx.hash] = tx
