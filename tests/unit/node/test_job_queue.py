"""The queue before the workers: who is next, what is short, and who is refused."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from node.execution.faults import ExecutorBusy
from node.execution.job_queue import LONG_S, JobQueue, Waiting
from tests.unit.node.simulated_workers import SimulatedWorkers

SHORT_S = LONG_S / 10
Check = Callable[[], Coroutine[Any, Any, None]]


def run(check: Check) -> None:
    asyncio.run(check())


def add(queue: JobQueue, name: str, count: int = 1) -> list[Waiting]:
    return [queue.add(f"{name}{number}".encode(), name) for number in range(count)]


def work_off(queue: JobQueue, *, short_only: bool = False, seconds: float = SHORT_S) -> list[bytes]:
    """Take what waits, each as if it took so long, and return the frames in their order."""
    frames: list[bytes] = []
    while (job := queue.take(short_only=short_only)) is not None:
        frames.append(job.frame)
        queue.took(job, seconds)
    return frames


def know(queue: JobQueue, name: str, seconds: float) -> None:
    """Let one job of an asker be done in so long."""
    add(queue, name)
    work_off(queue, seconds=seconds)


def taken(queue: JobQueue) -> Waiting:
    job = queue.take()
    assert job is not None
    return job


def test_one_job_of_a_second_asker_does_not_wait_for_all_of_the_first() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        know(queue, "a", SHORT_S)
        know(queue, "b", SHORT_S)
        add(queue, "a", 10)
        add(queue, "b")
        assert work_off(queue).index(b"b0") <= 2

    run(check)


def test_askers_share_the_work_by_time_and_not_by_jobs() -> None:
    async def check() -> None:
        queue = JobQueue(400)
        took = {b"a": 0.1, b"b": 0.025}
        add(queue, "a", 100)
        add(queue, "b", 100)
        had = {b"a": 0.0, b"b": 0.0}
        for _ in range(60):
            job = taken(queue)
            queue.took(job, took[job.frame[:1]])
            had[job.frame[:1]] += took[job.frame[:1]]
        assert had[b"a"] == pytest.approx(had[b"b"], abs=0.2)

    run(check)


def test_who_was_away_has_no_credit() -> None:
    async def check() -> None:
        queue = JobQueue(400)
        know(queue, "idle", SHORT_S)
        for _ in range(50):
            know(queue, "busy", SHORT_S)
        add(queue, "busy", 10)
        taken(queue)
        add(queue, "idle", 10)
        order = work_off(queue)
        assert sum(frame.startswith(b"idle") for frame in order[:10]) <= 6

    run(check)


def test_a_first_job_is_not_short_and_those_after_short_ones_are() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        add(queue, "a")
        assert queue.take(short_only=True) is None
        assert not queue.is_short_next()
        assert work_off(queue) == [b"a0"]
        add(queue, "a")
        assert queue.is_short_next()
        assert work_off(queue, short_only=True) == [b"a0"]

    run(check)


def test_a_long_job_makes_those_that_wait_behind_it_long_too() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        know(queue, "a", SHORT_S)
        add(queue, "a", 3)
        queue.took(taken(queue), 2 * LONG_S)
        assert queue.take(short_only=True) is None
        assert work_off(queue) == [b"a1", b"a2"]

    run(check)


def test_long_work_is_forgotten_after_enough_short_jobs() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        know(queue, "a", 2 * LONG_S)
        for _ in range(6):
            know(queue, "a", SHORT_S)
        add(queue, "a")
        assert not queue.is_short_next()
        work_off(queue)
        add(queue, "a")
        assert queue.is_short_next()

    run(check)


def test_a_job_that_is_put_back_keeps_its_place() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        add(queue, "a", 3)
        first = taken(queue)
        second = taken(queue)
        queue.put_back(second)
        queue.put_back(first)
        assert len(queue) == 3
        assert work_off(queue) == [b"a0", b"a1", b"a2"]

    run(check)


def test_a_job_that_is_put_back_is_not_paid_for() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        know(queue, "a", 1.0)
        add(queue, "a", 3)
        queue.put_back(taken(queue))
        add(queue, "b")
        assert work_off(queue)[:2] == [b"a0", b"b0"]

    run(check)


def test_a_job_that_nobody_waits_for_leaves_no_trace() -> None:
    async def check() -> None:
        queue = JobQueue(4)
        know(queue, "a", 5.0)
        (job,) = add(queue, "a")
        job.result.cancel()
        queue.forget(job)
        assert len(queue) == 0
        add(queue, "a")
        assert taken(queue).asker.had_s == pytest.approx(10.0)
        queue.forget(job)
        job.result.cancel()
        queue.put_back(job)
        assert queue.take() is None

    run(check)


def test_one_asker_fills_a_quarter_of_the_room_and_all_of_them_all_of_it() -> None:
    async def check() -> None:
        queue = JobQueue(8)
        add(queue, "a", 2)
        with pytest.raises(ExecutorBusy, match="2 executions wait"):
            add(queue, "a")
        for name in "bcd":
            add(queue, name, 2)
        with pytest.raises(ExecutorBusy, match="8 executions wait"):
            add(queue, "e")
        taken(queue)
        add(queue, "a")

    run(check)


def test_a_worker_for_short_work_waits_for_a_short_job() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        know(queue, "a", SHORT_S)
        waiting = asyncio.create_task(queue.get(short_only=True))
        add(queue, "b")
        await asyncio.wait([waiting], timeout=0.01)
        assert not waiting.done()
        add(queue, "a")
        assert (await waiting).frame == b"a0"
        assert (await queue.get()).frame == b"b0"

    run(check)


@pytest.mark.parametrize(
    ("seconds", "others", "waited"),
    [
        pytest.param(2 * LONG_S, 1, True, id="long-work-before-others"),
        pytest.param(2 * LONG_S, 0, False, id="long-work-alone"),
        pytest.param(SHORT_S, 1, False, id="short-work-before-others"),
    ],
)
def test_somebody_waited_once_long_work_was_before_others(
    seconds: float, others: int, waited: bool
) -> None:
    async def check() -> None:
        queue = JobQueue(100)
        add(queue, "a")
        add(queue, "b", others)
        queue.took(taken(queue), seconds)
        assert queue.somebody_waited.is_set() is waited

    run(check)


def ask_often(workers: SimulatedWorkers, name: str, count: int) -> None:
    for _ in range(count):
        workers.ask(name, 5.0)


def test_a_burst_that_looked_short_holds_another_for_one_job_at_a_time() -> None:
    async def check() -> None:
        workers = SimulatedWorkers()
        workers.keep_asking("steady", 0.05, pause_s=0.05)
        workers.at(10.0, partial(ask_often, workers, "burst", 250))
        workers.run(60.0)
        assert workers.seen["steady"].gone == 0
        assert max(workers.seen["steady"].waits_s) < 5.2

    run(check)


def test_one_long_job_does_not_starve_its_asker_afterwards() -> None:
    async def check() -> None:
        workers = SimulatedWorkers()
        workers.keep_asking("heavy", 1.0, at_once=10)
        workers.ask("once", 5.0)
        workers.at(40.0, lambda: workers.keep_asking("once", 0.02, at_once=40))
        workers.run(440.0)
        assert workers.seen["once"].gone == 0
        assert 0.02 * len(workers.seen["once"].waits_s) == pytest.approx(200.0, rel=0.1)
        assert 1.0 * len(workers.seen["heavy"].waits_s) == pytest.approx(235.0, rel=0.1)

    run(check)


def test_short_work_takes_no_more_than_its_share_of_the_process_for_all() -> None:
    async def check() -> None:
        answers: list[int] = []
        for others in (0, 50):
            workers = SimulatedWorkers()
            workers.keep_asking("short", 0.001, at_once=others)
            workers.keep_asking("heavy", 1.0, at_once=25)
            workers.at(20.0, partial(workers.keep_asking, "middling", 0.05, 1, 0.05))
            workers.run(80.0)
            answers.append(len(workers.seen["middling"].waits_s))
        alone, beside = answers
        assert beside == pytest.approx(2 / 3 * alone, rel=0.1)

    run(check)


def test_callers_who_have_gone_take_no_room() -> None:
    async def check() -> None:
        workers = SimulatedWorkers()
        for name in "abcd":
            workers.ask(name, 5.0)
            workers.at(25.0, partial(ask_often, workers, name, 255))
        workers.keep_asking("steady", 0.05)
        workers.run(60.0)
        assert len(workers.queue) <= 1
        assert workers.seen["steady"].refused == 0

    run(check)
