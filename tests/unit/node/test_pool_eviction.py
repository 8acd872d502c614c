"""The limits of the pool: what goes when it is full, and what may not push anything out."""

from itertools import count

import pytest

from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from node.pool import prices
from node.pool.faults import (
    AccountLimitExceeded,
    FutureReplacesPending,
    PoolFull,
    Underpriced,
)
from node.pool.limits import PoolHead, PoolLimits, slots_of
from tests.unit.evm.signing import OTHER_KEY, SENDER_KEY, address_of
from tests.unit.node.pool_world import KEYS, PoolWorld, signed

THIRD_KEY = PrivateKey(b"\x64" * 32)  # TEST key
FOURTH_KEY = PrivateKey(b"\x65" * 32)  # TEST key
FIFTH_KEY = PrivateKey(b"\x66" * 32)  # TEST key
SMALL = PoolLimits(account_slots=1, global_slots=3, account_queue=2, global_queue=1)
ROOMY = PoolLimits(account_slots=4, global_slots=4, account_queue=3, global_queue=4)


def full_world() -> PoolWorld:
    """Return a pool of four slots with four pending transactions, the first of SENDER cheapest."""
    world = PoolWorld(PoolLimits(account_slots=4, global_slots=2, account_queue=2, global_queue=2))
    world.add(SENDER_KEY, nonce=0, fee_cap=10, tip=1)
    world.add(SENDER_KEY, nonce=1, fee_cap=50)
    world.add(OTHER_KEY, nonce=0, fee_cap=20)
    world.add(OTHER_KEY, nonce=1, fee_cap=60)
    assert world.pool.status().pending == 4
    return world


def test_one_that_pays_more_takes_the_place_of_the_cheapest() -> None:
    world = full_world()
    world.add(THIRD_KEY, fee_cap=30)
    assert world.pending(THIRD_KEY) == [0]
    assert world.pending(OTHER_KEY) == [0, 1]
    assert (world.pending(SENDER_KEY), world.queued(SENDER_KEY)) == ([], [1])


@pytest.mark.parametrize(
    ("fee_cap", "tip"),
    [pytest.param(10, 1, id="as much"), pytest.param(9, 1, id="less")],
)
def test_one_that_pays_no_more_is_underpriced(fee_cap: int, tip: int) -> None:
    world = full_world()
    with pytest.raises(Underpriced, match=r"^transaction underpriced: 4 slots are taken"):
        world.add(THIRD_KEY, fee_cap=fee_cap, tip=tip)
    assert world.pool.status().pending == 4


@pytest.mark.parametrize(
    ("base_fee", "evicted"),
    [
        pytest.param(0, SENDER_KEY, id="the lower tip"),
        pytest.param(48, OTHER_KEY, id="what reaches the base fee least"),
    ],
)
def test_what_pays_least_is_seen_at_the_next_base_fee(base_fee: int, evicted: PrivateKey) -> None:
    world = PoolWorld(PoolLimits(global_slots=1, global_queue=1))
    world.add(SENDER_KEY, fee_cap=50, tip=2)
    world.add(OTHER_KEY, fee_cap=49, tip=3)
    world.pool.settle(world.accounts, PoolHead(base_fee), ())
    world.add(THIRD_KEY, fee_cap=90, tip=9)
    assert world.pending(evicted) == []
    assert world.pool.status().pending == 2


def test_prices_are_looked_at_again_when_the_base_fee_moves() -> None:
    world = PoolWorld(PoolLimits(global_slots=1, global_queue=1))
    world.add(SENDER_KEY, fee_cap=50, tip=5)
    world.add(OTHER_KEY, fee_cap=100, tip=3)
    with pytest.raises(Underpriced):
        world.add(THIRD_KEY, fee_cap=99, tip=3)
    world.pool.settle(world.accounts, PoolHead(60), ())
    world.add(THIRD_KEY, fee_cap=99, tip=3)
    assert [world.pending(key) for key in (SENDER_KEY, OTHER_KEY, THIRD_KEY)] == [[], [0], [0]]


