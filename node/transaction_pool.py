"""Transactions that wait for a block, as go-ethereum's pool keeps them: pending and queued.

Pending ones could stand in the next blocks in this order; queued ones wait for a nonce or for
funds. It runs no transaction. One thread (the event loop's) uses it.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from cvm.evm.forks import OSAKA
from cvm.evm.state_reader import Account, StateReader
from cvm.evm.transaction import Transaction, keep_sender
from cvm.evm.transaction_rules import NO_ACCOUNT, ChainRules
from node.clock import now_s
from node.pool.account_lists import AccountLists
from node.pool.authorities import AuthorityIndex, authorities_of
from node.pool.block_order import best_first
from node.pool.content import PoolContent, PoolStatus
from node.pool.faults import (
    AccountLimitExceeded,
    AlreadyKnown,
    FutureReplacesPending,
    PoolFull,
    Underpriced,
)
from node.pool.limits import DEFAULT_LIMITS, PoolHead, PoolLimits, slots_of
from node.pool.prices import PriceIndex
from node.pool.rules import (
    validate_authorities,
    validate_delegation,
    validate_form,
    validate_overdraft,
    validate_replacement,
    validate_sender,
)

PendingListener = Callable[[Transaction], None]


class TransactionPool:
    """Valid transactions in memory; see `PoolLimits` for how many."""

    def __init__(
        self,
        chain_id: int,
        limits: PoolLimits = DEFAULT_LIMITS,
        clock_s: Callable[[], int] = now_s,
    ) -> None:
        self._rules = ChainRules(chain_id, OSAKA)
        self._limits = limits
        self._clock_s = clock_s
        self._head = PoolHead()
        self._accounts: dict[bytes, AccountLists] = {}
        self._by_hash: dict[bytes, Transaction] = {}
        self._pending = 0
        self._pending_slots = 0
        self._queued_slots = 0
        self._large: dict[bytes, AccountLists] = {}  # with more pending than is safe for each
        self._beats: OrderedDict[bytes, int] = OrderedDict()  # of who has queued ones, oldest first
        self._prices = PriceIndex()
        self._delegated = AuthorityIndex()
        self._listeners: list[PendingListener] = []
        self._fresh: list[Transaction] = []

    def __len__(self) -> int:
        return len(self._by_hash)

    @property
    def pending_count(self) -> int:
        """Return how many transactions the next blocks could take."""
        return self._pending

    def get(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that is pending or queued by its hash."""
        return self._by_hash.get(tx_hash)

    def lend_senders(self, transactions: Iterable[Transaction]) -> None:
        """Give transactions the senders that were recovered when the very same ones came in.

        Recovering them is most of what checking a block of transfers takes.
        """
        for tx in transactions:
            known = self._by_hash.get(tx.hash)
            if known is not None:
                keep_sender(tx, known.sender)

    def is_pending(self, tx: Transaction) -> bool:
        """Tell whether the next blocks could take this transaction."""
        lists = self._accounts.get(tx.sender)
        return lists is not None and lists.pending.get(tx.nonce) is tx

    def next_nonce(self, sender: bytes, state_nonce: int) -> int:
        """Return the nonce after everything that is pending."""
        lists = self._accounts.get(sender)
        return state_nonce if lists is None else max(lists.next_nonce, state_nonce)

    def status(self) -> PoolStatus:
        """Return how many transactions are here."""
        return PoolStatus(self._pending, len(self._by_hash) - self._pending)

    def content(self) -> PoolContent:
        """Return everything that is here."""
        return content_of(self._accounts.values())

    def content_from(self, sender: bytes) -> PoolContent:
        """Return everything that is here of one sender."""
        lists = self._accounts.get(sender)
        return content_of(() if lists is None else (lists,))

    def best_first(self, base_fee: int) -> Iterator[Transaction]:
        """Yield what is pending and can pay the base fee; see `node.pool.block_order`."""
        return best_first(self._accounts.values(), base_fee)

    def on_pending(self, listener: PendingListener) -> Callable[[], None]:
        """Call `listener` with each transaction that becomes pending; return what ends that.

        One that was queued again in between is told of again.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def add(self, tx: Transaction, state: StateReader) -> None:
        """Take a transaction on the head's state; raises an `InvalidTransaction`.

        The fault names the rule and both values. What is refused pushes nothing out.
        """
        self._admit(tx, state, is_new=True)

    def restore(self, tx: Transaction, state: StateReader) -> None:
        """Take a transaction that was here before a restart; raises an `InvalidTransaction`.

        The rules that look at the sender's other transactions do not count: it had kept to them.
        """
        self._admit(tx, state, is_new=False)

    def _admit(self, tx: Transaction, state: StateReader, *, is_new: bool) -> None:
        if tx.hash in self._by_hash:
            raise AlreadyKnown
        validate_form(tx, self._rules, self._head)
        account = state.account(tx.sender) or NO_ACCOUNT
        lists = self._looked_at(tx.sender, account)
        try:
            validate_sender(tx, account, state)
            if is_new:
                validate_overdraft(tx, lists)
                validate_delegation(tx, account, lists, self._delegated)
            victims = self._room_for(tx, lists)
            # Last, because it is dear: a transaction may carry hundreds of signatures.
            authorities = authorities_of(tx)
            if is_new:
                validate_authorities(authorities, self._accounts)
            self._insert(tx, lists, victims, authorities)
        finally:
            self._tell()

    def _looked_at(self, sender: bytes, account: Account) -> AccountLists:
        """Return the lists of a sender as its account is now, which may be empty ones."""
        lists = self._accounts.get(sender)
        if lists is None:
            lists = AccountLists(sender)
            lists.look(account)
        else:
            self._refresh(lists, account)
            self._truncate()
        return lists

    def _room_for(self, tx: Transaction, lists: AccountLists) -> list[Transaction]:
        """Return what has to go for a transaction; raises a pool's fault."""
        replaced = lists.get(tx.nonce)
        if replaced is None:
            self._validate_place(tx, lists)
        else:
            validate_replacement(tx, replaced, self._limits.price_bump_percent)
        return self._victims(tx, lists, replaced)

    def _insert(
        self,
        tx: Transaction,
        lists: AccountLists,
        victims: Sequence[Transaction],
        authorities: Sequence[bytes],
    ) -> None:
        """Put a transaction in its place, which victims make room for."""
        for victim in victims:
            self._remove(victim)
        replaced = lists.put(tx)
        if replaced is not None:
            self._forget(replaced)
        self._by_hash[tx.hash] = tx
        self._prices.add(tx, len(self._by_hash))
        self._delegated.add(tx, authorities)
        if tx.nonce in lists.pending:
            self._note_promoted(lists, [tx])
        self._settle_lists(lists)
        self._truncate()
        if tx.hash not in self._by_hash:
            raise PoolFull("all senders together", self._limits.all_slots)

    def _validate_place(self, tx: Transaction, lists: AccountLists) -> None:
        """Refuse what the limits of the lists would drop at once; raises a pool's fault."""
        limits, slots = self._limits, slots_of(tx)
        if tx.nonce > lists.next_nonce:
            if len(lists.queued) >= limits.account_queue and tx.nonce > max(lists.queued):
                raise AccountLimitExceeded(len(lists.queued))
            if not self._queue_can_take(slots, lists.address):
                raise PoolFull("queued", limits.global_queue)
        elif self._pending_slots + slots > limits.global_slots:
            mine = lists.pending_slots + slots, lists.address
            others = ((each.pending_slots, each.address) for each in self._large.values())
            if mine[0] > limits.account_slots and not any(other > mine for other in others):
                raise PoolFull("pending", limits.global_slots)

    def _queue_can_take(self, slots: int, sender: bytes) -> bool:
        """Tell whether senders that have been silent for longer hold enough of the queue."""
        over = self._queued_slots + slots - self._limits.global_queue
        for older in self._beats:
            if over <= 0 or older == sender:
                break
            over -= self._accounts[older].queued_slots
        return over <= 0

    def _victims(
        self, tx: Transaction, lists: AccountLists, replaced: Transaction | None
    ) -> list[Transaction]:
        """Return what goes to make room for a transaction in a full pool; raises a pool's fault."""
        used = self._pending_slots + self._queued_slots
        over = used + slots_of(tx) - self._limits.all_slots
        if replaced is not None:
            over -= slots_of(replaced)
        if over <= 0:
            return []
        victims = self._prices.cheapest(self._by_hash, self._head.base_fee, over, tx)
        if victims is None:
            raise Underpriced(self._limits.all_slots)
        if any(victim.sender == lists.address for victim in victims):
            raise PoolFull("all senders together", self._limits.all_slots)
        if tx.nonce > lists.next_nonce and any(map(self.is_pending, victims)):
            raise FutureReplacesPending
        return victims

    def drop(self, tx: Transaction) -> None:
        """Remove a transaction that no block takes; what is pending behind it is queued.

        One that is no longer here, because another took its place, removes nothing.
        """
        self._remove(tx)
        self._truncate()

    def settle(
        self,
        state: StateReader,
        head: PoolHead | None = None,
        changed: Collection[bytes] | None = None,
    ) -> None:
        """Follow the head: drop what is used up, promote and demote what its state lets.

        `changed` are the accounts that the new block touched: only their senders are looked at,
        or all of them where it is None.
        """
        if head is not None:
            lowered, self._head = head.gas_limit < self._head.gas_limit, head
            if lowered:
                self._drop_over(head.gas_limit)
        if changed is None:
            senders = list(self._accounts)
        else:
            senders = [address for address in changed if address in self._accounts]
        for sender in senders:
            self._refresh(self._accounts[sender], state.account(sender) or NO_ACCOUNT)
        self._expire()
        self._truncate()
        self._tell()

    def _drop_over(self, gas_limit: int) -> None:
        for tx in [tx for tx in self._by_hash.values() if tx.gas > gas_limit]:
            self._remove(tx)

    def _expire(self) -> None:
        """Forget the queued ones of senders that have been silent for too long."""
        bound = self._clock_s() - self._limits.lifetime_s
        while self._beats:
            sender, beat = next(iter(self._beats.items()))
            if beat >= bound:
                return
            for tx in list(self._accounts[sender].queued.values()):
                self._remove(tx)

    def _refresh(self, lists: AccountLists, account: Account) -> None:
        """Look at a sender's account again."""
        for tx in lists.look(account):
            self._forget(tx)
        self._settle_lists(lists)

    def _settle_lists(self, lists: AccountLists) -> None:
        """Promote what can be, cap the queue, and bring the pool's sums up to date."""
        promoted = lists.promote()
        if promoted:
            self._note_promoted(lists, promoted)
        for tx in lists.cap_queue(self._limits.account_queue):
            self._forget(tx)
        self._count(lists)

    def _note_promoted(self, lists: AccountLists, promoted: Sequence[Transaction]) -> None:
        self._fresh += promoted
        if lists.address in self._beats:
            self._beats[lists.address] = self._clock_s()
            self._beats.move_to_end(lists.address)

    def _remove(self, tx: Transaction) -> None:
        """Remove a transaction if it is still here; the caller truncates the lists."""
        if tx.hash not in self._by_hash:
            return
        lists = self._accounts[tx.sender]
        lists.remove(tx.nonce)
        self._forget(tx)
        self._settle_lists(lists)

    def _forget(self, tx: Transaction) -> None:
        """Remove from what is kept by hash a transaction that has left its list."""
        del self._by_hash[tx.hash]
        self._delegated.remove(tx)

    def _count(self, lists: AccountLists) -> None:
        """Bring the pool's sums up to what a sender has now."""
        address, before, now = lists.address, lists.counted, lists.tally
        lists.counted = now
        self._pending += now.pending - before.pending
        self._pending_slots += now.pending_slots - before.pending_slots
        self._queued_slots += now.queued_slots - before.queued_slots
        if now.pending or now.queued:
            self._accounts[address] = lists
        else:
            self._accounts.pop(address, None)
        if now.pending_slots > self._limits.account_slots:
            self._large[address] = lists
        else:
            self._large.pop(address, None)
        if not now.queued:
            self._beats.pop(address, None)
        elif address not in self._beats:
            self._beats[address] = self._clock_s()

    def _truncate(self) -> None:
        """Keep the lists to their limits.

        Pending ones go from who has most, the highest nonce first, down to what is safe for each;
        queued ones from who has been silent for longest.
        """
        while self._pending_slots > self._limits.global_slots and self._large:
            lists = max(self._large.values(), key=lambda each: (each.pending_slots, each.address))
            self._remove(lists.pending[lists.next_nonce - 1])
        while self._queued_slots > self._limits.global_queue:
            lists = self._accounts[next(iter(self._beats))]
            self._remove(lists.queued[max(lists.queued)])

    def _tell(self) -> None:
        """Tell the listeners of what has become pending and still is."""
        fresh, self._fresh = self._fresh, []
        for tx in fresh:
            if self.is_pending(tx):
                for listener in tuple(self._listeners):
                    listener(tx)


def content_of(accounts: Collection[AccountLists]) -> PoolContent:
    """Return what waits of some senders, by address and in nonce order."""
    ordered = sorted(accounts, key=lambda lists: lists.address)
    return PoolContent(
        {lists.address: tuple(lists.pending.values()) for lists in ordered if lists.pending},
        {
            lists.address: tuple(tx for _nonce, tx in sorted(lists.queued.items()))
            for lists in ordered
            if lists.queued
        },
    )
