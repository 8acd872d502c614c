"""Transactions between nodes: who gets what, what is fetched, and what costs a peer points."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from math import isqrt

import pytest

from cvm.evm.faults import InvalidSignature
from cvm.evm.transaction import Transaction
from node.p2p.channel import PeerChannel
from node.p2p.eth_gossip import TransactionGossip, expect_as_announced
from node.p2p.eth_handler import EthHandler, EthService
from node.p2p.eth_peer import EthPeer, RecentHashes, announcement
from node.p2p.eth_transaction_messages import NewPooledTransactionHashes
from node.p2p.faults import BadMessage
from tests.p2p_pipe import PipeLink, PipePeer, handler_pipe
from tests.unit.node.p2p.eth_world import (
    MemoryChain,
    MemoryPool,
    Refused,
    made_blocks,
    transaction,
)

CHAIN = MemoryChain(made_blocks(1))
FIRST, SECOND = transaction(1), transaction(2)
LARGE = transaction(3, b"\1" * 5_000)
BLOB = replace(FIRST, type_id=3, hash=b"\x0b" * 32)


def run(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


def service_of(pool: MemoryPool) -> EthService:
    return EthService(CHAIN, TransactionGossip(pool))


def joined(gossip: TransactionGossip, count: int) -> list[tuple[EthPeer, PipeLink, PipePeer]]:
    """Join peers whose sessions end in memory."""
    handler = EthHandler(EthService(CHAIN), 68)
    made = []
    for number in range(count):
        link, remote = PipeLink(), PipePeer(bytes([number]) * 64, inbound=True)
        peer = EthPeer(PeerChannel(handler, remote, link), b"\1" * 32)
        gossip.join(peer)
        made.append((peer, link, remote))
    return made


async def codes_sent(made: list[tuple[EthPeer, PipeLink, PipePeer]]) -> list[list[int]]:
    """Return the codes of the messages that each peer was sent."""
    senders = [asyncio.ensure_future(peer.send_transactions()) for peer, _link, _remote in made]
    for _turn in range(20):
        await asyncio.sleep(0)
    for sender in senders:
        sender.cancel()
    return [
        [link.queue.get_nowait()[0] for _ in range(link.queue.qsize())]
        for _peer, link, _remote in made
    ]


@pytest.mark.parametrize(
    ("tx", "peers", "whole", "announced"),
    [
        pytest.param(FIRST, 9, isqrt(9), 6, id="small"),
        pytest.param(FIRST, 1, 1, 0, id="one-peer"),
        pytest.param(LARGE, 9, 0, 9, id="larger-than-4-KiB"),
        pytest.param(BLOB, 9, 0, 0, id="blobs-are-not-carried"),
    ],
)
def test_the_root_of_the_peers_get_it_whole_and_the_others_its_hash(
    tx: Transaction, peers: int, whole: int, announced: int
) -> None:
    async def scene() -> None:
        gossip = TransactionGossip(MemoryPool())
        made = joined(gossip, peers)
        gossip.announce(tx)
        gossip.announce(tx)
        sent = await codes_sent(made)
        assert (sent.count([0x02]), sent.count([0x08])) == (whole, announced)
        assert sent.count([]) == peers - whole - announced

    run(scene)


def test_who_sent_a_transaction_is_not_told_of_it() -> None:
    async def scene() -> None:
        gossip = TransactionGossip(MemoryPool())
        made = joined(gossip, 3)
        await gossip.take(made[0][0], [FIRST])
        sent = await codes_sent(made)
        assert sent[0] == []
        assert sorted(sent[1:]) == [[0x02], [0x08]]

    run(scene)


def test_what_is_queued_goes_on_when_it_becomes_pending() -> None:
    async def scene() -> None:
        pool = MemoryPool(queued={SECOND.hash})
        gossip = TransactionGossip(pool)
        made = joined(gossip, 3)
        await gossip.take(made[0][0], [SECOND])
        assert await codes_sent(made) == [[], [], []]
        assert gossip.pooled([SECOND.hash]) == (SECOND,)
        pool.promote(SECOND)
        sent = await codes_sent(made)
        assert sent[0] == []
        assert sorted(sent[1:]) == [[0x02], [0x08]]

    run(scene)


def test_a_new_peer_hears_of_what_is_pending() -> None:
    async def scene() -> None:
        pool = MemoryPool({FIRST.hash: FIRST, SECOND.hash: SECOND}, queued={SECOND.hash})
        [(peer, link, remote)] = joined(TransactionGossip(pool), 1)
        assert await codes_sent([(peer, link, remote)]) == [[0x08]]
        assert (FIRST.hash in peer.known, SECOND.hash in peer.known) == (True, False)

    run(scene)


def test_transactions_travel_from_pool_to_pool_and_on() -> None:
    async def scene() -> None:
        here, there = MemoryPool({FIRST.hash: FIRST, LARGE.hash: LARGE}), MemoryPool()
        left, right = service_of(here), service_of(there)
        async with handler_pipe(EthHandler(left, 68), EthHandler(right, 68)) as pipe:
            await there.holds(2)
            await right.gossip.take(right.peers()[0], [])
            here.waiting[SECOND.hash] = SECOND
            left.gossip.announce(SECOND)
            await there.holds(3)
            assert there.waiting == here.waiting
            assert pipe.left_peer.penalties == pipe.right_peer.penalties == []

    run(scene)


def test_nothing_is_taken_while_the_pool_is_closed() -> None:
    async def scene() -> None:
        pool = MemoryPool(is_open=False)
        gossip = TransactionGossip(pool)
        peer = joined(gossip, 1)[0][0]
        gossip.note(peer, announcement([SECOND]))
        await gossip.take(peer, [FIRST])
        assert (pool.waiting, len(peer.wanted)) == ({}, 0)

    run(scene)


@pytest.mark.parametrize(
    ("fault", "penalties"),
    [
        pytest.param(InvalidSignature("of nobody"), 1, id="never-valid"),
        pytest.param(Refused(), 0, id="refused-by-this-pool"),
    ],
)
def test_only_what_no_state_allows_costs_points(fault: Refused, penalties: int) -> None:
    async def scene() -> None:
        pool = MemoryPool(refused={FIRST.hash: fault})
        gossip = TransactionGossip(pool)
        [(peer, _link, remote)] = joined(gossip, 1)
        await gossip.take(peer, [FIRST, FIRST])
        assert len(remote.penalties) == penalties

    run(scene)


def test_a_blob_transaction_that_comes_whole_is_a_breach() -> None:
    async def scene() -> None:
        gossip = TransactionGossip(MemoryPool())
        with pytest.raises(BadMessage, match="blob transaction may only be announced"):
            await gossip.take(joined(gossip, 1)[0][0], [BLOB])

    run(scene)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        pytest.param(announcement([FIRST, SECOND]), 2, id="new"),
        pytest.param(announcement([BLOB]), 0, id="blob"),
        pytest.param(
            NewPooledTransactionHashes(b"\2", (131_073,), (FIRST.hash,)), 0, id="too-large"
        ),
    ],
)
def test_only_announcements_worth_having_are_wanted(
    message: NewPooledTransactionHashes, wanted: int
) -> None:
    async def scene() -> None:
        gossip = TransactionGossip(MemoryPool())
        peer = joined(gossip, 1)[0][0]
        gossip.note(peer, message)
        assert len(peer.wanted) == wanted

    run(scene)


def test_a_type_that_does_not_exist_is_a_breach() -> None:
    async def scene() -> None:
        gossip = TransactionGossip(MemoryPool())
        message = NewPooledTransactionHashes(b"\5", (100,), (FIRST.hash,))
        with pytest.raises(BadMessage, match="type 5"):
            gossip.note(joined(gossip, 1)[0][0], message)

    run(scene)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param({}, "was not asked for", id="not-asked"),
        pytest.param({FIRST.hash: (1, len(FIRST.raw))}, "has type 2 and", id="another-type"),
        pytest.param({FIRST.hash: (2, 9)}, "with type 2 and 9 bytes", id="another-size"),
    ],
)
def test_what_is_fetched_must_be_what_was_announced(
    asked: dict[bytes, tuple[int, int]], words: str
) -> None:
    with pytest.raises(BadMessage, match=words):
        expect_as_announced(FIRST, asked)


def test_recent_hashes_forget_the_oldest() -> None:
    recent = RecentHashes(2)
    for item in (b"a", b"b", b"a", b"c"):
        recent.add(item)
    assert [item in recent for item in (b"a", b"b", b"c")] == [True, False, True]
    assert len(recent) == 2
