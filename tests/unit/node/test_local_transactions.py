"""What callers of this node sent waits again after a restart."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvm.evm.transaction import Transaction
from node import local_transactions
from node.local_transactions import LocalTransactions
from node.pool.faults import NonceUsed
from node.storage.transaction_journal import TransactionJournal
from tests.unit.evm.signing import OTHER_KEY, SENDER, SENDER_KEY
from tests.unit.node.pool_world import PoolWorld, signed

COST = 100_000 * 100


class Node:
    """A pool with a journal, which can be started again; its accounts stay."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "transactions.journal"
        self.world = PoolWorld()
        self.start()

    def start(self) -> int:
        """Begin with an empty pool; return how many transactions came back."""
        accounts = self.world.accounts
        self.world = PoolWorld()
        self.world.accounts = accounts
        self.journal = TransactionJournal(self.path)
        self.local = LocalTransactions(self.world.pool, self.journal)
        return self.local.restore(accounts)

    def restart(self) -> int:
        """Go on as after a kill."""
        self.journal.close()
        return self.start()

    def send(self, **fields: int) -> Transaction:
        """Send a transaction of SENDER as a caller does."""
        tx = signed(SENDER_KEY, **fields)
        self.local.add(tx, self.world.accounts)
        return tx


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.journal.close()


def test_nothing_that_was_sent_here_is_lost_by_a_restart(node: Node) -> None:
    sent = [node.send(nonce=nonce) for nonce in (0, 1, 2, 5)]
    assert node.restart() == 4
    assert [node.world.pool.get(tx.hash) for tx in sent] == sent
    assert (node.world.pending(), node.world.queued()) == ([0, 1, 2], [5])
    assert node.restart() == 4


def test_what_came_from_peers_is_not_journaled(node: Node) -> None:
    node.world.add(OTHER_KEY, nonce=0)
    assert node.restart() == 0


def test_what_waited_for_funds_waits_again(node: Node) -> None:
    for nonce in range(3):
        node.send(nonce=nonce)
    node.world.accounts.put(SENDER, balance=COST)
    node.world.settle(SENDER)
    assert node.restart() == 3
    assert (node.world.pending(), node.world.queued()) == ([0], [1, 2])


def test_what_a_block_used_up_is_forgotten_and_leaves_the_journal(node: Node) -> None:
    for nonce in range(3):
        node.send(nonce=nonce)
    node.world.accounts.put(SENDER, nonce=2)
    assert node.restart() == 1
    assert node.world.pending() == [2]
    assert node.journal.load() == (signed(SENDER_KEY, nonce=2).raw,)


def test_a_replacement_stays_in_the_place_of_what_it_replaced(node: Node) -> None:
    node.send(nonce=0)
    better = node.send(nonce=0, fee_cap=200, tip=20)
    assert node.restart() == 1
    assert list(node.world.pool.best_first(0)) == [better]
    assert node.journal.load() == (better.raw,)


def test_a_torn_record_costs_itself_alone(node: Node) -> None:
    for nonce in range(3):
        node.send(nonce=nonce)
    node.path.write_bytes(node.path.read_bytes()[:-5])
    assert node.restart() == 2
    node.send(nonce=2)
    assert node.restart() == 3


def test_a_record_that_is_no_transaction_is_passed_over(node: Node) -> None:
    node.journal.append(b"\x02nonsense")
    node.send(nonce=0)
    assert node.restart() == 1


def test_what_the_pool_refuses_is_not_journaled(node: Node) -> None:
    node.world.accounts.put(SENDER, nonce=1)
    with pytest.raises(NonceUsed):
        node.send(nonce=0)
    assert node.journal.size_bytes == 0


def test_the_journal_is_written_anew_when_it_has_doubled(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_transactions, "COMPACT_BYTES", 1_000)
    node.restart()
    price, sizes = 100, []
    for _ in range(40):
        price = price * 110 // 100 + 1
        node.send(nonce=0, fee_cap=price, tip=price)
        sizes.append(node.journal.size_bytes)
    assert max(sizes) <= 1_000
    assert sizes != sorted(sizes)
    assert node.restart() == 1
    assert [tx.max_fee_per_gas for tx in node.world.pool.best_first(0)] == [price]


def test_a_transaction_waits_though_the_journal_cannot_be_written(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        node.send(nonce=0)
    node.send(nonce=1)
    assert node.world.pending() == [0, 1]
    assert node.restart() == 1


def test_without_a_journal_nothing_is_restored() -> None:
    world = PoolWorld()
    local = LocalTransactions(world.pool)
    local.add(signed(nonce=0), world.accounts)
    assert local.restore(world.accounts) == 0
    assert world.pending() == [0]
