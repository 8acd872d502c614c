"""From a checkpoint to a running chain: liars on the way, kills, a state that is gone."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate
from consensus.light_client import TrustedPointTooOld, trusted_point
from consensus.withdrawal import Withdrawal
from cvm.evm.trie_state import TrieState
from node.checkpoint import Checkpoint
from node.p2p import snapshot_sync
from node.p2p.cvm_messages import Blocks, Certificates, GetBlocks, GetCertificates
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_state_messages import GetProof, Proof, StateChunk
from node.p2p.faults import RequestTimedOut
from node.p2p.light_follow import WrongNumber
from node.p2p.snapshot_sync import SnapshotStart, SnapshotSync
from node.storage.chain_database import ChainDatabase
from node.storage.snapshot_store import Pivot, SnapshotStore
from tests.chain_world import GENESIS_TIME, ChainWorld, address_of
from tests.unit.node.p2p.epoch_world import (
    FOUNDERS,
    EpochWorld,
    changing_world,
    epoch_genesis,
)
from tests.unit.node.p2p.snapshot_world import StateServer, empty_store, flat_state
from tests.unit.node.p2p.sync_world import source_of

HEIGHT = 60
PIVOT = HEIGHT - snapshot_sync.PIVOT_LAG_BLOCKS
NOW_S = GENESIS_TIME + 100
LATER_S = GENESIS_TIME + 10_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EpochWorld]:
    made = changing_world(tmp_path_factory.mktemp("epochs"))
    yield made
    made.close()


@dataclass
class FullPeer(StateServer):
    """Serves proofs and certificates too."""

    height: int = HEIGHT
    earliest_height: int = 0

    def lacks_block(self, height: int) -> None:
        self.height = min(self.height, height - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._answers = CvmServing(source_of(self.world))

    async def certificates(self, start: int, count: int) -> Certificates:
        await self._wait()
        answer = self._answers.answer(GetCertificates(1, start, count))
        assert isinstance(answer, Certificates)
        return answer

    async def blocks(self, start: int, count: int) -> Blocks:
        await self._wait()
        answer = self._answers.answer(GetBlocks(1, start, count))
        assert isinstance(answer, Blocks)
        return answer

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        await self._wait()
        answer = self._answers.answer(GetProof(1, block_hash, address, slots))
        assert isinstance(answer, Proof)
        return answer


@dataclass
class OtherSets(FullPeer):
    """Certifies whatever by those who founded the chain, also after they left."""

    async def certificates(self, start: int, count: int) -> Certificates:
        answer = await super().certificates(start, count)
        assert isinstance(self.world, EpochWorld)
        old = [address_of(key) for key in FOUNDERS]
        forged = [self.world.certificate(start, b"\x66" * 32, old) for _one in answer.certificates]
        return replace(answer, certificates=tuple(forged))


@dataclass
class OtherHeaders(FullPeer):
    """Sends headers that nobody sealed."""

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        answer = await super().proof(block_hash, address, slots)
        return replace(answer, header=answer.header[:-1] + bytes([answer.header[-1] ^ 1]))


@dataclass
class CutProofs(FullPeer):
    """Leaves the last node of every proof out."""

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        answer = await super().proof(block_hash, address, slots)
        return replace(answer, storage_nodes=answer.storage_nodes[:-1])


@dataclass
class OtherHeights(FullPeer):
    """Sends certificates of other heights."""

    async def certificates(self, start: int, count: int) -> Certificates:
        return await super().certificates(start - 1, count)


@dataclass
class OtherBodies(FullPeer):
    """Sends a block of another height in the pivot's place."""

    async def blocks(self, start: int, count: int) -> Blocks:
        return await super().blocks(start - 1, count)


@dataclass
class NoBodies(FullPeer):
    """Sends the pivot without what it holds, and with a payment that it does not hold."""

    async def blocks(self, start: int, count: int) -> Blocks:
        answer = await super().blocks(start, count)
        (data, sealed), *_others = answer.blocks
        bare = Block(decode_block(data).header, (), (Withdrawal(0, 0, bytes(20), 1),))
        return replace(answer, blocks=((bare.encode(), sealed),))


@dataclass
class Silent(FullPeer):
    """Never answers in time."""

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        raise RequestTimedOut("GetProof", 10)


