"""Transactions that wait for a block: per sender in nonce order, best tip first across senders."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from cvm.evm.faults import InsufficientFunds, InvalidTransaction, NonceTooHigh, NonceTooLow
from cvm.evm.forks import OSAKA
from cvm.evm.state_reader import Account, StateReader
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import (
    NO_ACCOUNT,
    ChainRules,
    most_spent,
    validate_account,
    validate_stateless,
)

MAX_PENDING = 5_120
MAX_PER_SENDER = 64
MAX_TX_BYTES = 128 << 10
PRICE_BUMP_PERCENT = 10


class AlreadyKnown(InvalidTransaction):
    """The very same transaction waits already."""

    def __init__(self) -> None:
        super().__init__("already known")


class ReplacementUnderpriced(InvalidTransaction):
    """A transaction with this nonce waits, and the new one does not pay 10 % more."""

    def __init__(self, offered: int, needed: int) -> None:
        super().__init__(
            f"replacement transaction underpriced: maxFeePerGas {offered}, needs {needed}"
        )


class TransactionTooLarge(InvalidTransaction):
    """The transaction is over the pool's size limit."""

    def __init__(self, size: int) -> None:
        super().__init__(f"oversized data: transaction size {size}, limit {MAX_TX_BYTES}")


class PoolFull(InvalidTransaction):
    """The pool, or the sender's share of it, is full."""

    def __init__(self, limit: int, whose: str) -> None:
        super().__init__(f"txpool is full: {whose} may hold {limit} transactions")


class UnprotectedTransaction(InvalidTransaction):
    """A legacy transaction without EIP-155 could be replayed on this chain from another."""

    def __init__(self) -> None:
        super().__init__("only replay-protected (EIP-155) transactions allowed over RPC")


class TransactionPool:
    """Valid transactions in memory; nonces of one sender leave no gap."""

    def __init__(self, chain_id: int) -> None:
        self._rules = ChainRules(chain_id, OSAKA)
        self._by_sender: dict[bytes, dict[int, Transaction]] = {}
        self._by_hash: dict[bytes, Transaction] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> Transaction | None:
        """Return a waiting transaction by its hash."""
        return self._by_hash.get(tx_hash)

    def next_nonce(self, sender: bytes, state_nonce: int) -> int:
        """Return the nonce after everything that waits."""
        waiting = self._by_sender.get(sender, {})
        return max(max(waiting, default=-1) + 1, state_nonce)

    def add(self, tx: Transaction, state: StateReader) -> None:
        """Take a transaction; raises an `InvalidTransaction` with the rule and both values."""
        if tx.hash in self._by_hash:
            raise AlreadyKnown
        validate_size(tx.raw)
        if tx.chain_id is None:
            raise UnprotectedTransaction
        validate_stateless(tx, self._rules)
        sender = tx.sender
        account = state.account(sender) or NO_ACCOUNT
        waiting = self._by_sender.get(sender, {})
        if waiting:
            self._validate_nonce(tx, account)
        else:
            validate_account(tx, state)
        validate_funds(tx, waiting, account)
        replaced = waiting.get(tx.nonce)
        if replaced is not None:
            validate_replacement(tx, replaced)
            del self._by_hash[replaced.hash]
        else:
            self._make_room(tx, sender, waiting)
        self._by_sender.setdefault(sender, {})[tx.nonce] = tx
        self._by_hash[tx.hash] = tx

    def _validate_nonce(self, tx: Transaction, account: Account) -> None:
        """Demand a nonce that is not used up and follows on what waits, or replaces it."""
        if tx.nonce < account.nonce:
            raise NonceTooLow(tx.sender, tx.nonce, account.nonce)
        following = self.next_nonce(tx.sender, account.nonce)
        if tx.nonce > following:
            raise NonceTooHigh(tx.sender, tx.nonce, following)

    def _make_room(self, tx: Transaction, sender: bytes, waiting: dict[int, Transaction]) -> None:
        """Drop the lowest fee cap of a full pool for a higher one, with what waits behind it.

        Else transactions that never reach the base fee would hold the pool for nothing.
        """
        if len(waiting) >= MAX_PER_SENDER:
            raise PoolFull(MAX_PER_SENDER, "one sender")
        if len(self._by_hash) < MAX_PENDING:
            return
        cheapest = min(self._by_hash.values(), key=lambda held: held.max_fee_per_gas)
        if cheapest.max_fee_per_gas >= tx.max_fee_per_gas or cheapest.sender == sender:
            raise PoolFull(MAX_PENDING, "all senders together")
        self.drop(cheapest)

    def best_first(self, base_fee: int) -> Iterator[Transaction]:
        """Yield what can pay the base fee: highest tip first, each sender's in nonce order.

        Ties go to the lower sender address, so that the order depends on nothing else.
        """
        queues = {
            sender: iter(sorted(waiting.items())) for sender, waiting in self._by_sender.items()
        }
        heap: list[tuple[int, bytes, Transaction]] = []
        for sender, queue in queues.items():
            _nonce, tx = next(queue)
            heap.append((-tip(tx, base_fee), sender, tx))
        heapify(heap)
        while heap:
            _tip, sender, tx = heappop(heap)
            if tx.max_fee_per_gas < base_fee:
                continue
            yield tx
            following = next(queues[sender], None)
            if following is not None:
                heappush(heap, (-tip(following[1], base_fee), sender, following[1]))

    def drop(self, tx: Transaction) -> None:
        """Remove a transaction and what waits behind it of the same sender.

        One that is no longer here, because another took its place, removes nothing.
        """
        if tx.hash not in self._by_hash:
            return
        sender = tx.sender
        waiting = self._by_sender.get(sender, {})
        for nonce in [nonce for nonce in waiting if nonce >= tx.nonce]:
            del self._by_hash[waiting.pop(nonce).hash]
        if not waiting:
            self._by_sender.pop(sender, None)

    def settle(self, state: StateReader) -> None:
        """Forget what a new block has used up: nonces below the account's."""
        for sender in list(self._by_sender):
            waiting = self._by_sender[sender]
            account = state.account(sender) or NO_ACCOUNT
            for nonce in [nonce for nonce in waiting if nonce < account.nonce]:
                del self._by_hash[waiting.pop(nonce).hash]
            if not waiting:
                del self._by_sender[sender]


def validate_size(raw_transaction: bytes) -> None:
    """Refuse more bytes than the pool keeps of one transaction, before they are decoded."""
    if len(raw_transaction) > MAX_TX_BYTES:
        raise TransactionTooLarge(len(raw_transaction))


def validate_funds(tx: Transaction, waiting: dict[int, Transaction], account: Account) -> None:
    """Demand a balance for everything of this sender that waits, the new one included."""
    others = (
        other for nonce, other in waiting.items() if nonce != tx.nonce and nonce >= account.nonce
    )
    needed = most_spent(tx) + sum(map(most_spent, others))
    if account.balance < needed:
        raise InsufficientFunds(tx.sender, account.balance, needed)


def validate_replacement(tx: Transaction, replaced: Transaction) -> None:
    """Demand 10 % more of fee cap and tip than the transaction that is replaced."""
    for offered, before in (
        (tx.max_fee_per_gas, replaced.max_fee_per_gas),
        (tx.max_priority_fee_per_gas, replaced.max_priority_fee_per_gas),
    ):
        needed = -(-before * (100 + PRICE_BUMP_PERCENT) // 100)
        if offered < needed:
            raise ReplacementUnderpriced(offered, needed)


def tip(tx: Transaction, base_fee: int) -> int:
    """Return the tip in wei per gas that a transaction pays at a base fee."""
    return min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - base_fee)
