"""What is pending and what is queued: gaps, funds, promotion, demotion, time."""

import pytest

from cvm.evm.transaction import Transaction
from node.pool.content import PoolStatus
from node.pool.faults import NotPayableTogether
from node.pool.limits import PoolHead
from tests.unit.evm.signing import OTHER, OTHER_KEY, SENDER, SENDER_KEY
from tests.unit.node.pool_world import PoolWorld, signed

COST = 100_000 * 100
"""The most that a transaction of the defaults can take."""
LIFETIME_S = 3 * 3_600


@pytest.fixture
def world() -> PoolWorld:
    return PoolWorld()


def split(world: PoolWorld) -> tuple[list[int], list[int]]:
    """Return the nonces of SENDER that are pending, and those that are queued."""
    return world.pending(), world.queued()


@pytest.mark.parametrize(
    ("arriving", "pending", "queued"),
    [
        pytest.param([0, 1, 2], [0, 1, 2], [], id="in order"),
        pytest.param([2, 1, 0], [0, 1, 2], [], id="backwards"),
        pytest.param([1, 3], [], [1, 3], id="nothing to begin with"),
        pytest.param([0, 1, 3, 4], [0, 1], [3, 4], id="a gap"),
        pytest.param([4, 0, 3, 1, 2], [0, 1, 2, 3, 4], [], id="a gap that is filled"),
        pytest.param([2**64 - 2], [], [2**64 - 2], id="far away"),
    ],
)
def test_what_follows_without_a_gap_is_pending(
    world: PoolWorld, arriving: list[int], pending: list[int], queued: list[int]
) -> None:
    for nonce in arriving:
        world.add(nonce=nonce)
    assert split(world) == (pending, queued)
    assert world.pool.status() == PoolStatus(len(pending), len(queued))
    assert world.pool.next_nonce(SENDER, 0) == len(pending)


def test_everything_is_shown_by_sender_and_nonce(world: PoolWorld) -> None:
    third, first = world.add(nonce=2), world.add(nonce=0)
    other = world.add(OTHER_KEY, nonce=1)
    content = world.pool.content()
    assert content.pending == {SENDER: (first,)}
    assert content.queued == {SENDER: (third,), OTHER: (other,)}
    assert list(content.queued) == sorted([SENDER, OTHER])
    assert world.pool.content_from(OTHER).pending == {}
    assert world.pool.content_from(b"\x99" * 20).queued == {}


def test_listeners_hear_of_each_transaction_when_it_becomes_pending(world: PoolWorld) -> None:
    second, first = world.add(nonce=1), world.add(nonce=0)
    assert world.told == [first, second]
    better = world.add(nonce=1, fee_cap=200, tip=20)
    world.add(nonce=5)
    assert world.told == [first, second, better]


def test_a_listener_that_leaves_hears_no_more(world: PoolWorld) -> None:
    heard: list[Transaction] = []
    leave = world.pool.on_pending(heard.append)
    first = world.add(nonce=0)
    leave()
    world.add(nonce=1)
    assert heard == [first]
    assert len(world.told) == 2


def test_a_queued_transaction_is_replaced_by_the_same_rule(world: PoolWorld) -> None:
    world.add(nonce=3)
    better = world.add(nonce=3, fee_cap=110, tip=4)
    assert world.pool.content_from(SENDER).queued == {SENDER: (better,)}
    assert len(world.pool) == 1


def test_what_waits_behind_a_gap_is_not_counted_against_the_balance(world: PoolWorld) -> None:
    world.accounts.put(SENDER, balance=2 * COST)
    for nonce in (0, 2, 3, 4):
        world.add(nonce=nonce)
    world.add(nonce=1)
    assert split(world) == ([0, 1], [2, 3, 4])
    with pytest.raises(NotPayableTogether, match=f"balance {2 * COST}, queued cost {2 * COST}"):
        world.add(nonce=5)


def test_what_could_not_be_paid_is_pending_when_it_can(world: PoolWorld) -> None:
    world.accounts.put(SENDER, balance=2 * COST)
    for nonce in (2, 0, 1):
        world.add(nonce=nonce)
    assert split(world) == ([0, 1], [2])
    world.accounts.put(SENDER, balance=3 * COST)
    world.settle(SENDER)
    assert split(world) == ([0, 1, 2], [])
    assert world.told[-1].nonce == 2


