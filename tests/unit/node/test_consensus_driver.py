"""A chain with one validator: a block whenever one is due, with what waits."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from consensus.qbft.events import Decide, Record
from cvm.evm.transaction_decoding import decode_transaction
from cvm.faults import DeviceFault, LocalFault, ModelDataMissing
from node import consensus_driver
from node.block_writer import BlockWriter
from node.consensus_driver import ConsensusDriver
from node.lone_network import LoneNetwork
from node.service import consensus_rules
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey
from node.vote_log import VoteLog
from tests.chain_world import (
    CHAIN_ID,
    GENESIS_TIME,
    USER,
    VALIDATOR,
    ChainWorld,
    final_block,
    genesis_document,
    signed,
)

GENESIS = json.dumps(genesis_document()).encode()
RECIPIENT = b"\xee" * 20
TIMEOUT_S = 20


class Clock:
    """The wall clock of a test, set in seconds; `run` moves it on by one after each block."""

    def __init__(self) -> None:
        self.now = GENESIS_TIME + 10

    def __call__(self) -> int:
        return self.now * 1_000


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(consensus_driver, "now_ms", clock)
    return clock


class Produced:
    """A chain with a pool and a producer; `run` drives it until a height is reached."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.world = ChainWorld(folder, GENESIS)
        self.pool = TransactionPool(CHAIN_ID)
        self.votes = VoteLog(folder / "votes", self.world.chain.domain.genesis_hash)

    @property
    def height(self) -> int:
        return int(self.world.chain.head.block_number)

    def add(self, encoded: bytes) -> None:
        chain = self.world.chain
        with chain.state_at(chain.head) as state:
            self.pool.add(decode_transaction(encoded), state)

    def run(self, height: int, *, on_block: Callable[[], None] = lambda: None) -> None:
        """Run until the chain has a height; `on_block` is called after every block."""

        async def drive() -> None:
            reached, work = asyncio.Event(), asyncio.Event()
            writer = BlockWriter(self.world.chain)
            driver = self.driver(writer, work)

            def appended(*_block: object) -> None:
                on_block()
                self.clock.now += 1
                if self.height >= height:
                    reached.set()

            writer.on_head(appended)
            try:
                async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
                    task = tasks.create_task(driver.run())
                    await reached.wait()
                    task.cancel()
            finally:
                writer.close()

        asyncio.run(drive())

    def driver(self, writer: BlockWriter, work: asyncio.Event) -> ConsensusDriver:
        chain = self.world.chain
        rules = consensus_rules(chain, LocalKey(VALIDATOR))
        network = LoneNetwork(chain, self.world.store)
        return ConsensusDriver(chain, writer, self.pool, rules, self.votes, network, work)

    def transactions(self, number: int) -> list[bytes]:
        block = self.world.database.block(self.world.database.hash_at(number) or b"")
        assert block is not None
        return [tx.encode() for tx in block.transactions]


@pytest.fixture
def produced(tmp_path: Path, clock: Clock) -> Iterator[Produced]:
    produced = Produced(tmp_path, clock)
    yield produced
    produced.votes.close()
    produced.world.close()


def transfer(nonce: int, **fields: Any) -> bytes:
    return signed(USER, nonce, to=RECIPIENT, **({"gas": 21_000} | fields))


def test_a_waiting_transaction_is_in_the_next_block(produced: Produced) -> None:
    produced.add(transfer(0))
    produced.run(1)
    assert produced.transactions(1) == [transfer(0)]
    assert len(produced.pool) == 0


def test_transactions_that_come_later_are_in_later_blocks(produced: Produced) -> None:
    produced.add(transfer(0))

    def follow() -> None:
        if produced.height == 1:
            produced.add(transfer(1))

    produced.run(2, on_block=follow)
    assert [produced.transactions(number) for number in (1, 2)] == [[transfer(0)], [transfer(1)]]


def test_the_block_takes_the_clocks_time(produced: Produced, clock: Clock) -> None:
    produced.add(transfer(0))
    clock.now = GENESIS_TIME + 500
    produced.run(1)
    assert produced.world.chain.head.timestamp == GENESIS_TIME + 500


