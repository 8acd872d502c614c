"""A node that knows only genesis, over real channels: blocks, a model, and what runs that model."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from node.listed_models import ListedModels
from node.p2p.block_sync import BlockSync
from node.p2p.cvm_messages import Attestation, Evidence, NewBlock, Qbft, WantModels
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_protocol import CvmProtocol
from node.p2p.model_fetch import ModelFetch
from node.p2p.sync_parts import SyncParts
from node.readiness import Readiness
from node.sample_models import sample_model_path
from node.sender_recovery import SenderRecovery
from node.storage.model_store import ModelStore
from tests.chain_world import CHAIN_ID, ChainWorld, genesis_document
from tests.p2p_pipe import handler_pipe
from tests.unit.node.p2p.sync_world import WorldImporter, WorldView, source_of
from tests.unit.node.p2p.test_cvm_protocol import Heard, NoForks, protocol

GENESIS = json.dumps(genesis_document()).encode()
SERVERS = 3


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """Make a chain whose last blocks run a model."""
    world = ChainWorld(tmp_path_factory.mktemp("full"), GENESIS)
    contract = world.deploy_classifier(world.register_model())
    images = np.load(sample_model_path("digits_100_images.npy"))
    for digit in range(3):
        world.classify(contract, bytes(images[digit].astype(np.int8).tobytes()))
    yield world
    world.close()


@dataclass
class Joiner:
    """What joins the parts of a node that syncs: a small form of its network."""

    world: ChainWorld
    store: ModelStore
    threads: ThreadPoolExecutor

    def __post_init__(self) -> None:
        self.protocol = CvmProtocol(
            source_of(self.world),
            CHAIN_ID,
            self.world.chain.domain.genesis_hash,
            NoForks(),
            self,
            self.threads,
        )
        self.listed = ListedModels(self.world.chain, self.store)
        self.fetch = ModelFetch(
            self.store,
            self.listed,
            self.protocol.peers,
            self.protocol.want_models,
            lambda _model: self.fetch.wake(),
        )
        self.importer = WorldImporter(self.world)
        self.sync = BlockSync(
            SyncParts(
                chain=WorldView(self.world),
                importer=self.importer,
                peers=self.protocol.peers,
                preparing=self.threads,
                recovery=SenderRecovery(1),
                obtain_model=self.fetch.obtain,
            )
        )
        self.readiness = Readiness(
            lambda: self.world.chain.head.block_number,
            self.sync.highest,
            self.listed.missing_active,
        )
        self.said: list[str] = []
        self.joined = asyncio.Event()

    def peer_joined(self, peer: CvmPeer) -> None:
        peer.try_send(WantModels(self.fetch.missing))
        self.said.append(str(self.readiness.now()))
        if len(self.protocol.peers()) == SERVERS:
            self.joined.set()

    def peer_left(self, peer: CvmPeer) -> None:
        self.sync.wake()

    async def qbft(self, peer: CvmPeer, message: Qbft) -> bool:
        return False

    async def new_block(self, peer: CvmPeer, message: NewBlock) -> bool:
        return False

    async def attestation(self, peer: CvmPeer, message: Attestation) -> bool:
        return False

    async def evidence(self, peer: CvmPeer, message: Evidence) -> bool:
        return False

    def models_offered(self, peer: CvmPeer) -> None:
        self.fetch.wake()

    def models_wanted(self, peer: CvmPeer, model_ids: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return self.fetch.held(model_ids)


def test_a_node_without_blocks_or_models_catches_up_from_several_peers(
    full: ChainWorld, tmp_path: Path
) -> None:
    world = ChainWorld(tmp_path, GENESIS)

    async def scenario(threads: ThreadPoolExecutor) -> Joiner:
        joiner = Joiner(world, world.store, threads)
        async with AsyncExitStack() as stack:
            for number in range(SERVERS):
                served = Heard(models=full.store.list_models())
                pipe = await stack.enter_async_context(
                    handler_pipe(joiner.protocol, protocol(full, served, threads))
                )
                pipe.left_peer.node_id = bytes([number + 1]) * 64
            await joiner.joined.wait()
            fetching = asyncio.create_task(joiner.fetch.run())
            await joiner.sync.catch_up()
            fetching.cancel()
        return joiner

    with ThreadPoolExecutor(2) as threads:
        joiner = asyncio.run(asyncio.wait_for(scenario(threads), 60))
    height = full.chain.head.block_number
    assert joiner.importer.imported == list(range(1, height + 1))
    assert world.chain.head == full.chain.head
    assert world.store.list_models() == full.store.list_models()
    assert joiner.said[-1] == "syncing"
    assert str(joiner.readiness.now()) == "ready"
    world.close()
