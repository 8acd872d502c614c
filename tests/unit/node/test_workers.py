"""Worker processes: what comes back, what ends a process, and what takes its place."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from cvm.faults import ModelDataMissing
from node.execution.asker import ASKER
from node.execution.call_request import CallRequest, CallResult
from node.execution.execution_chain import UnknownBlock
from node.execution.faults import ExecutionTimedOut, ExecutorBusy, ExecutorDied, ExecutorFailed
from node.execution.inference_jobs import (
    BlockInferencesJob,
    CompareInferenceJob,
    ModelInterfaceJob,
    TransactionInferencesJob,
)
from node.execution.jobs import Job
from node.execution.messages import CallJob
from node.execution.worker_messages import LENGTH_BYTES, framed, raised, unframed
from node.execution.worker_process import WorkerPlace
from node.execution.workers import Workers
from opcodes.gas import InferenceGas
from opcodes.inference_host import InferenceCall
from opcodes.table import INFER_ADDRESS
from tests.chain_world import CHAIN_ID, USER, ChainWorld, address_of, genesis_document
from tests.unit.node.execution_jobs import (
    BackendJob,
    BrokenJob,
    DyingJob,
    EndlessJob,
    LongJob,
    MissingModelJob,
    ProcessJob,
)

AnyT = TypeVar("AnyT")
LIMIT_S = 240
GENESIS = json.dumps(genesis_document()).encode()
BALANCE_OF_CALLER = bytes.fromhex("33315f5260205ff3")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path_factory.mktemp("workers"), GENESIS)
    world.propose()
    yield world
    world.close()


@asynccontextmanager
async def running(
    world: ChainWorld,
    timeout_s: float = 60.0,
    max_waiting: int = 100,
    backend: str = "reference",
    is_quarantined: Callable[[], bool] = lambda: False,
    count: int = 1,
) -> AsyncIterator[Workers]:
    place = WorkerPlace(world.database.path, world.database.path.parent / "models", backend)
    workers = Workers(place, count, timeout_s, max_waiting, is_quarantined)
    async with asyncio.timeout(LIMIT_S):
        task = asyncio.create_task(workers.run())
        try:
            yield workers
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            workers.close()


def asked_by(name: str, work: Coroutine[Any, Any, AnyT]) -> asyncio.Task[AnyT]:
    context = copy_context()
    context.run(ASKER.set, name)
    return asyncio.create_task(work, context=context)


def test_jobs_run_in_another_process_on_the_blocks_that_come_meanwhile(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world) as workers:
            process, chain_id = await workers.execute(ProcessJob())
            assert process != os.getpid()
            assert chain_id == CHAIN_ID
            world.propose()
            head = world.chain.head
            message = CallRequest(address_of(USER), None, None, 0, 0, BALANCE_OF_CALLER)
            result = await workers.execute(CallJob(head.hash, message))
            assert isinstance(result, CallResult)
            with world.chain.state_at(head) as state:
                account = state.account(address_of(USER))
            assert account is not None
            assert int.from_bytes(result.output, "big") == account.balance
            assert (await workers.execute(ProcessJob()))[0] == process

    asyncio.run(check())


def test_inferences_run_again_and_are_compared_in_another_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = ChainWorld(tmp_path_factory.mktemp("inferring"), GENESIS)
    model = world.register_model()
    item = bytes(28 * 28)
    block = world.send(INFER_ADDRESS, model + item).block.hash

    async def check() -> None:
        async with running(world) as workers:
            wanted = TransactionInferencesJob(block, 0, with_nodes=True)
            (found,) = await workers.execute(wanted)
            assert (found.call.input, found.call.ok) == (item, True)
            assert wanted.run(world.chain.execution) == (found,)
            assert await workers.execute(BlockInferencesJob(block)) == [
                (0, replace(found, nodes=None))
            ]
            assert await workers.execute(CompareInferenceJob(found.call))
            wrong = replace(found.call, output=b"wrong")
            assert not await workers.execute(CompareInferenceJob(wrong))
            interface = await workers.execute(ModelInterfaceJob(model))
            assert [str(value.type) for value in interface.inputs] == ["uint8[1,1,28,28]"]

    asyncio.run(check())
    world.close()


def test_a_backend_in_quarantine_is_put_aside_in_every_process(world: ChainWorld) -> None:
    async def check() -> None:
        wrong: list[str] = []
        async with running(world, backend="cpu", is_quarantined=lambda: bool(wrong)) as workers:
            assert await workers.execute(BackendJob()) == ("cpu", None)
            wrong.append("cpu")
            assert await workers.execute(BackendJob()) == ("reference", "cpu")
            with pytest.raises(ExecutorDied):
                await workers.execute(DyingJob())
            assert await workers.execute(BackendJob()) == ("reference", "cpu")

    asyncio.run(check())


def test_a_comparison_that_takes_too_long_is_no_answer(world: ChainWorld) -> None:
    call = InferenceCall(bytes(32), b"", True, InferenceGas(3000, 1, 1, 0, 0), b"", b"")
    with pytest.raises(ExecutionTimedOut):
        CompareInferenceJob(call, timeout_s=0).run(world.chain.execution)


def test_faults_come_back_as_they_were_raised(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world) as workers:
            with pytest.raises(ModelDataMissing, match="0xabab") as missing:
                await workers.execute(MissingModelJob(b"\xab" * 32))
            assert missing.value.model_id == b"\xab" * 32
            message = CallRequest(bytes(20), None, None, 0, 0, b"")
            with pytest.raises(UnknownBlock, match="block 0x0707"):
                await workers.execute(CallJob(b"\7" * 32, message))
            with pytest.raises(ExecutorFailed, match="ZeroDivisionError"):
                await workers.execute(BrokenJob())

    asyncio.run(check())


def test_a_job_over_its_time_ends_with_its_process_and_the_next_one_runs(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world, timeout_s=2.0) as workers:
            first, _chain_id = await workers.execute(ProcessJob())
            with pytest.raises(ExecutionTimedOut, match=r"execution aborted \(timeout = 2s\)"):
                await workers.execute(EndlessJob())
            second, _chain_id = await workers.execute(ProcessJob())
            assert second != first

    asyncio.run(check())


def test_a_second_process_works_while_the_first_is_busy(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world, count=2) as workers:
            endless = asyncio.create_task(workers.execute(EndlessJob()))
            assert (await workers.execute(ProcessJob()))[1] == CHAIN_ID
            assert not endless.done()
        with pytest.raises(ExecutorDied):
            await endless

    asyncio.run(check())


def test_short_work_goes_on_in_a_process_of_its_own_once_somebody_waited(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world) as workers:
            first, _chain_id = await asked_by("short", workers.execute(ProcessJob()))
            burners = [asked_by("long", workers.execute(LongJob(0.1))) for _ in range(4)]
            assert await asyncio.gather(*burners) == [first] * 4
            endless = asked_by("long", workers.execute(EndlessJob()))
            await asked_by("short", workers.execute(ProcessJob()))  # it had less: it is next
            for _ in range(3):
                second, _chain_id = await asked_by("short", workers.execute(ProcessJob()))
                assert second != first
            unknown = asked_by("unknown", workers.execute(ProcessJob()))
            await asked_by("short", workers.execute(ProcessJob()))
            assert not endless.done()
            assert not unknown.done()
        with pytest.raises(ExecutorDied):
            await endless

    asyncio.run(check())


def test_a_job_that_kills_its_process_fails_alone(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world) as workers:
            dying = asyncio.create_task(workers.execute(DyingJob()))
            after = asyncio.create_task(workers.execute(ProcessJob()))
            with pytest.raises(ExecutorDied):
                await dying
            assert (await after)[1] == CHAIN_ID

    asyncio.run(check())


def test_those_behind_a_job_that_ends_its_process_are_done_in_order(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world, timeout_s=4.0) as workers:
            first = (await workers.execute(ProcessJob()))[0]
            jobs: list[Job[Any]] = [
                ProcessJob(),
                EndlessJob(),
                ProcessJob(),
                DyingJob(),
                *[ProcessJob()] * 20,
            ]
            tasks = [asyncio.create_task(workers.execute(job)) for job in jobs]
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(done[1]), type(done[3])] == [ExecutionTimedOut, ExecutorDied]
            before, between, after = done[0], done[2], done[4:]
            assert before == (first, CHAIN_ID)
            assert isinstance(between, tuple)
            assert between[0] != first
            assert len(set(after)) == 1
            assert {(first, CHAIN_ID), between}.isdisjoint(after)

    asyncio.run(check())


def test_what_is_on_its_way_when_workers_stop_is_told_so(world: ChainWorld) -> None:
    async def check() -> None:
        async with running(world) as workers:
            await workers.execute(ProcessJob())
            tasks = [asyncio.create_task(workers.execute(EndlessJob())) for _ in range(3)]
            await asyncio.wait(tasks, timeout=0.2)
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in done] == [ExecutorDied] * 3

    asyncio.run(check())


def test_more_jobs_than_may_wait_are_refused_at_once(world: ChainWorld) -> None:
    async def check() -> None:
        place = WorkerPlace(world.database.path, world.database.path.parent / "models", "cpu")
        workers = Workers(place, 1, 60.0, 1)  # nobody runs it
        waiting = asyncio.create_task(workers.execute(ProcessJob()))
        await asyncio.wait([waiting], timeout=0)
        with pytest.raises(ExecutorBusy, match="1 executions wait"):
            await workers.execute(ProcessJob())
        workers.close()
        with pytest.raises(ExecutorDied):
            await waiting

    asyncio.run(check())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ModelDataMissing(b"\1" * 32), id="another-argument-than-its-words"),
        pytest.param(ExecutorBusy(7), id="a-number"),
        pytest.param(ValueError("plain", 3), id="a-class-of-python"),
    ],
)
def test_a_fault_crosses_with_class_words_and_fields(fault: Exception) -> None:
    crossed = unframed(framed(raised(fault, 0.5))[LENGTH_BYTES:]).fault()
    assert type(crossed) is type(fault)
    assert str(crossed) == str(fault)
    assert crossed.__dict__ == fault.__dict__
