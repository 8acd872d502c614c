"""The pool under random use does what its rules say when they are applied without any index."""

from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cvm.evm.faults import InvalidTransaction
from cvm.evm.private_key import PrivateKey
from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import most_spent
from cvm.evm.transaction_signing import UnsignedTransaction
from node.pool.content import PoolContent
from node.pool.faults import PoolFull
from node.pool.limits import PoolHead, PoolLimits
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import RECIPIENT, address_of
from tests.unit.node.naive_pool import NaivePool
from tests.unit.node.pool_world import KEYS, PoolWorld

LIMITS = PoolLimits(
    account_slots=2, global_slots=6, account_queue=3, global_queue=4, lifetime_s=100
)
COST = 21_000 * 10
"""Of a transaction at the lowest fee cap."""
SENDERS = [address_of(key) for key in KEYS]
BALANCES = st.sampled_from([0, COST, 3 * COST, 6 * COST, 100 * COST])


@cache
def signed(key: PrivateKey, nonce: int, fee_cap: int, tip: int, value: int) -> Transaction:
    return UnsignedTransaction(
        chain_id=CHAIN_ID,
        nonce=nonce,
        max_fee_per_gas=fee_cap,
        max_priority_fee_per_gas=tip,
        to=RECIPIENT,
        value=value,
    ).sign(key.to_bytes())


class PoolMachine(RuleBasedStateMachine):
    """Sends, blocks, drops and waiting, on a pool and on its naive form."""

    def __init__(self) -> None:
        super().__init__()
        self.world = PoolWorld(LIMITS)
        self.naive = NaivePool(LIMITS, {}, now=self.world.clock.now)
        for sender in SENDERS:
            self.look(sender, Account(balance=100 * COST))

    def look(self, sender: bytes, account: Account) -> None:
        self.world.accounts.put(sender, nonce=account.nonce, balance=account.balance)
        self.naive.look(sender, account)

    @rule(
        key=st.sampled_from(KEYS),
        ahead=st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 5, -1]),
        fees=st.sampled_from([(10, 1), (10, 2), (11, 3), (12, 3), (20, 2), (22, 8), (90, 9)]),
        value=st.sampled_from([0, 0, 0, COST, 4 * COST]),
    )
    def send(self, key: PrivateKey, ahead: int, fees: tuple[int, int], value: int) -> None:
        """Send the nonce after the pending ones, or one before or behind it."""
        sender = address_of(key)
        nonce = self.naive.accounts[sender].nonce + len(self.naive.pending(sender)) + ahead
        tx = signed(key, max(nonce, 0), *fees, value)
        expected = self.naive.fault_of(tx)
        told = len(self.world.told)
        if expected is None:
            self.naive.add(tx)
            if tx not in self.naive.everything():
                expected = PoolFull
        try:
            self.world.pool.add(tx, self.world.accounts)
        except InvalidTransaction as fault:
            assert type(fault) is expected, fault  # noqa: PT017
        else:
            assert expected is None
            assert self.world.pool.get(tx.hash) is tx
            assert (tx in self.world.told[told:]) == self.world.pool.is_pending(tx)

    @rule(
        changed=st.dictionaries(
            st.sampled_from(SENDERS), st.tuples(st.integers(0, 4), BALANCES), max_size=3
        ),
        base_fee=st.sampled_from([0, 0, 9, 11, 21]),
        is_told=st.booleans(),
    )
    def append_block(
        self, changed: dict[bytes, tuple[int, int]], base_fee: int, *, is_told: bool
    ) -> None:
        """Append a block: nonces move on, balances change, so does the base fee."""
        for sender, (used, balance) in changed.items():
            nonce = self.naive.accounts[sender].nonce + used
            self.look(sender, Account(nonce=nonce, balance=balance))
        self.naive.base_fee = base_fee
        self.naive.expire()
        self.naive.truncate()
        self.world.pool.settle(
            self.world.accounts, PoolHead(base_fee), list(changed) if is_told else None
        )

    @precondition(lambda self: len(self.world.pool) > 0)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Drop one that the builder of a block found invalid."""
        everything = sorted(self.naive.everything(), key=lambda tx: tx.hash)
        tx = data.draw(st.sampled_from(everything))
        self.naive.remove(tx)
        self.naive.truncate()
        self.world.pool.drop(tx)

    @rule(seconds=st.sampled_from([1, 40, 101]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.world.clock.now += seconds
        self.naive.now = self.world.clock.now

    @invariant()
    def holds_what_the_naive_pool_holds(self) -> None:
        """Compare the lists, in their order."""
        found = self.world.pool.content()
        assert in_order(found) == in_order(
            PoolContent(
                {each: list(self.naive.pending(each).values()) for each in SENDERS},
                {each: list(self.naive.queued(each).values()) for each in SENDERS},
            )
        )
        assert len(self.world.pool) == len(self.naive.everything())
        assert self.world.pool.pending_count == self.naive.count("pending")

    @invariant()
    def keeps_its_promises(self) -> None:
        """Check what holds whatever was sent: no gap, payable sums, limits."""
        content = self.world.pool.content()
        for sender, transactions in content.pending.items():
            account = self.world.accounts.account(sender)
            nonces = [tx.nonce for tx in transactions]
            assert nonces == list(range(account.nonce, account.nonce + len(nonces)))
            assert sum(map(most_spent, transactions)) <= account.balance
        sizes = [len(transactions) for transactions in content.pending.values()]
        assert sum(sizes) <= LIMITS.global_slots or max(sizes) <= LIMITS.account_slots
        queues = [len(transactions) for transactions in content.queued.values()]
        assert sum(queues) <= LIMITS.global_queue
        assert max(queues, default=0) <= LIMITS.account_queue
        assert sum(sizes) + sum(queues) <= LIMITS.all_slots
        best = list(self.world.pool.best_first(0))
        assert sorted(tx.hash for tx in best) == sorted(
            tx.hash for transactions in content.pending.values() for tx in transactions
        )


def in_order(content: PoolContent) -> list[list[bytes]]:
    """Return the hashes of each list that is not empty, pending ones first."""
    parts = (content.pending, content.queued)
    return [[tx.hash for tx in part[each]] for part in parts for each in SENDERS if part.get(each)]


TestPool = PoolMachine.TestCase
TestPool.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, derandomize=True
)
