"""When blocks are asked for: at once what was announced in vain, after a while what is awaited."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from node import catching_up, cvm_network
from node.catching_up import CatchingUp
from node.cvm_network import sealed_block
from node.p2p.cvm_messages import NewBlock
from node.p2p.seen_cache import SeenCache
from tests.chain_world import ChainWorld, genesis_document
from tests.unit.node.p2p.sync_world import ServingPeer
from tests.unit.node.test_cvm_network import FakePeer, Node, announced, forged, with_node

GENESIS = json.dumps(genesis_document()).encode()
TIMEOUT_S = 20
NEVER_S = 3600.0


@dataclass
class FakeSync:
    """Peers that claim a height; a sync brings `head` there."""

    head: int = 7
    claimed: int = 7
    synced: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def highest(self) -> int:
        return self.claimed

    def is_behind(self) -> bool:
        return self.claimed > self.head

    def wake(self) -> None:
        pass

    async def catch_up(self) -> None:
        self.synced.append(self.claimed)
        self.head = self.claimed
        self.changed.set()

    async def until_synced(self) -> list[int]:
        async with asyncio.timeout(TIMEOUT_S):
            await self.changed.wait()
        return self.synced


@asynccontextmanager
async def watching(sync: FakeSync) -> AsyncIterator[CatchingUp]:
    """Run what decides about a sync."""
    watch = CatchingUp(sync, lambda: sync.head)
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    yield watch
    running.cancel()


async def settle() -> None:
    """Let every task go as far as it goes without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await scenario()

    asyncio.run(bounded())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a wait for a block on its way longer than any test."""
    monkeypatch.setattr(catching_up, "BLOCK_ON_ITS_WAY_S", NEVER_S)


@pytest.mark.usefixtures("patient")
def test_a_block_that_comes_by_itself_is_not_asked_for_nor_waited_for_any_longer() -> None:
    async def scenario() -> None:
        sync = FakeSync()
        async with watching(sync) as watch:
            for height in (8, 9, 10):
                sync.claimed = height
                watch.wake()
                await settle()
                sync.head = height
                watch.head_moved()
                await settle()
            assert sync.synced == []
            sync.claimed = 12
            watch.wake()
            assert await sync.until_synced() == [12]

    run(scenario)


def test_a_block_that_does_not_come_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "BLOCK_ON_ITS_WAY_S", 0.01)

    async def scenario() -> None:
        sync = FakeSync()
        async with watching(sync) as watch:
            sync.claimed = 8
            watch.wake()
            assert await sync.until_synced() == [8]

    run(scenario)


@pytest.mark.usefixtures("patient")
def test_peers_that_get_further_ahead_end_the_wait() -> None:
    async def scenario() -> None:
        sync = FakeSync()
        async with watching(sync) as watch:
            sync.claimed = 8
            watch.wake()
            await settle()
            sync.claimed = 9
            watch.wake()
            assert await sync.until_synced() == [9]

    run(scenario)


@pytest.mark.usefixtures("patient")
def test_a_block_that_was_announced_in_vain_is_asked_for_at_once() -> None:
    async def scenario() -> None:
        sync = FakeSync()
        async with watching(sync) as watch:
            sync.claimed = 8
            watch.missed()
            assert await sync.until_synced() == [8]
            sync.claimed = 9  # the next one is awaited again
            watch.wake()
            await settle()
            assert sync.synced == [8]

    run(scenario)


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "ahead", GENESIS)
    for _ in range(3):
        world.propose()
    yield world
    world.close()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "ours", GENESIS)
    yield world
    world.close()


@dataclass
class Announcer(ServingPeer):
    """Serves a chain but no models, and is told of blocks."""

    is_open: bool = False
    known: SeenCache = field(default_factory=lambda: SeenCache(64, NEVER_S))

    def reached(self, height: int) -> None:
        self.height = max(self.height, height)

    def try_send(self, _message: object) -> bool:
        return True


def until_taken(
    world: ChainWorld,
    folder: Path,
    height: int,
    peer: Announcer,
    scenario: Callable[[Node], Awaitable[None]],
) -> None:
    """Run a scenario beside the parts that catch up, until the chain has a height."""

    async def catching(node: Node) -> None:
        there: Any = peer
        node.network.protocol._peers[peer.node_id] = there
        reached = asyncio.Event()
        loop = asyncio.get_running_loop()

        def appended(checked: Any, _certificate: object) -> None:
            if checked.block.number == height:
                loop.call_soon_threadsafe(reached.set)

        world.chain.on_append(appended)
        running = asyncio.create_task(node.network.run())
        await scenario(node)
        async with asyncio.timeout(TIMEOUT_S):
            await reached.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with_node(world, folder, catching)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("claimed", "height"),
    [pytest.param(2, 2, id="by one block"), pytest.param(3, 3, id="by two blocks")],
)
def test_after_a_block_that_was_taken_a_sender_further_ahead_is_asked_at_once(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path, claimed: int, height: int
) -> None:
    peer = Announcer(b"\x22" * 64, ahead, height=claimed)

    async def scenario(node: Node) -> None:
        there: Any = peer
        assert await node.network.new_block(there, announced(ahead, 1)) is True

    until_taken(ours, tmp_path, height, peer, scenario)
    assert peer.asked == [(2, claimed - 1)]


@pytest.mark.usefixtures("patient")
def test_after_a_lie_the_block_is_asked_of_who_announced_it_too(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path
) -> None:
    honest = Announcer(b"\x22" * 64, ahead, height=1)

    async def scenario(node: Node) -> None:
        liar: Any = FakePeer()
        lie = replace(announced(ahead, 1), certificate=forged(ahead))
        assert await node.network.new_block(liar, lie) is False

    until_taken(ours, tmp_path, 1, honest, scenario)
    assert honest.asked == [(1, 1)]


@pytest.mark.usefixtures("patient")
def test_a_block_under_way_is_read_once_and_after_a_lie_asked_of_its_other_bringers(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Announcer(b"\x22" * 64, ahead, height=0)
    read: list[NewBlock] = []
    lie = replace(announced(ahead, 1), certificate=forged(ahead))

    async def scenario(node: Node) -> None:
        liar: Any = FakePeer()
        there: Any = honest
        judged, take = asyncio.Event(), node.driver.take_final

        async def slow(*final: Any) -> bool:
            await judged.wait()
            return await take(*final)

        def noticed(message: NewBlock, height: int) -> Any:
            read.append(message)
            return sealed_block(message, height)

        monkeypatch.setattr(node.driver, "take_final", slow)
        monkeypatch.setattr(cvm_network, "sealed_block", noticed)
        taking = asyncio.create_task(node.network.new_block(liar, lie))
        await settle()
        assert await node.network.new_block(there, announced(ahead, 1)) is False
        judged.set()
        assert await taking is False

    until_taken(ours, tmp_path, 1, honest, scenario)
    assert read == [lie]
    assert honest.asked == [(1, 1)]


@pytest.mark.usefixtures("patient")
def test_a_block_that_came_too_early_is_asked_for_with_the_one_before_it(
    ahead: ChainWorld, ours: ChainWorld, tmp_path: Path
) -> None:
    peer = Announcer(b"\x22" * 64, ahead, height=0)

    async def scenario(node: Node) -> None:
        there: Any = peer
        assert await node.network.new_block(there, announced(ahead, 2)) is False

    until_taken(ours, tmp_path, 2, peer, scenario)
    assert peer.asked == [(1, 2)]
