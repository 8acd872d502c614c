"""Peers of a sync that a test scripts: each serves a real chain, or lies about it in one way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from consensus.block import Block
from consensus.certificate import CommitCertificate, SealDomain
from cvm.evm.header import BlockHeader
from node.model_chunks import ModelChunks
from node.p2p.cvm_messages import Blocks, GetBlocks
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_source import DatabaseSource
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.sync_parts import Importer, SyncParts
from node.sender_recovery import SenderRecovery
from tests.chain_world import ChainWorld

Distort = Callable[[Blocks], Blocks]


def source_of(world: ChainWorld) -> DatabaseSource:
    return DatabaseSource(world.database, ModelChunks(world.store))


def honest(answer: Blocks) -> Blocks:
    return answer


@dataclass
class ServingPeer:
    """Answers from a chain; `distort` changes its answers; penalties are kept, 100 ban it."""

    name: bytes
    world: ChainWorld
    distort: Distort = honest
    height: int = -1
    earliest_height: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)
    penalties: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.height < 0:
            self.height = self.world.chain.head.block_number

    @property
    def node_id(self) -> bytes:
        return self.name

    @property
    def points(self) -> int:
        return sum(points for points, _reason in self.penalties)

    def penalise(self, points: int, reason: str) -> None:
        self.penalties.append((points, reason))

    def lacks_block(self, height: int) -> None:
        self.height = min(self.height, height - 1)

    async def blocks(self, start: int, count: int) -> Blocks:
        self.asked.append((start, count))
        await asyncio.sleep(0)
        if self.points >= 100:
            raise PeerGone(DisconnectReason.BREACH_OF_PROTOCOL)
        answer = CvmServing(source_of(self.world)).answer(GetBlocks(1, start, count))
        assert isinstance(answer, Blocks)
        return self.distort(answer)


@dataclass
class SilentPeer(ServingPeer):
    """Never answers in time."""

    async def blocks(self, start: int, count: int) -> Blocks:
        self.asked.append((start, count))
        await asyncio.sleep(0)
        raise RequestTimedOut("GetBlocks", 10)


@dataclass
class StuckPeer(ServingPeer):
    """Takes a request and holds it until it is taken back."""

    async def blocks(self, start: int, count: int) -> Blocks:
        self.asked.append((start, count))
        answer: asyncio.Future[Blocks] = asyncio.get_running_loop().create_future()
        return await answer


class WorldImporter:
    """Imports into a chain of a test and notes the order; before `stop_at` it fails like a kill."""

    def __init__(self, world: ChainWorld, stop_at: int | None = None) -> None:
        self._world = world
        self._stop_at = stop_at
        self.imported: list[int] = []

    async def import_block(
        self,
        block: Block,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None = None,
    ) -> object:
        await asyncio.sleep(0)
        if block.number == self._stop_at:
            raise Killed
        self._world.chain.import_block(block, certificate, parent_certificate)
        self.imported.append(block.number)
        return block


class Killed(BaseException):
    """The process ended here."""


class WorldView:
    """A chain of a test as a sync sees it."""

    def __init__(self, world: ChainWorld) -> None:
        self._world = world

    @property
    def head(self) -> BlockHeader:
        return self._world.chain.head

    @property
    def domain(self) -> SealDomain:
        return self._world.chain.domain

    def validators_at(self, height: int) -> tuple[bytes, ...]:
        return self._world.chain.validators_at(height)


def sync_parts(
    world: ChainWorld,
    peers: Sequence[ServingPeer],
    importer: Importer,
    obtain_model: Callable[[bytes], Awaitable[None]] | None = None,
) -> SyncParts:
    """Return what a sync needs; peers with 100 points are gone."""

    async def no_model(model_id: bytes) -> None:
        raise AssertionError(f"no model is missing, yet {model_id.hex()} was asked for")

    return SyncParts(
        chain=WorldView(world),
        importer=importer,
        peers=lambda: [peer for peer in peers if peer.points < 100],
        preparing=InlineExecutor(),
        recovery=SenderRecovery(1),
        obtain_model=obtain_model or no_model,
    )


class InlineExecutor(Executor):
    """Runs what it is given at once."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (as an executor does)
            future.set_exception(error)
        return future