def test_of_equal_prices_the_highest_nonce_goes() -> None:
    world = PoolWorld(PoolLimits(global_slots=2, global_queue=0))
    world.add(SENDER_KEY, nonce=0)
    world.add(SENDER_KEY, nonce=1)
    world.add(OTHER_KEY, fee_cap=200, tip=20)
    assert (world.pending(SENDER_KEY), world.queued(SENDER_KEY)) == ([0], [])


def test_a_sender_does_not_evict_what_its_own_newcomer_stands_on() -> None:
    world = full_world()
    with pytest.raises(PoolFull, match=r"^txpool is full: all senders together, limit 4 slots"):
        world.add(SENDER_KEY, nonce=2, fee_cap=90, tip=90)
    assert world.pool.status().pending == 4


def test_one_that_cannot_run_yet_pushes_out_none_that_can() -> None:
    world = full_world()
    with pytest.raises(
        FutureReplacesPending, match=r"^future transaction tries to replace pending"
    ):
        world.add(THIRD_KEY, nonce=1, fee_cap=500, tip=50)
    assert world.pool.status().pending == 4
    world.add(THIRD_KEY, nonce=0, fee_cap=30)
    assert (world.pending(SENDER_KEY), world.pending(OTHER_KEY)) == ([], [0, 1])


def test_a_replacement_in_a_full_pool_pushes_nothing_out() -> None:
    world = full_world()
    world.add(OTHER_KEY, nonce=1, fee_cap=70, tip=4)
    assert world.pool.status().pending == 4


