"""The pool's rules once more, without any index: everything is found anew from what is held."""

from dataclasses import dataclass, field

from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import most_spent
from node.pool.faults import (
    AccountLimitExceeded,
    AlreadyKnown,
    FutureReplacesPending,
    NonceUsed,
    NotPayable,
    NotPayableTogether,
    PoolFull,
    ReplacementUnderpriced,
    Underpriced,
)
from node.pool.limits import PoolLimits
from node.pool.prices import price_of

Held = dict[int, Transaction]


@dataclass
class NaivePool:
    """Transactions of one slot each; `silent` are the senders with queued ones, oldest first."""

    limits: PoolLimits
    accounts: dict[bytes, Account]
    held: dict[bytes, Held] = field(default_factory=dict)
    silent: dict[bytes, int] = field(default_factory=dict)
    base_fee: int = 0
    now: int = 0

    def pending(self, sender: bytes) -> Held:
        """Return the longest run of nonces that the balance covers."""
        account, found = self.accounts[sender], Held()
        left = account.balance
        nonce = account.nonce
        while (tx := self.held.get(sender, {}).get(nonce)) is not None:
            left -= most_spent(tx)
            if left < 0:
                break
            found[nonce] = tx
            nonce += 1
        return found

    def queued(self, sender: bytes) -> Held:
        """Return what is held beside that."""
        pending = self.pending(sender)
        held = sorted(self.held.get(sender, {}).items())
        return {nonce: tx for nonce, tx in held if nonce not in pending}

    def everything(self) -> list[Transaction]:
        """Return all that is held."""
        return [tx for transactions in self.held.values() for tx in transactions.values()]

    def count(self, part: str) -> int:
        """Return how many are pending, or queued, of all senders."""
        return sum(len(getattr(self, part)(sender)) for sender in self.held)

    def fault_of(self, tx: Transaction) -> type[Exception] | None:
        """Return why a transaction is refused, or None."""
        sender, nonce, limits = tx.sender, tx.nonce, self.limits
        account, pending, queued = self.accounts[sender], self.pending(sender), self.queued(sender)
        old = self.held.get(sender, {}).get(nonce)
        if tx in self.everything():
            return AlreadyKnown
        if nonce < account.nonce:
            return NonceUsed
        others = [most_spent(other) for other in pending.values() if other.nonce != nonce]
        if most_spent(tx) > account.balance:
            return NotPayable
        if most_spent(tx) + sum(others) > account.balance:
            return NotPayableTogether
        if old is not None:
            return None if pays_more(tx, old) else ReplacementUnderpriced
        following = account.nonce + len(pending)
        if nonce > following:
            if len(queued) >= limits.account_queue and nonce > max(queued):
                return AccountLimitExceeded
            older = [each for each in self.silent if sender not in self.before(each)]
            room = sum(len(self.queued(each)) for each in older if each != sender)
            if self.count("queued") + 1 - room > limits.global_queue:
                return PoolFull
        elif self.count("pending") + 1 > limits.global_slots:
            sizes = [(len(self.pending(each)), each) for each in self.held if each != sender]
            mine = len(pending) + 1, sender
            if mine[0] > limits.account_slots and max([*sizes, mine]) == mine:
                return PoolFull
        return self._room_fault(tx, is_gapped=nonce > following)

    def before(self, sender: bytes) -> list[bytes]:
        """Return the senders that have been silent for longer than one, and that one."""
        order = list(self.silent)
        return order[: order.index(sender) + 1]

    def _room_fault(self, tx: Transaction, *, is_gapped: bool) -> type[Exception] | None:
        victim = self.victim()
        if victim is None:
            return None
        if price_of(victim, self.base_fee) >= price_of(tx, self.base_fee):
            return Underpriced
        if victim.sender == tx.sender:
            return PoolFull
        if is_gapped and victim.nonce in self.pending(victim.sender):
            return FutureReplacesPending
        return None

    def victim(self) -> Transaction | None:
        """Return what goes for one more, None where there is room."""
        if len(self.everything()) < self.limits.global_slots + self.limits.global_queue:
            return None
        return min(
            self.everything(), key=lambda tx: (price_of(tx, self.base_fee), -tx.nonce, tx.hash)
        )

    def add(self, tx: Transaction) -> None:
        """Take a transaction that has no fault."""
        is_new = tx.nonce not in self.held.get(tx.sender, {})
        victim = self.victim() if is_new else None
        if victim is not None:
            self.remove(victim)
        before = self.pending(tx.sender)
        self.held.setdefault(tx.sender, {})[tx.nonce] = tx
        self.note_beat(tx.sender, before)
        self.truncate()

    def remove(self, tx: Transaction) -> None:
        """Take a transaction out; its sender's queue is capped at once."""
        before = self.pending(tx.sender)
        del self.held[tx.sender][tx.nonce]
        self.note_beat(tx.sender, before)

    def note_beat(self, sender: bytes, before: Held) -> None:
        """Cap a sender's queue, and note that it got on if more of it is pending than before."""
        now = self.pending(sender)
        had_queue = sender in self.silent
        for nonce in list(self.queued(sender))[self.limits.account_queue :]:
            del self.held[sender][nonce]
        got_on = any(tx is not before.get(nonce) for nonce, tx in now.items())
        if not self.queued(sender):
            self.silent.pop(sender, None)
        elif got_on and had_queue:
            del self.silent[sender]
            self.silent[sender] = self.now
        elif not had_queue:
            self.silent[sender] = self.now
        if not self.held[sender]:
            del self.held[sender]

    def look(self, sender: bytes, account: Account) -> None:
        """Follow an account that a block changed."""
        before = self.pending(sender) if sender in self.held else {}
        self.accounts[sender] = account
        if sender not in self.held:
            return
        held = self.held[sender]
        unpayable = [n for n, tx in held.items() if most_spent(tx) > account.balance]
        for nonce in [n for n in held if n < account.nonce or n in unpayable]:
            del held[nonce]
        self.note_beat(sender, before)

    def expire(self) -> None:
        """Forget the queues of senders that are silent for too long."""
        for sender, beat in list(self.silent.items()):
            if self.now - beat > self.limits.lifetime_s:
                for tx in self.queued(sender).values():
                    self.remove(tx)

    def truncate(self) -> None:
        """Keep the lists to their limits."""
        limits = self.limits
        while self.count("pending") > limits.global_slots:
            size, sender = max((len(self.pending(each)), each) for each in self.held)
            if size <= limits.account_slots:
                break
            self.remove(self.pending(sender)[max(self.pending(sender))])
        while self.count("queued") > limits.global_queue:
            queued = self.queued(next(iter(self.silent)))
            self.remove(queued[max(queued)])


def pays_more(tx: Transaction, old: Transaction) -> bool:
    """Tell whether fee cap and tip both rise, by a tenth rounded down at least."""
    pairs = (
        (tx.max_fee_per_gas, old.max_fee_per_gas),
        (tx.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
    )
    return all(new > before and new >= before + before // 10 for new, before in pairs)
