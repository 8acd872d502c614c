"""The transactions of one sender: pending ones without a gap, queued ones for later."""

from dataclasses import dataclass, field
from typing import NamedTuple

from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import most_spent
from node.pool.limits import slots_of


class Tally(NamedTuple):
    """How much of the pool one sender has: numbers of transactions, and slots."""

    pending: int = 0
    queued: int = 0
    pending_slots: int = 0
    queued_slots: int = 0


NOTHING = Tally()


@dataclass(slots=True)
class AccountLists:
    """What waits of one sender, whose nonce and balance are as they were looked at last.

    `pending` has the nonces from the account's on, ascending and without a gap, and the balance
    covers all of it. `queued` has the others: behind a gap, or not yet payable.
    """

    address: bytes
    nonce: int = 0
    balance: int = 0
    pending: dict[int, Transaction] = field(default_factory=dict)
    queued: dict[int, Transaction] = field(default_factory=dict)
    pending_cost: int = 0
    pending_slots: int = 0
    queued_slots: int = 0
    counted: Tally = NOTHING
    """What the pool's sums have of this sender."""

    @property
    def next_nonce(self) -> int:
        """Return the first nonce that is not pending."""
        return self.nonce + len(self.pending)

    @property
    def tally(self) -> Tally:
        """Return what there is of this sender now."""
        return Tally(len(self.pending), len(self.queued), self.pending_slots, self.queued_slots)

    def get(self, nonce: int) -> Transaction | None:
        """Return what waits with a nonce."""
        return self.pending.get(nonce) or self.queued.get(nonce)

    def put(self, tx: Transaction) -> Transaction | None:
        """Take a transaction, in the place of the one with its nonce, which is returned.

        It is queued unless it replaces a pending one; `promote` makes of it what it can.
        """
        replaced = self.get(tx.nonce)
        is_pending = tx.nonce in self.pending
        if replaced is not None:
            self._count(replaced, -1, is_pending=is_pending)
        (self.pending if is_pending else self.queued)[tx.nonce] = tx
        self._count(tx, 1, is_pending=is_pending)
        return replaced

    def promote(self) -> list[Transaction]:
        """Move to the pending ones what follows on them and can be paid; return it."""
        promoted = []
        while (tx := self.queued.get(self.next_nonce)) is not None:
            if self.pending_cost + most_spent(tx) > self.balance:
                break
            del self.queued[tx.nonce]
            self._count(tx, -1, is_pending=False)
            self.pending[tx.nonce] = tx
            self._count(tx, 1, is_pending=True)
            promoted.append(tx)
        return promoted

    def remove(self, nonce: int) -> Transaction | None:
        """Take out what waits with a nonce; what was pending behind it is queued."""
        is_pending = nonce in self.pending
        if is_pending:
            self._demote_from(nonce + 1)
        tx = (self.pending if is_pending else self.queued).pop(nonce, None)
        if tx is not None:
            self._count(tx, -1, is_pending=is_pending)
        return tx

    def look(self, account: Account) -> list[Transaction]:
        """Note what became of the account; return what is taken out for it.

        That are nonces which are used up, and transactions that its balance covers not even
        alone. What it covers no more together with those before is queued.
        """
        if account.nonce == self.nonce and account.balance == self.balance:
            return []
        dropped = self._forward(account.nonce)
        self.balance = account.balance
        self._demote_unpayable()
        unpayable = [n for n, tx in self.queued.items() if most_spent(tx) > self.balance]
        return dropped + self._remove_all(unpayable)

    def cap_queue(self, limit: int) -> list[Transaction]:
        """Take out the queued ones of the highest nonces until so many are left."""
        over = len(self.queued) - limit
        return self._remove_all(sorted(self.queued)[-over:]) if over > 0 else []

    def _forward(self, nonce: int) -> list[Transaction]:
        """Move on to an account's nonce; one that went back leaves a gap, so all is queued."""
        if nonce < self.nonce:
            self._demote_from(self.nonce)
            self.nonce = nonce
            return []
        used = range(self.nonce, min(nonce, self.next_nonce))
        dropped = [self.pending.pop(each) for each in used]
        for tx in dropped:
            self._count(tx, -1, is_pending=True)
        self.nonce = nonce
        return dropped + self._remove_all([each for each in self.queued if each < nonce])

    def _demote_unpayable(self) -> None:
        """Queue the pending ones from the first on that the balance does not reach."""
        if self.pending_cost <= self.balance:
            return
        left = self.balance
        for nonce, tx in self.pending.items():
            left -= most_spent(tx)
            if left < 0:
                self._demote_from(nonce)
                return

    def _demote_from(self, nonce: int) -> None:
        for each in range(nonce, self.next_nonce):
            tx = self.pending.pop(each)
            self._count(tx, -1, is_pending=True)
            self.queued[each] = tx
            self._count(tx, 1, is_pending=False)

    def _remove_all(self, nonces: list[int]) -> list[Transaction]:
        return [tx for nonce in nonces if (tx := self.remove(nonce)) is not None]

    def _count(self, tx: Transaction, sign: int, *, is_pending: bool) -> None:
        if is_pending:
            self.pending_cost += sign * most_spent(tx)
            self.pending_slots += sign * slots_of(tx)
        else:
            self.queued_slots += sign * slots_of(tx)
