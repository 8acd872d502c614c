"""What the pool does for one transaction does not grow with the pool: calls are counted."""

import sys
from collections.abc import Callable, Sequence
from types import FrameType

import pytest

from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.pool.limits import PoolLimits
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import RECIPIENT
from tests.unit.node.pool_world import PoolWorld


def transfers(senders: int, each: int, price: int = 1_000) -> list[Transaction]:
    return [
        UnsignedTransaction(
            chain_id=CHAIN_ID,
            nonce=nonce,
            max_fee_per_gas=price + sender,
            max_priority_fee_per_gas=price + sender,
            to=RECIPIENT,
        ).sign((1_000 + sender).to_bytes(32, "big"))
        for sender in range(senders)
        for nonce in range(each)
    ]


def calls_of(work: Callable[[], None]) -> int:
    """Count the calls of Python functions and of built-in ones."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def fill(world: PoolWorld, transactions: Sequence[Transaction]) -> None:
    for tx in transactions:
        world.pool.add(tx, world.accounts)


@pytest.mark.parametrize(
    ("made", "limits"),
    [
        pytest.param(lambda count: transfers(count, 1), PoolLimits(), id="many senders"),
        pytest.param(lambda count: transfers(1, count), PoolLimits(), id="one sender"),
        pytest.param(
            lambda count: transfers(count // 10, 10)[::-1], PoolLimits(), id="from the last nonce"
        ),
        pytest.param(
            lambda count: transfers(count, 1),
            PoolLimits(global_slots=50, global_queue=0),
            id="better ones into a full pool",
        ),
        pytest.param(
            lambda count: [tx for tx in transfers(count, 2) if tx.nonce == 1],
            PoolLimits(global_slots=1_000, global_queue=50),
            id="gaps into a full queue",
        ),
    ],
)
def test_twice_as_many_transactions_cost_twice_as_much(
    made: Callable[[int], list[Transaction]], limits: PoolLimits
) -> None:
    costs = []
    for count in (200, 400):
        world, transactions = PoolWorld(limits), made(count)
        costs.append(calls_of(lambda w=world, t=transactions: fill(w, t)))  # type: ignore[misc]
    assert costs[1] < 2.2 * costs[0]


def test_a_new_head_costs_what_its_block_touched() -> None:
    costs = {}
    for count in (100, 800):
        world, transactions = PoolWorld(), transfers(count, 1)
        fill(world, transactions)
        for touched in (0, 20):
            changed = [tx.sender for tx in transactions[:touched]]
            costs[count, touched] = calls_of(lambda w=world, c=changed: w.settle(*c))  # type: ignore[misc]
    assert costs[100, 0] == costs[800, 0]
    assert costs[100, 20] == costs[800, 20]
    assert costs[100, 20] > costs[100, 0]
