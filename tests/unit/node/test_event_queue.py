"""What waits for consensus: each peer has its share, and cannot take that of another."""

import asyncio

import pytest

from consensus.certificate import CommitCertificate
from consensus.qbft.events import Received, Timer, TimerFired, TimerKind
from consensus.qbft.messages import Message, Prepare, PreparePayload, Proposal, ProposalPayload
from node.event_queue import MAX_BYTES_OF_PEER, MAX_EVENTS_OF_PEER, EventQueue

LARGE_BYTES = 1 << 20
TIMER = TimerFired(0, Timer(TimerKind.ROUND, 1, 0))


def vote(number: int) -> Prepare:
    return Prepare(PreparePayload(1, number, bytes(32)), bytes(65))


def large(number: int) -> Proposal:
    block = b"\xfa\x10\x00\x00" + number.to_bytes(4, "big") + bytes(LARGE_BYTES - 4)
    return Proposal(ProposalPayload(1, 0, block), bytes(65), (), ())


def with_votes(number: int) -> Proposal:
    block = b"\xc1" + bytes((number,))
    return Proposal(ProposalPayload(1, 0, block), bytes(65), (), (vote(0),) * 1024)


def from_peer(
    sender: bytes, message: Message, certificate: CommitCertificate | None = None
) -> Received:
    return Received(0, message, certificate, sender)


def many_seals(seals: int) -> CommitCertificate:
    return CommitCertificate(1, 0, bytes(32), 1, (bytes(65),) * seals)


def test_events_come_out_in_the_order_in_which_they_came() -> None:
    async def scenario() -> None:
        queue = EventQueue()
        first, second = from_peer(b"a", vote(0)), from_peer(b"b", vote(1))
        queue.offer(first)
        queue.put(TIMER)
        queue.offer(second)
        assert [await queue.get() for _ in range(3)] == [first, TIMER, second]
        assert len(queue) == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("message", "certificate", "kept"),
    [
        pytest.param(vote, None, MAX_EVENTS_OF_PEER, id="votes: by their number"),
        pytest.param(large, None, MAX_BYTES_OF_PEER // LARGE_BYTES, id="blocks: by their bytes"),
        pytest.param(with_votes, None, 4, id="listed votes count as what they hold in memory"),
        pytest.param(vote, many_seals(20_000), 1, id="seals of a certificate count too"),
    ],
)
def test_a_peer_can_have_so_much_wait_and_no_more(
    message: object, certificate: CommitCertificate | None, kept: int
) -> None:
    async def scenario() -> None:
        assert callable(message)
        queue = EventQueue()
        offered = [
            queue.offer(from_peer(b"a", message(number), certificate))
            for number in range(kept + 10)
        ]
        assert sum(offered) == len(queue) == kept
        assert queue.offer(from_peer(b"b", vote(0)))
        for _ in range(kept + 1):
            await queue.get()
        assert queue.offer(from_peer(b"a", message(0), certificate))

    asyncio.run(scenario())