def test_an_empty_block_comes_when_one_is_due(produced: Produced) -> None:
    produced.run(1)
    assert produced.transactions(1) == []


def test_a_block_that_is_due_is_made_at_once(produced: Produced) -> None:
    produced.run(2)
    assert produced.height == 2


def test_a_candidate_that_became_invalid_is_dropped_with_what_follows(
    produced: Produced,
) -> None:
    rich = 10**24
    produced.add(transfer(0, value=rich // 2))
    produced.add(transfer(1))
    poor = signed(USER, 0, to=RECIPIENT, value=rich - 10**15, gas=21_000)
    produced.world.propose([poor])
    produced.add(signed(USER, 2, to=RECIPIENT, gas=21_000))
    produced.run(2)
    assert produced.transactions(2) == [transfer(1), transfer(2)]
    assert len(produced.pool) == 0


def test_what_cannot_pay_the_base_fee_yet_stays(produced: Produced) -> None:
    produced.add(transfer(0, fee_cap=10, tip=1))
    produced.add(signed(VALIDATOR, 0, gas=21_000, to=RECIPIENT, fee_cap=0, tip=0))
    produced.run(1)
    assert produced.transactions(1) == []
    assert len(produced.pool) == 2


def test_what_a_step_signs_is_on_disk_at_once_before_any_of_it_is_sent(
    produced: Produced, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    save = produced.votes.save

    def saving(height: int, records: Sequence[Record]) -> None:
        save(height, records)
        told.append([type(record).__name__ for record in records])

    monkeypatch.setattr(produced.votes, "save", saving)
    monkeypatch.setattr(
        LoneNetwork, "send", lambda _self, message, _parent: told.append(type(message).__name__)
    )
    produced.add(transfer(0))
    produced.run(1)
    signed_together = ["OwnMessage", "OwnMessage", "PreparedCertificate", "OwnMessage"]
    assert told[:4] == [signed_together, "Proposal", "Prepare", "Commit"]


def test_a_local_fault_stops_the_node(produced: Produced) -> None:
    def fail(*_arguments: object) -> None:
        raise DeviceFault("cuda", "device lost")

    produced.world.chain.build = fail  # type: ignore[method-assign, assignment]
    produced.add(transfer(0))
    with pytest.raises(ExceptionGroup) as caught:
        produced.run(1)
    assert caught.group_contains(LocalFault)


def test_being_cancelled_it_finishes_the_block_under_way(produced: Produced) -> None:
    """The writer's thread is joined: what it began is in the database, whole."""
    produced.add(transfer(0))

    async def start_and_cancel() -> None:
        work = asyncio.Event()
        work.set()
        writer = BlockWriter(produced.world.chain)
        driver = produced.driver(writer, work)
        began = asyncio.Event()
        loop, append = asyncio.get_running_loop(), produced.world.chain.append

        def noticed(*arguments: Any) -> Any:
            loop.call_soon_threadsafe(began.set)
            return append(*arguments)

        produced.world.chain.append = noticed  # type: ignore[method-assign, assignment]
        task = asyncio.create_task(driver.run())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        writer.close()

    asyncio.run(start_and_cancel())
    assert produced.height == 1
    assert produced.world.database.head_hash() == produced.world.chain.head.hash


def test_a_model_that_arrives_while_its_block_is_refused_is_noticed(produced: Produced) -> None:
    """Nothing else may come for long: on an idle chain, the next transaction's block would."""
    produced.add(transfer(0))
    produced.run(1)
    block, certificate = final_block(produced.world, 1)

    async def scenario() -> None:
        work = asyncio.Event()
        writer = BlockWriter(produced.world.chain)
        driver = produced.driver(writer, work)
        imported: list[object] = []

        async def import_block(*arguments: object) -> None:
            imported.append(arguments[0])
            if len(imported) == 1:
                work.set()
                raise ModelDataMissing(b"\x01" * 32)

        writer.import_block = import_block  # type: ignore[method-assign, assignment]
        async with asyncio.timeout(5):
            await driver._import(Decide(1, block.encode(), certificate, None))
        writer.close()
        assert len(imported) == 2

    asyncio.run(scenario())
