"""The peers of a plain Ethereum chain: what serves it to them, and what brings it up to them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey

from node.config import NODE_KEY_FILE
from node.ethereum_archive import EthereumImport
from node.ethereum_sync import Progress, head_of, import_download
from node.keys import load_node_key
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.enode import Enode
from node.p2p.eth_database_view import view_of_chain
from node.p2p.eth_download import EthDownload, NobodyToAsk
from node.p2p.eth_handler import EthService
from node.p2p.faults import PeerGone
from node.p2p.first_fault import first_fault
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.server import P2pServer
from node.sender_recovery import SenderRecovery
from node.stopping import stop_on_signals
from node.storage.chain_database import ChainDatabase

BOOK_FILE = "peers.json"


@dataclass(frozen=True, slots=True)
class EthereumPeers:
    """Where the chain of a data directory meets others: its key and book lie there too."""

    datadir: Path
    host: str
    port: int
    peers: tuple[Enode, ...]
    client: str


def open_network(place: EthereumPeers, service: EthService) -> P2pServer:
    """Return the network of a chain; raises `BadNodeKey`."""
    key = PrivateKey(load_node_key(place.datadir / NODE_KEY_FILE))
    config = P2pConfig(host=place.host, port=place.port, client=place.client)
    return P2pServer(key, service.handlers(), PeerBook(place.datadir / BOOK_FILE), config)


async def serve_ethereum(
    database: ChainDatabase, place: EthereumPeers, on_ready: Callable[[str], None]
) -> None:
    """Give the blocks of a chain to whoever asks, until SIGINT or SIGTERM.

    `on_ready` is told the enode URL once there is an answer. Raises `CannotListen`.
    """
    server = open_network(place, EthService(view_of_chain(database)))
    stop = stop_on_signals()
    with first_fault():
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(server.run())
            waiting = tasks.create_task(stop.wait())
            await ready(server, running)
            keep_sessions(server, place.peers)
            on_ready(server.enode)
            await waiting
            running.cancel()


async def sync_ethereum(
    database: ChainDatabase, place: EthereumPeers, progress: Progress
) -> EthereumImport:
    """Bring a chain to the highest head of the peers; SIGINT or SIGTERM end it early.

    Raises `NobodyToAsk`, what `import_ethereum_blocks` raises, or `CannotListen`.
    """
    download = EthDownload(head_of(database), expected=len(place.peers))
    server = open_network(place, EthService(view_of_chain(database), watcher=download))
    stop = stop_on_signals()

    async def end_early() -> None:
        await stop.wait()
        await download.end()

    recovery = SenderRecovery()
    try:
        with first_fault():
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(server.run())
                await ready(server, running)
                await dial(server, place.peers, head_of(database).block_number + 1)
                duties = [running, tasks.create_task(end_early())]
                tasks.create_task(download.run())
                done = await import_download(database, download, recovery, progress)
                for duty in duties:
                    duty.cancel()
                return done
    finally:
        recovery.close()


async def ready(server: P2pServer, running: asyncio.Task[None]) -> None:
    """Wait until a server listens, or has failed to: its task raises that."""
    listening = asyncio.ensure_future(server.listening.wait())
    await asyncio.wait((listening, running), return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if running.done():
        await running


async def dial(server: P2pServer, peers: Sequence[Enode], number: int) -> None:
    """Open sessions, and keep them; raises `NobodyToAsk` with the reasons where none opens."""
    outcomes: list[object] = await asyncio.gather(
        *(server.connect(str(enode)) for enode in peers), return_exceptions=True
    )
    reasons = [
        f"{enode.host}:{enode.port}: {outcome}"
        for enode, outcome in zip(peers, outcomes, strict=True)
        if isinstance(outcome, PeerGone)
        and outcome.reason is not DisconnectReason.ALREADY_CONNECTED  # the book had it too
    ]
    if len(reasons) == len(peers):
        raise NobodyToAsk(number, reasons)
    keep_sessions(server, peers)


def keep_sessions(server: P2pServer, peers: Sequence[Enode]) -> None:
    """Dial these peers again whenever they are gone."""
    for enode in peers:
        server.add_static(str(enode))
