"""Brings an empty data directory to a recent block before the node starts on it."""

import asyncio

import structlog

from consensus.light_client import TrustedPointTooOld
from cvm.evm.header import BlockHeader
from node.checkpoint import CheckpointRefused
from node.clock import now_s
from node.config import NodeConfig
from node.node_network import ChainForks
from node.p2p.eth_database_view import view_of_chain
from node.p2p.light_follow import WrongNumber
from node.p2p.p2p_config import P2pConfig
from node.peering import Peering, open_peering
from node.snapshot_node import SnapshotNode
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.storage.snapshot_store import SnapshotStore

log = structlog.get_logger(__name__)


async def fetch_snapshot(config: NodeConfig, p2p: P2pConfig, stop: asyncio.Event) -> None:
    """Fetch a state where there are no blocks yet; what `stop` interrupts goes on next time.

    Peers are found as the node itself finds them. Raises `CheckpointRefused` or a `LocalFault`.
    """
    database = ChainDatabase(config.chain_folder)
    try:
        head = database.header(database.head_hash() or b"")
        if head is None or (head.block_number and SnapshotStore(database).pivot is None):
            return
        view = view_of_chain(database)
        forks = ChainForks(view.identity.forks)
        models = ModelStore(config.models_folder)
        node = SnapshotNode(database, models, forks, config.checkpoint, now_s)
        try:
            peering = open_peering(config, p2p, (node.protocol,), view)
            await unless_stopped(node, peering, stop)
        finally:
            node.close()
    finally:
        database.close()


async def unless_stopped(node: SnapshotNode, peering: Peering, stop: asyncio.Event) -> None:
    """Run a fetch to its end, or until told to stop."""
    fetching = asyncio.create_task(node.run(peering))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((fetching, stopping), return_when=asyncio.FIRST_COMPLETED)
        if fetching.done():
            header = result_of(fetching)
            log.info("state fetched", height=header.block_number, hash=f"0x{header.hash.hex()}")
    finally:
        fetching.cancel()
        stopping.cancel()
        await asyncio.gather(fetching, stopping, return_exceptions=True)


def result_of(fetching: asyncio.Task[BlockHeader]) -> BlockHeader:
    """Return what was fetched; a wrong checkpoint is the operator's to repair."""
    try:
        return fetching.result()
    except (TrustedPointTooOld, WrongNumber) as fault:
        raise CheckpointRefused(str(fault)) from fault