@pytest.mark.parametrize("spare", [0, 5, 1_024])
def test_evictions_go_on_for_as_long_as_better_ones_come(
    spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heap of prices is used, emptied and filled again many times over."""
    monkeypatch.setattr(prices, "SPARE_ENTRIES", spare)
    world = PoolWorld(PoolLimits(global_slots=3, global_queue=0))
    for price, key in zip(range(10, 70), [key for _ in range(10) for key in KEYS], strict=True):
        world.pool.add(signed(key, fee_cap=1_000 * price, tip=price), world.accounts)
        held = [tx.max_priority_fee_per_gas for tx in world.pool.best_first(0)]
        assert held == [price - place for place in range(min(3, price - 9))]


def test_the_sender_with_most_gives_way_when_too_much_is_pending() -> None:
    world = PoolWorld(SMALL)
    for nonce in range(3):
        world.add(SENDER_KEY, nonce=nonce, fee_cap=900, tip=90)
    world.add(OTHER_KEY, fee_cap=1, tip=0)
    assert world.pending(SENDER_KEY) == [0, 1]
    assert world.pending(OTHER_KEY) == [0]


def test_one_more_than_is_safe_gives_way() -> None:
    world = PoolWorld(PoolLimits(account_slots=1, global_slots=2, global_queue=2))
    world.add(SENDER_KEY, nonce=0)
    world.add(SENDER_KEY, nonce=1)
    world.add(OTHER_KEY)
    assert (world.pending(SENDER_KEY), world.pending(OTHER_KEY)) == ([0], [0])


def test_what_is_safe_for_each_sender_stays_though_all_together_are_too_many() -> None:
    world = PoolWorld(SMALL)
    for key in (SENDER_KEY, OTHER_KEY, THIRD_KEY, FOURTH_KEY):
        world.add(key)
    assert world.pool.status().pending == 4
    with pytest.raises(PoolFull, match=r"^txpool is full: pending, limit 3 slots"):
        PoolWorldFiller(world).next_of(SENDER_KEY)


class PoolWorldFiller:
    """Adds the next nonce of a sender at a price that nobody outbids."""

    def __init__(self, world: PoolWorld) -> None:
        self._world = world
        self._prices = count(10_000)

    def next_of(self, key: PrivateKey) -> Transaction:
        nonce = self._world.pool.next_nonce(address_of(key), 0)
        price = next(self._prices)
        return self._world.add(key, nonce=nonce, fee_cap=price, tip=price)


def test_who_has_most_pending_gets_no_more_in_once_it_is_full() -> None:
    world = PoolWorld(PoolLimits(account_slots=1, global_slots=4, global_queue=4))
    filler = PoolWorldFiller(world)
    for _ in range(4):
        filler.next_of(SENDER_KEY)
    with pytest.raises(PoolFull, match="pending, limit 4 slots"):
        filler.next_of(SENDER_KEY)
    assert world.pending(SENDER_KEY) == [0, 1, 2, 3]


def test_one_sender_may_queue_so_many() -> None:
    world = PoolWorld(ROOMY)
    for nonce in (9, 5, 7):
        world.add(nonce=nonce)
    with pytest.raises(AccountLimitExceeded, match=r"^account limit exceeded: queued 3 txs"):
        world.add(nonce=10)
    assert world.queued() == [5, 7, 9]
    world.add(nonce=6)
    assert world.queued() == [5, 6, 7]
    world.add(nonce=7, fee_cap=200, tip=20)
    assert world.queued() == [5, 6, 7]


def test_what_is_pending_of_one_sender_is_not_bounded_by_its_queue() -> None:
    world = PoolWorld()
    for nonce in range(70):
        world.add(nonce=nonce)
    assert len(world.pending()) == 70


def test_a_full_queue_gives_up_the_highest_nonces_of_who_was_silent_for_longest() -> None:
    world = PoolWorld(PoolLimits(global_slots=9, account_queue=3, global_queue=4))
    for key, nonces in ((OTHER_KEY, (2, 4, 3)), (SENDER_KEY, (7,))):
        for nonce in nonces:
            world.add(key, nonce=nonce)
    world.add(THIRD_KEY, nonce=8)
    assert [world.queued(key) for key in (OTHER_KEY, SENDER_KEY, THIRD_KEY)] == [[2, 3], [7], [8]]
    world.add(OTHER_KEY, nonce=0)
    world.add(THIRD_KEY, nonce=9)
    queued = [world.queued(key) for key in (OTHER_KEY, SENDER_KEY, THIRD_KEY)]
    assert queued == [[2, 3], [], [8, 9]]


def test_who_was_silent_for_longest_finds_the_queue_full() -> None:
    world = PoolWorld(PoolLimits(global_slots=9, account_queue=3, global_queue=3))
    for key, nonce in ((SENDER_KEY, 2), (SENDER_KEY, 3), (OTHER_KEY, 5)):
        world.add(key, nonce=nonce)
    with pytest.raises(PoolFull, match=r"^txpool is full: queued, limit 3 slots"):
        world.add(SENDER_KEY, nonce=4)
    assert (world.queued(SENDER_KEY), world.queued(OTHER_KEY)) == ([2, 3], [5])


@pytest.mark.parametrize(
    ("size", "slots"),
    [
        pytest.param(100, 1, id="small"),
        pytest.param(32_500, 1, id="just under a slot"),
        pytest.param(32_900, 2, id="just over"),
        pytest.param(130_000, 4, id="the largest"),
    ],
)
def test_a_transaction_takes_a_slot_for_each_32_kib(size: int, slots: int) -> None:
    assert slots_of(signed(data=bytes(size), gas=2_000_000)) == slots


def test_a_large_newcomer_needs_as_many_slots_of_cheaper_ones() -> None:
    world = PoolWorld(PoolLimits(global_slots=2, global_queue=1))
    for key in (SENDER_KEY, OTHER_KEY):
        world.add(key, fee_cap=50)
    large = {"data": bytes(33_000), "gas": 2_000_000}
    world.add(FOURTH_KEY, fee_cap=60, tip=4, **large)
    assert world.pool.status().pending == 2
    with pytest.raises(Underpriced):
        world.add(FIFTH_KEY, fee_cap=59, tip=4, **large)
    assert world.pool.status().pending == 2