def start_of(
    world: ChainWorld,
    database: ChainDatabase,
    number: int | None,
    clock: Callable[[], int] = lambda: NOW_S,
) -> SnapshotStart:
    genesis = world.chain.header_at(0)
    assert genesis is not None
    point = trusted_point(genesis, TrieState(genesis.state_root, database.state))
    checkpoint = None
    if number is not None:
        checkpoint = Checkpoint(world.database.hash_at(number) or b"", number)
    return SnapshotStart(checkpoint, point, world.chain.domain, 1, clock)


def synced(
    world: ChainWorld, folder: Path, peers: Sequence[FullPeer], number: int | None = None
) -> ChainWorld:
    """Sync into a folder and open the chain there."""
    database, store = empty_store(folder, epoch_genesis())

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, number)
            await SnapshotSync(store, start, lambda: present(peers), writing).run()

    try:
        asyncio.run(asyncio.wait_for(scenario(), 60))
    finally:
        database.close()
    return ChainWorld(folder, epoch_genesis())


def present(peers: Sequence[FullPeer]) -> list[FullPeer]:
    return [peer for peer in peers if peer.is_open]


@pytest.mark.parametrize("number", [None, 0, 1, 6, 29, 43], ids=lambda number: f"from {number}")
def test_a_chain_starts_near_the_tip_and_goes_on(
    world: EpochWorld, tmp_path: Path, number: int | None
) -> None:
    copy = synced(world, tmp_path, [FullPeer(b"a", world), FullPeer(b"b", world)], number)
    assert copy.chain.head.block_number == PIVOT
    for height in range(PIVOT + 1, HEIGHT + 1):
        answer = CvmServing(source_of(world)).answer(GetBlocks(1, height, 1))
        assert isinstance(answer, Blocks)
        block = world.database.block(world.database.hash_at(height) or b"")
        assert block is not None
        copy.chain.import_block(block, answer.blocks[0][1], answer.parent_certificate)
    assert copy.chain.head == world.chain.head
    assert flat_state(copy.database) == flat_state(world.database)
    copy.close()


@pytest.mark.parametrize(
    "liar",
    [OtherSets, OtherHeaders, CutProofs, OtherHeights, OtherBodies, NoBodies],
    ids=lambda c: c.__name__,
)
def test_a_liar_on_the_way_is_banned_and_the_way_is_the_same(
    world: EpochWorld, tmp_path: Path, liar: type[FullPeer]
) -> None:
    bad, good = liar(b"a", world), FullPeer(b"b", world)
    copy = synced(world, tmp_path, [bad, good], number=6)
    assert copy.chain.head.hash == world.database.hash_at(PIVOT)
    assert bad.points >= 100
    assert good.points == 0
    copy.close()


def test_a_silent_peer_is_passed_over(world: EpochWorld, tmp_path: Path) -> None:
    silent = Silent(b"a", world)
    copy = synced(world, tmp_path, [silent, FullPeer(b"b", world)], number=6)
    assert copy.chain.head.block_number == PIVOT
    assert silent.points > 0
    copy.close()


def test_a_checkpoint_that_is_too_old_is_refused(world: EpochWorld, tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, epoch_genesis())

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, 6, lambda: LATER_S)
            await SnapshotSync(store, start, lambda: [FullPeer(b"a", world)], writing).run()

    with pytest.raises(TrustedPointTooOld, match="block 6 is"):
        asyncio.run(scenario())
    assert store.pivot is None
    database.close()


def test_a_checkpoint_that_grows_too_old_while_no_peer_is_there_is_refused(
    world: EpochWorld, tmp_path: Path
) -> None:
    database, store = empty_store(tmp_path, epoch_genesis())
    peers: list[FullPeer] = []

    async def scenario() -> None:
        times = iter((NOW_S,))
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, None, lambda: next(times, LATER_S))
            sync = SnapshotSync(store, start, lambda: peers, writing)
            running = asyncio.create_task(sync.run())
            for _ in range(5):
                await asyncio.sleep(0)
            assert not running.done()
            peers.append(FullPeer(b"a", world))
            sync.wake()
            await running

    with pytest.raises(TrustedPointTooOld, match="block 0 is"):
        asyncio.run(asyncio.wait_for(scenario(), 60))
    database.close()


