"""`cvm node --snapshot`, whole: fetch a state, open the chain on it, catch up with the peers."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from coincurve import PrivateKey

from consensus.block_execution import CheckedBlock
from consensus.certificate import CommitCertificate
from node.chain import Chain
from node.checkpoint import Checkpoint, CheckpointRefused
from node.config import NodeConfig
from node.node_network import ChainForks
from node.p2p.cvm_protocol import CvmProtocol
from node.p2p.discv5.chain_entries import ChainIdentity, candidate_of
from node.p2p.discv5.config import DiscoveryConfig
from node.p2p.discv5.discovery import Discovery
from node.p2p.enode import parse_enode
from node.p2p.eth_database_view import view_of_chain
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.server import P2pServer
from node.p2p.snapshot_sync import PIVOT_LAG_BLOCKS
from node.rpc.rpc_config import HttpConfig
from node.rpc.server import RpcServer
from node.service import open_node, run_node
from node.snapshot_start import fetch_snapshot
from tests.chain_world import CHAIN_ID
from tests.unit.node.p2p.epoch_world import EpochWorld, changing_world, epoch_genesis
from tests.unit.node.p2p.snapshot_world import empty_store
from tests.unit.node.p2p.sync_world import source_of
from tests.unit.node.p2p.test_cvm_protocol import Heard

HEIGHT = 60
LOOPBACK = P2pConfig(host="127.0.0.1", port=0)
SERVER_KEY = b"\x01" * 32  # TEST key
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EpochWorld]:
    made = changing_world(tmp_path_factory.mktemp("epochs"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


def server_of(world: EpochWorld, threads: ThreadPoolExecutor) -> P2pServer:
    handler = CvmProtocol(
        source_of(world),
        CHAIN_ID,
        world.chain.domain.genesis_hash,
        ChainForks(view_of_chain(world.database).identity.forks),
        Heard(),
        threads,
    )
    return P2pServer(PrivateKey(SERVER_KEY), (handler,), PeerBook(None), LOOPBACK)


def config_of(folder: Path, server: P2pServer, checkpoint: Checkpoint | None) -> NodeConfig:
    return NodeConfig(
        datadir=folder,
        http=HttpConfig(port=0),
        backend="reference",
        validator_key=None,
        instant=False,
        idle_blocks=True,
        p2p=P2pConfig(host="127.0.0.1", port=0, static_peers=(parse_enode(server.enode),)),
        fetches_state=True,
        checkpoint=checkpoint,
    )


def run(world: EpochWorld, folder: Path, checkpoint: Checkpoint | None) -> list[int]:
    """Run a node until it stands where its peer does; return the height at which it opened."""
    opened: list[int] = []

    def stop_at_the_tip(checked: CheckedBlock, _certificate: CommitCertificate) -> None:
        if checked.block.number == HEIGHT:
            os.kill(os.getpid(), signal.SIGTERM)

    def ready(chain: Chain, _server: RpcServer | None) -> None:
        opened.append(chain.head.block_number)
        chain.on_append(stop_at_the_tip)

    async def scenario(threads: ThreadPoolExecutor) -> None:
        server = server_of(world, threads)
        serving = asyncio.create_task(server.run())
        await server.listening.wait()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await run_node(config_of(folder, server, checkpoint), ready)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(scenario(threads))
    return opened


@pytest.mark.network
def test_a_node_opens_near_the_tip_and_catches_up(world: EpochWorld, tmp_path: Path) -> None:
    database, _store = empty_store(tmp_path, epoch_genesis())
    database.close()
    checkpoint = Checkpoint(world.database.hash_at(6) or b"", 6)
    assert run(world, tmp_path, checkpoint) == [HEIGHT - PIVOT_LAG_BLOCKS]
    with open_node(config_of(tmp_path, server_of_nobody(), None)) as node:
        assert node.chain.head == world.chain.head


def discovery_of(world: EpochWorld, server: P2pServer) -> Discovery:
    """Return a service that tells who asks where a server listens."""
    view = view_of_chain(world.database)
    fork = view.identity.fork_id(view.head)
    chain = ChainIdentity(view.identity.genesis_hash, fork.hash, fork.next)
    port = parse_enode(server.enode).port
    config = DiscoveryConfig(chain, bind_host="127.0.0.1", udp_port=0, tcp_port=port)
    return Discovery(SERVER_KEY, config, lambda _candidate: None)


@pytest.mark.network
@pytest.mark.parametrize("form", ["enr", "enode"])
def test_a_state_comes_from_a_peer_that_a_bootnode_leads_to(
    world: EpochWorld, tmp_path: Path, form: str
) -> None:
    database, _store = empty_store(tmp_path, epoch_genesis())
    database.close()

    async def scenario(threads: ThreadPoolExecutor) -> None:
        server = server_of(world, threads)
        running = [asyncio.create_task(server.run())]
        await server.listening.wait()
        discovery = discovery_of(world, server)
        running.append(asyncio.create_task(discovery.run()))
        await discovery.started.wait()
        candidate = candidate_of(discovery.record)
        assert candidate is not None
        bootnode = discovery.record.text() if form == "enr" else str(candidate.enode)
        config = replace(
            config_of(tmp_path, server, None), p2p=LOOPBACK, bootnodes=(bootnode,), discovers=True
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await fetch_snapshot(config, LOOPBACK, asyncio.Event())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(scenario(threads))
    with open_node(config_of(tmp_path, server_of_nobody(), None)) as node:
        assert node.chain.head.block_number == HEIGHT - PIVOT_LAG_BLOCKS


@pytest.mark.network
def test_a_checkpoint_of_another_height_stops_the_node(world: EpochWorld, tmp_path: Path) -> None:
    database, _store = empty_store(tmp_path, epoch_genesis())
    database.close()
    with pytest.raises(CheckpointRefused, match="says block 7, its hash is that of block 6"):
        run(world, tmp_path, Checkpoint(world.database.hash_at(6) or b"", 7))


def server_of_nobody() -> P2pServer:
    config = P2pConfig(host="127.0.0.1", port=1)
    return P2pServer(PrivateKey(b"\x02" * 32), (), PeerBook(None), config)