@pytest.mark.parametrize(
    ("account", "pending", "queued"),
    [
        pytest.param({"nonce": 2}, [2, 3], [5], id="used up"),
        pytest.param({"nonce": 4}, [], [5], id="all pending ones used up"),
        pytest.param({"nonce": 5}, [5], [], id="the gap was filled elsewhere"),
        pytest.param({"nonce": 6}, [], [], id="used up beyond the gap"),
        pytest.param({"balance": 2 * COST}, [0, 1], [2, 3, 5], id="less together"),
        pytest.param({"balance": COST - 1}, [], [], id="less than one"),
        pytest.param({"nonce": 1, "balance": COST}, [1], [2, 3, 5], id="both"),
    ],
)
def test_a_new_head_drops_demotes_and_promotes(
    world: PoolWorld, account: dict[str, int], pending: list[int], queued: list[int]
) -> None:
    for nonce in (0, 1, 2, 3, 5):
        world.add(nonce=nonce)
    world.accounts.put(SENDER, **account)
    world.settle(SENDER)
    assert split(world) == (pending, queued)
    assert world.pool.next_nonce(SENDER, account.get("nonce", 0)) == account.get("nonce", 0) + len(
        pending
    )
    assert len(world.pool) == len(pending) + len(queued)


def test_only_what_costs_too_much_alone_is_dropped_from_the_middle(world: PoolWorld) -> None:
    for nonce, value in ((0, 0), (1, COST), (2, 0)):
        world.add(nonce=nonce, value=value)
    world.accounts.put(SENDER, balance=2 * COST - 1)
    world.settle(SENDER)
    assert split(world) == ([0], [2])


def test_a_chain_that_went_back_leaves_a_gap(world: PoolWorld) -> None:
    world.accounts.put(SENDER, nonce=3)
    world.add(nonce=3)
    world.accounts.put(SENDER, nonce=1)
    world.settle(SENDER)
    assert split(world) == ([], [3])
    world.add(nonce=1)
    world.add(nonce=2)
    assert split(world) == ([1, 2, 3], [])


def test_a_new_head_looks_only_at_senders_that_its_block_touched(world: PoolWorld) -> None:
    asked: list[bytes] = []

    class Watched(type(world.accounts)):  # type: ignore[misc]
        def account(self, address: bytes) -> object:
            asked.append(address)
            return super().account(address)

    world.add(nonce=0)
    world.add(OTHER_KEY, nonce=0)
    world.pool.settle(Watched(), None, [OTHER, b"\x77" * 20])
    assert asked == [OTHER]
    asked.clear()
    world.pool.settle(Watched())
    assert sorted(asked) == sorted([SENDER, OTHER])


def test_an_account_that_changed_is_noticed_when_its_next_transaction_comes(
    world: PoolWorld,
) -> None:
    for nonce in (0, 1, 3):
        world.add(nonce=nonce)
    world.accounts.put(SENDER, nonce=2)
    world.add(nonce=2)
    assert split(world) == ([2, 3], [])


def test_a_lower_gas_limit_drops_what_no_block_can_hold(world: PoolWorld) -> None:
    for nonce, gas in ((0, 50_000), (1, 90_000), (2, 50_000)):
        world.add(nonce=nonce, gas=gas)
    world.pool.settle(world.accounts, PoolHead(0, 80_000), ())
    assert split(world) == ([0], [2])


def test_queued_transactions_of_a_silent_sender_expire(world: PoolWorld) -> None:
    world.add(nonce=0)
    world.add(nonce=2)
    world.clock.now += 10
    world.add(OTHER_KEY, nonce=4)
    world.clock.now += LIFETIME_S - 10
    world.settle()
    assert split(world) == ([0], [2])
    world.clock.now += 1
    world.settle()
    assert split(world) == ([0], [])
    assert world.queued(OTHER_KEY) == [4]
    world.clock.now += 10
    world.settle()
    assert world.pool.status() == PoolStatus(1, 0)


def test_a_sender_that_gets_on_is_not_silent(world: PoolWorld) -> None:
    world.add(nonce=5)
    world.clock.now += LIFETIME_S
    world.add(SENDER_KEY, nonce=0)
    world.clock.now += LIFETIME_S
    world.settle()
    assert world.queued() == [5]
    world.clock.now += 1
    world.settle()
    assert split(world) == ([0], [])


def test_more_of_the_same_gap_does_not_put_off_the_end(world: PoolWorld) -> None:
    world.add(nonce=5)
    world.clock.now += LIFETIME_S
    world.add(nonce=6)
    world.clock.now += 1
    world.settle()
    assert len(world.pool) == 0


def test_the_same_transaction_restored_after_a_restart_needs_no_order(world: PoolWorld) -> None:
    world.accounts.put(SENDER, balance=COST)
    for nonce in (1, 0):
        world.pool.restore(signed(nonce=nonce), world.accounts)
    assert split(world) == ([0], [1])
