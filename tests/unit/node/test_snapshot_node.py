"""A node without a chain fetches a state over real sockets, and its chain goes on from there."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from coincurve import PrivateKey

from node.checkpoint import Checkpoint
from node.p2p.cvm_protocol import CvmProtocol
from node.p2p.enode import parse_enode
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.server import P2pServer
from node.p2p.snapshot_sync import PIVOT_LAG_BLOCKS
from node.snapshot_node import SnapshotNode
from node.storage.model_store import ModelStore
from tests.chain_world import CHAIN_ID, GENESIS_TIME
from tests.unit.node.p2p.epoch_world import EpochWorld, changing_world, epoch_genesis
from tests.unit.node.p2p.snapshot_world import empty_store, flat_state
from tests.unit.node.p2p.sync_world import source_of
from tests.unit.node.p2p.test_cvm_protocol import Heard, NoForks

HEIGHT = 60
LOOPBACK = P2pConfig(host="127.0.0.1", port=0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EpochWorld]:
    made = changing_world(tmp_path_factory.mktemp("epochs"))
    yield made
    made.close()


def server_of(world: EpochWorld, number: int, threads: ThreadPoolExecutor) -> P2pServer:
    handler = CvmProtocol(
        source_of(world),
        CHAIN_ID,
        world.chain.domain.genesis_hash,
        NoForks(),
        Heard(),
        threads,
    )
    key = PrivateKey(bytes([number]) * 32)  # TEST key
    return P2pServer(key, (handler,), PeerBook(None), LOOPBACK)


@pytest.mark.network
@pytest.mark.parametrize("checkpoint_height", [None, 6], ids=lambda height: f"from {height}")
def test_a_state_comes_over_sockets_and_the_chain_opens_on_it(
    world: EpochWorld, tmp_path: Path, checkpoint_height: int | None
) -> None:
    database, _store = empty_store(tmp_path, epoch_genesis())
    checkpoint = None
    if checkpoint_height is not None:
        block_hash = world.database.hash_at(checkpoint_height)
        assert block_hash is not None
        checkpoint = Checkpoint(block_hash, checkpoint_height)

    async def scenario(threads: ThreadPoolExecutor) -> int:
        servers = [server_of(world, number, threads) for number in (1, 2)]
        models = ModelStore(tmp_path / "models")
        node = SnapshotNode(database, models, NoForks(), checkpoint, lambda: GENESIS_TIME + 100)
        running = [asyncio.create_task(server.run()) for server in servers]
        for server in servers:
            await server.listening.wait()
        config = P2pConfig(
            host="127.0.0.1",
            port=0,
            static_peers=tuple(parse_enode(server.enode) for server in servers),
        )
        ours = P2pServer(PrivateKey(b"\x09" * 32), (node.protocol,), PeerBook(None), config)
        try:
            header = await node.run(ours)
        finally:
            node.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return header.block_number

    with ThreadPoolExecutor(1) as threads:
        height = asyncio.run(asyncio.wait_for(scenario(threads), 60))
    database.close()
    assert height == HEIGHT - PIVOT_LAG_BLOCKS
    copy = EpochWorld(tmp_path, epoch_genesis())
    assert copy.chain.head.block_number == height
    for number in range(height + 1, HEIGHT + 1):
        block = world.database.block(world.database.hash_at(number) or b"")
        sealed = world.chain.certificate_at(number)
        assert block is not None
        assert sealed is not None
        copy.chain.import_block(block, sealed, world.chain.certificate_at(number - 1))
    assert flat_state(copy.database) == flat_state(world.database)
    copy.close()
