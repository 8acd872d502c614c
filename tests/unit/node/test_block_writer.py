"""One thread builds, checks and writes; who listens hears of a block once it is durable."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from consensus.block_execution import Proposal
from consensus.certificate import certify, seal
from consensus.faults import BadCertificate
from node.block_writer import BlockWriter
from tests.chain_world import (
    STRANGER,
    VALIDATOR,
    ChainWorld,
    address_of,
    final_block,
    genesis_document,
)

GENESIS = json.dumps(genesis_document()).encode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "ours", GENESIS)
    yield world
    world.close()


def run(world: ChainWorld, scenario: Callable[[BlockWriter], Awaitable[None]]) -> None:
    async def drive() -> None:
        writer = BlockWriter(world.chain)
        try:
            async with asyncio.timeout(60):
                await scenario(writer)
        finally:
            writer.close()

    asyncio.run(drive())


def test_listeners_hear_on_the_loop_in_order_of_a_block_that_is_on_disk(world: ChainWorld) -> None:
    heard: list[tuple[str, bool, bool]] = []

    async def scenario(writer: BlockWriter) -> None:
        loop_thread, done = threading.current_thread(), asyncio.Event()

        def hear(name: str) -> None:
            is_durable = world.database.head_hash() == world.chain.head.hash
            heard.append((name, threading.current_thread() is loop_thread, is_durable))

        writer.on_head(lambda _checked, _certificate: hear("first"))
        writer.on_head(lambda _checked, _certificate: hear("second"))
        writer.on_head(lambda _checked, _certificate: done.set())
        checked, _left_out = await writer.build(Proposal(address_of(VALIDATOR), 0), [])
        sealed = seal(world.chain.domain, VALIDATOR, 1, 0, checked.block.hash)
        await writer.append(checked, certify(1, 0, checked.block.hash, [(0, sealed)]), None)
        await done.wait()

    run(world, scenario)
    assert heard == [("first", True, True), ("second", True, True)]
    assert world.chain.head.block_number == 1


def test_everything_runs_on_one_thread_one_after_another(world: ChainWorld) -> None:
    threads: list[str] = []
    at_work: list[int] = []

    async def scenario(writer: BlockWriter) -> None:
        busy = threading.Lock()

        def work() -> None:
            assert busy.acquire(blocking=False), "two at once"
            at_work.append(len(at_work))
            threads.append(threading.current_thread().name)
            busy.release()

        await asyncio.gather(*(writer.run(work) for _ in range(50)))

    run(world, scenario)
    assert len(at_work) == 50
    assert len(set(threads)) == 1
    assert threads[0].startswith("cvm-write")


def test_a_refused_block_is_raised_where_it_was_asked_for_and_nobody_hears(
    world: ChainWorld, tmp_path: Path
) -> None:
    other = ChainWorld(tmp_path / "other", GENESIS)
    other.propose()
    block, _certificate = final_block(other, 1)
    other.close()
    heard: list[object] = []

    async def scenario(writer: BlockWriter) -> None:
        writer.on_head(lambda checked, _certificate: heard.append(checked))
        false = certify(
            1, 0, block.hash, [(0, seal(world.chain.domain, STRANGER, 1, 0, block.hash))]
        )
        with pytest.raises(BadCertificate):
            await writer.import_block(block, false)

    run(world, scenario)
    assert heard == []
    assert world.chain.head.block_number == 0


def test_the_same_final_block_twice_is_written_once(world: ChainWorld, tmp_path: Path) -> None:
    other = ChainWorld(tmp_path / "other", GENESIS)
    other.propose()
    block, certificate = final_block(other, 1)
    other.close()
    heard: list[int] = []

    async def scenario(writer: BlockWriter) -> None:
        writer.on_head(lambda checked, _certificate: heard.append(checked.block.number))
        first, second = await asyncio.gather(
            writer.import_block(block, certificate), writer.import_block(block, certificate)
        )
        assert first is not None
        assert second is None
        await asyncio.sleep(0)

    run(world, scenario)
    assert heard == [1]


def test_it_knows_how_long_the_last_block_took(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([10.0, 10.025, 20.0, 20.004])
    monkeypatch.setattr("node.block_writer.perf_counter", lambda: next(moments))

    async def scenario(writer: BlockWriter) -> None:
        checked, _left_out = await writer.build(Proposal(address_of(VALIDATOR), 0), [])
        block_hash = checked.block.hash
        assert writer.execution_ms(block_hash) == 25
        await writer.check(checked.block, None)
        assert writer.execution_ms(block_hash) == 4
        assert writer.execution_ms(bytes(32)) is None

    run(world, scenario)
