"""Servers of the network on loopback, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from coincurve import PrivateKey

from node.p2p.enode import Enode
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.protocol import Handler
from node.p2p.secure_stream import Timeouts
from node.p2p.server import P2pServer

QUICK = Timeouts(connect_s=2, handshake_s=2, frame_s=5, room_s=2, ping_s=1)


def key_of(number: int) -> PrivateKey:
    """Return the key of a numbered test node."""
    return PrivateKey(number.to_bytes(32, "big"))


def quick_config(
    *static: Enode, max_peers: int = 50, timeouts: Timeouts = QUICK, limit_loopback: bool = False
) -> P2pConfig:
    """Return settings for loopback: any free port, short waits."""
    return P2pConfig(
        host="127.0.0.1",
        port=0,
        static_peers=static,
        max_peers=max_peers,
        limit_loopback=limit_loopback,
        dial_back_s=0.2,
        timeouts=timeouts,
    )


@asynccontextmanager
async def serving(
    number: int, *handlers: Handler, config: P2pConfig | None = None, book: PeerBook | None = None
) -> AsyncIterator[P2pServer]:
    """Run a server until the block ends."""
    server = P2pServer(
        key_of(number), handlers, PeerBook(None) if book is None else book, config or quick_config()
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.run())
        await server.listening.wait()
        yield server
        running.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """Return when something has happened that no event tells of; give up after ten seconds."""
    async with asyncio.timeout(10):
        for _ in iter(holds, True):
            await asyncio.sleep(0)  # let the loop see to its sockets
