"""A connection that breaks after any byte leaves no task, no socket and no peer behind."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import uvloop

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.enode import Enode, parse_enode
from node.p2p.faults import PeerGone
from node.p2p.peer_book import PeerBook
from node.p2p.secure_stream import Timeouts
from node.p2p.server import P2pServer
from tests.p2p_cuts import Cut, open_files, relay
from tests.p2p_servers import quick_config, serving, until
from tests.unit.node.p2p.echo import Echo

pytestmark = pytest.mark.network
LONGEST_OPENING_BYTES = 1200
"""Handshake packet (up to 600 bytes) and Hello of either side, and a message or two."""
CHATTY = Timeouts(ping_s=0.01)
LoopFactory = Callable[[], asyncio.AbstractEventLoop]
HASTY = Timeouts(connect_s=1, handshake_s=0.2, frame_s=0.3, room_s=0.2, ping_s=0.05)


class Forgetful(PeerBook):
    """Remembers nobody to dial again, so that each connection is one that the test made."""

    def candidates(self) -> Iterator[Enode]:
        return iter(())


async def break_at(cut: Cut, left: P2pServer, right: P2pServer) -> PeerGone:
    """Dial through a relay that breaks the connection; return how it ended for the dialler."""
    there = parse_enode(right.enode)
    async with relay(there.host, there.port, cut) as port:
        try:
            peer = await left.connect(str(Enode(there.node_id, there.host, port)))
        except PeerGone as gone:
            end = gone
        else:
            await until(lambda: peer.end is not None)
            assert peer.end is not None
            end = peer.end
        await until(lambda: left.peers() == right.peers() == ())
    return end


async def break_all(cuts: list[Cut], timeouts: Timeouts) -> set[DisconnectReason]:
    """Break connections between two servers; return the reasons, and see that nothing is left."""
    reasons: set[DisconnectReason] = set()
    config = quick_config(timeouts=timeouts)
    async with (
        serving(1, Echo(), config=config, book=Forgetful(None)) as left,
        serving(2, Echo(), config=config, book=Forgetful(None)) as right,
    ):
        idle_files, idle_tasks = open_files(), len(asyncio.all_tasks())
        for cut in cuts:
            reasons.add((await break_at(cut, left, right)).reason)
        await until(lambda: len(asyncio.all_tasks()) == idle_tasks)
        await until(lambda: open_files() == idle_files)
    return reasons


def run(
    cuts: list[Cut], timeouts: Timeouts, loop_factory: LoopFactory = asyncio.new_event_loop
) -> set[DisconnectReason]:
    async def bounded() -> set[DisconnectReason]:
        async with asyncio.timeout(300):
            return await break_all(cuts, timeouts)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(bounded())


@pytest.mark.parametrize("of_dialler", [True, False], ids=["of the dialler", "of the other"])
def test_a_cut_after_some_bytes_leaves_nothing(of_dialler: bool) -> None:
    cuts = [Cut(of_dialler, after) for after in range(0, LONGEST_OPENING_BYTES, 29)]
    assert run(cuts, CHATTY) == {DisconnectReason.NETWORK_ERROR}


@pytest.mark.parametrize("of_dialler", [True, False], ids=["of the dialler", "of the other"])
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_reset_after_some_bytes_leaves_nothing(
    loop_factory: LoopFactory, of_dialler: bool
) -> None:
    cuts = [Cut(of_dialler, after, resets=True) for after in range(0, LONGEST_OPENING_BYTES, 29)]
    assert run(cuts, CHATTY, loop_factory) == {DisconnectReason.NETWORK_ERROR}


@pytest.mark.slow
@pytest.mark.parametrize("of_dialler", [True, False], ids=["of the dialler", "of the other"])
def test_a_cut_after_every_byte_leaves_nothing(of_dialler: bool) -> None:
    cuts = [Cut(of_dialler, after) for after in range(LONGEST_OPENING_BYTES)]
    assert run(cuts, CHATTY) == {DisconnectReason.NETWORK_ERROR}


@pytest.mark.parametrize("of_dialler", [True, False], ids=["of the dialler", "of the other"])
def test_silence_after_some_bytes_leaves_nothing(of_dialler: bool) -> None:
    cuts = [Cut(of_dialler, after, silent=True) for after in (0, 1, 2, 100, 650, 900, 1100)]
    reasons = run(cuts, HASTY)
    assert DisconnectReason.TIMED_OUT in reasons
    assert reasons <= {DisconnectReason.TIMED_OUT, DisconnectReason.NETWORK_ERROR}  # who is first