def test_a_state_that_grew_too_old_between_two_runs_is_not_gone_on_with(
    world: EpochWorld, tmp_path: Path
) -> None:
    """Who voted then may have its bond back: one such peer could serve another chain from there."""
    database, store = empty_store(tmp_path, epoch_genesis())
    store.begin(snapshot_pivot(world, PIVOT - 3))

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, 6, lambda: LATER_S)
            await SnapshotSync(store, start, lambda: [FullPeer(b"a", world)], writing).run()

    with pytest.raises(TrustedPointTooOld, match="block 6 is"):
        asyncio.run(asyncio.wait_for(scenario(), 60))
    head = database.header(database.head_hash() or b"")
    assert head is not None
    assert head.block_number == 0
    database.close()


@pytest.mark.parametrize("height", [HEIGHT + 100, 2**64 - 1], ids=["a little", "a lot"])
def test_a_peer_that_claims_blocks_which_nobody_has_stops_nothing(
    world: EpochWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, height: int
) -> None:
    monkeypatch.setattr(snapshot_sync, "AGAIN_AFTER_S", 0.01)
    boaster, good = FullPeer(b"a", world, height=height), FullPeer(b"b", world)
    copy = synced(world, tmp_path, [boaster, good], number=6)
    assert copy.chain.head.block_number >= PIVOT
    assert 0 < boaster.points < 100
    assert (good.points, good.height) == (0, HEIGHT)
    copy.close()


def test_a_peer_without_old_certificates_is_passed_over(world: EpochWorld, tmp_path: Path) -> None:
    """It has its chain from a snapshot, and says so."""

    class Young(FullPeer):
        async def certificates(self, start: int, count: int) -> Certificates:
            if start < self.earliest_height:
                return Certificates(1, ())
            return await super().certificates(start, count)

    young = Young(b"a", world, earliest_height=50)
    copy = synced(world, tmp_path, [young, FullPeer(b"b", world)], number=6)
    assert copy.chain.head.block_number == PIVOT
    assert (young.points, young.height) == (0, HEIGHT)
    copy.close()


def test_a_checkpoint_of_another_height_is_refused(world: EpochWorld, tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, epoch_genesis())

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, 6)
            wrong = Checkpoint(world.database.hash_at(6) or b"", 7)
            start = replace(start, checkpoint=wrong)
            await SnapshotSync(store, start, lambda: [FullPeer(b"a", world)], writing).run()

    with pytest.raises(WrongNumber, match="says block 7, its hash is that of block 6"):
        asyncio.run(scenario())
    database.close()


def test_a_state_that_is_served_no_more_is_replaced_by_a_newer_one(
    world: EpochWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_sync, "AGAIN_AFTER_S", 0.01)
    database, store = empty_store(tmp_path, epoch_genesis())
    peer = FullPeer(b"a", world, height=40)
    old_root = world.chain.header_at(40 - snapshot_sync.PIVOT_LAG_BLOCKS)
    assert old_root is not None

    def forgotten(chunk: StateChunk) -> StateChunk:
        pivot = store.pivot
        if pivot is not None and pivot.header.state_root == old_root.state_root:
            peer.height = HEIGHT
            return StateChunk(1, (), ())
        return chunk

    peer.distort = forgotten

    async def scenario() -> int:
        with ThreadPoolExecutor(1) as writing:
            start = start_of(world, database, 6)
            found = await SnapshotSync(store, start, lambda: [peer], writing).run()
            return found.block_number

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) == PIVOT
    database.close()


def test_a_sync_that_was_killed_goes_on_with_the_same_state(
    world: EpochWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, store = empty_store(tmp_path, epoch_genesis())
    store.begin(snapshot_pivot(world, PIVOT - 3))
    database.close()
    copy = synced(world, tmp_path, [FullPeer(b"a", world)], number=6)
    assert copy.chain.head.block_number == PIVOT - 3
    copy.close()


def snapshot_pivot(world: EpochWorld, height: int) -> Pivot:
    block = world.database.block(world.database.hash_at(height) or b"")
    sealed = world.chain.certificate_at(height)
    assert block is not None
    assert isinstance(sealed, CommitCertificate)
    return Pivot(block, sealed)


def test_without_peers_it_waits_for_one(world: EpochWorld, tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, epoch_genesis())
    peers: list[FullPeer] = []

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as writing:
            sync = SnapshotSync(store, start_of(world, database, None), lambda: peers, writing)
            running = asyncio.create_task(sync.run())
            for _ in range(5):
                await asyncio.sleep(0)
            assert not running.done()
            peers.append(FullPeer(b"a", world))
            sync.wake()
            assert (await running).block_number == PIVOT

    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert SnapshotStore(database).pivot is None
    database.close()
