"""Two capabilities that talk to each other in memory: real channels, no sockets.

Messages are encoded and decoded, so that what a test sends is what a wire would carry.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from node.p2p.channel import PeerChannel
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.protocol import Channel, Handler
from node.p2p.session import BAD_MESSAGE_POINTS

PIPE_MESSAGES = 1024
LEFT_ID = b"\x01" * 64
RIGHT_ID = b"\x02" * 64


@dataclass
class PipePeer:
    """The other end of a pipe, and what was said about it."""

    node_id: bytes
    inbound: bool
    host: str = "127.0.0.1"
    port: int = 30303
    client: str = "pipe"
    penalties: list[tuple[int, str]] = field(default_factory=list)
    disconnected: DisconnectReason | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def penalise(self, points: int, reason: str) -> None:
        self.penalties.append((points, reason))

    def disconnect(self, reason: DisconnectReason) -> None:
        if self.disconnected is None:
            self.disconnected = reason
        self.ended.set()


class PipeLink:
    """One direction of a pipe."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(PIPE_MESSAGES)
        self.is_open = True

    async def send(self, code: int, payload: bytes) -> None:
        if not self.is_open:
            raise PeerGone(DisconnectReason.REQUESTED, "the pipe is closed")
        async with asyncio.timeout(10):
            await self.queue.put((code, payload))

    def try_send(self, code: int, payload: bytes) -> bool:
        if not self.is_open or self.queue.full():
            return False
        self.queue.put_nowait((code, payload))
        return True


@dataclass
class Pipe:
    """Both ends: each channel, and the peer that it sees."""

    left: Channel
    right: Channel
    left_peer: PipePeer
    """Who the left handler sees: the right one."""
    right_peer: PipePeer


async def _carry(link: PipeLink, target: PeerChannel, sender: PipePeer) -> None:
    """Take what one end sends to the other; bytes that break a rule end the pipe."""
    while True:
        code, payload = await link.queue.get()
        try:
            if target.is_wanted(code):
                await target.deliver(code, payload)
        except BadMessage as fault:
            sender.penalise(BAD_MESSAGE_POINTS, str(fault))
            sender.disconnect(DisconnectReason.BREACH_OF_PROTOCOL)


@asynccontextmanager
async def channel_pipe(left: Handler, right: Handler) -> AsyncIterator[Pipe]:
    """Give two connected channels, each driven by the test; no handler runs."""
    there, back = PipeLink(), PipeLink()
    left_peer = PipePeer(RIGHT_ID, inbound=False)
    right_peer = PipePeer(LEFT_ID, inbound=True)
    left_channel = PeerChannel(left, left_peer, there)
    right_channel = PeerChannel(right, right_peer, back)

    async def close_when_ended(peer: PipePeer) -> None:
        await peer.ended.wait()
        there.is_open = back.is_open = False
        end = PeerGone(peer.disconnected or DisconnectReason.REQUESTED)
        left_channel.close(end)
        right_channel.close(end)

    async with asyncio.TaskGroup() as tasks:
        carriers = [
            tasks.create_task(_carry(there, right_channel, right_peer)),
            tasks.create_task(_carry(back, left_channel, left_peer)),
            tasks.create_task(close_when_ended(left_peer)),
            tasks.create_task(close_when_ended(right_peer)),
        ]
        yield Pipe(left_channel, right_channel, left_peer, right_peer)
        for task in carriers:
            task.cancel()


@asynccontextmanager
async def handler_pipe(left: Handler, right: Handler) -> AsyncIterator[Pipe]:
    """Run two handlers against each other until the test leaves the block or both have ended."""

    async def run(handler: Handler, channel: Channel, peer: PipePeer) -> None:
        try:
            await handler.run(channel)
        except PeerGone:
            pass
        except BadMessage as fault:
            peer.penalise(BAD_MESSAGE_POINTS, str(fault))
        peer.disconnect(DisconnectReason.REQUESTED)

    async with channel_pipe(left, right) as pipe, asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(run(left, pipe.left, pipe.left_peer)),
            tasks.create_task(run(right, pipe.right, pipe.right_peer)),
        ]
        yield pipe
        for task in running:
            task.cancel()
