"""Transactions that wait for a block: per sender in nonce order, best tip first across senders."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from eth.abc import SignedTransactionAPI

from cvm.evm.faults import InsufficientFunds, InvalidTransaction, NonceTooHigh, NonceTooLow
from cvm.evm.transactions import AccountReader, sender_of, validate_account, validate_stateless

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
        self._chain_id = chain_id
        self._by_sender: dict[bytes, dict[int, SignedTransactionAPI]] = {}
        self._by_hash: dict[bytes, SignedTransactionAPI] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> SignedTransactionAPI | None:
        """Return a waiting transaction by its hash."""
        return self._by_hash.get(tx_hash)

    def next_nonce(self, sender: bytes, state_nonce: int) -> int:
        """Return the nonce after everything that waits."""
        waiting = self._by_sender.get(sender, {})
        return max(max(waiting, default=-1) + 1, state_nonce)

    def add(self, tx: SignedTransactionAPI, state: AccountReader) -> None:
        """Take a transaction; raises an `InvalidTransaction` with the rule and both values."""
        tx_hash = bytes(tx.hash)
        if tx_hash in self._by_hash:
            raise AlreadyKnown
        validate_size(tx.encode())
        if tx.chain_id is None:
            raise UnprotectedTransaction
        validate_stateless(tx, self._chain_id)
        sender = bytes(sender_of(tx))
        waiting = self._by_sender.get(sender, {})
        self._validate_nonce(tx, sender, waiting, state)
        self._validate_funds(tx, sender, waiting, state)
        replaced = waiting.get(tx.nonce)
        if replaced is not None:
            validate_replacement(tx, replaced)
            del self._by_hash[bytes(replaced.hash)]
        else:
            self._make_room(tx, sender, waiting)
        self._by_sender.setdefault(sender, {})[tx.nonce] = tx
        self._by_hash[tx_hash] = tx

    def _validate_nonce(
        self,
        tx: SignedTransactionAPI,
        sender: bytes,
        waiting: dict[int, SignedTransactionAPI],
        state: AccountReader,
    ) -> None:
        state_nonce = state.get_nonce(sender_of(tx))
        if not waiting:
            validate_account(tx, state)
        elif tx.nonce < state_nonce:
            raise NonceTooLow(sender, tx.nonce, state_nonce)
        elif tx.nonce > self.next_nonce(sender, state_nonce):
            raise NonceTooHigh(sender, tx.nonce, self.next_nonce(sender, state_nonce))

    def _validate_funds(
        self,
        tx: SignedTransactionAPI,
        sender: bytes,
        waiting: dict[int, SignedTransactionAPI],
        state: AccountReader,
    ) -> None:
        """Demand a balance for everything of this sender that waits, the new one included."""
        state_nonce = state.get_nonce(sender_of(tx))
        others = (
            other for nonce, other in waiting.items() if nonce != tx.nonce and nonce >= state_nonce
        )
        needed = most_spent(tx) + sum(most_spent(other) for other in others)
        balance = state.get_balance(sender_of(tx))
        if balance < needed:
            raise InsufficientFunds(sender, balance, needed)

    def _make_room(
        self, tx: SignedTransactionAPI, sender: bytes, waiting: dict[int, SignedTransactionAPI]
    ) -> None:
        """Drop the lowest fee cap of a full pool for a higher one, with what waits behind it.

        Else transactions that never reach the base fee would hold the pool for nothing.
        """
        if len(waiting) >= MAX_PER_SENDER:
            raise PoolFull(MAX_PER_SENDER, "one sender")
        if len(self._by_hash) < MAX_PENDING:
            return
        cheapest = min(self._by_hash.values(), key=lambda held: held.max_fee_per_gas)
        if cheapest.max_fee_per_gas >= tx.max_fee_per_gas or sender_of(cheapest) == sender:
            raise PoolFull(MAX_PENDING, "all senders together")
        self.drop(cheapest)

    def best_first(self, base_fee: int) -> Iterator[SignedTransactionAPI]:
        """Yield what can pay the base fee: highest tip first, each sender's in nonce order.

        Ties go to the lower sender address, so that the order depends on nothing else.
        """
        queues = {
            sender: iter(sorted(waiting.items())) for sender, waiting in self._by_sender.items()
        }
        heap: list[tuple[int, bytes, SignedTransactionAPI]] = []
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

    def drop(self, tx: SignedTransactionAPI) -> None:
        """Remove a transaction and what waits behind it of the same sender.

        One that is no longer here, because another took its place, removes nothing.
        """
        if bytes(tx.hash) not in self._by_hash:
            return
        sender = bytes(sender_of(tx))
        waiting = self._by_sender.get(sender, {})
        for nonce in [nonce for nonce in waiting if nonce >= tx.nonce]:
            del self._by_hash[bytes(waiting.pop(nonce).hash)]
        if not waiting:
            self._by_sender.pop(sender, None)

    def settle(self, state: AccountReader) -> None:
        """Forget what a new block has used up: nonces below the account's."""
        for sender in list(self._by_sender):
            waiting = self._by_sender[sender]
            tx = next(iter(waiting.values()))
            state_nonce = state.get_nonce(sender_of(tx))
            for nonce in [nonce for nonce in waiting if nonce < state_nonce]:
                del self._by_hash[bytes(waiting.pop(nonce).hash)]
            if not waiting:
                del self._by_sender[sender]


def validate_size(raw_transaction: bytes) -> None:
    """Refuse more bytes than the pool keeps of one transaction, before they are decoded."""
    if len(raw_transaction) > MAX_TX_BYTES:
        raise TransactionTooLarge(len(raw_transaction))


def validate_replacement(tx: SignedTransactionAPI, replaced: SignedTransactionAPI) -> None:
    """Demand 10 % more of fee cap and tip than the transaction that is replaced."""
    for offered, before in (
        (tx.max_fee_per_gas, replaced.max_fee_per_gas),
        (tx.max_priority_fee_per_gas, replaced.max_priority_fee_per_gas),
    ):
        needed = -(-before * (100 + PRICE_BUMP_PERCENT) // 100)
        if offered < needed:
            raise ReplacementUnderpriced(offered, needed)


def most_spent(tx: SignedTransactionAPI) -> int:
    """Return the most wei that a transaction can take from its sender."""
    return int(tx.gas * tx.max_fee_per_gas + tx.value)


def tip(tx: SignedTransactionAPI, base_fee: int) -> int:
    """Return the tip in wei per gas that a transaction pays at a base fee."""
    return int(min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - base_fee))
