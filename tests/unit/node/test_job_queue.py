"""The queue before the workers: who is next, what is short, and who is refused."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from node.execution.faults import ExecutorBusy
from node.execution.job_queue import LONG_S, JobQueue, Waiting

SHORT_S = LONG_S / 10
Check = Callable[[], Coroutine[Any, Any, None]]


def run(check: Check) -> None:
    asyncio.run(check())


def add(queue: JobQueue, name: str, count: int = 1) -> list[asyncio.Future[Any]]:
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
        know(queue, "a", took[b"a"])
        know(queue, "b", took[b"b"])
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
        assert work_off(queue) == [b"a0", b"a1", b"a2"]

    run(check)


def test_a_job_that_nobody_waits_for_is_dropped() -> None:
    async def check() -> None:
        queue = JobQueue(100)
        add(queue, "a", 3)[1].cancel()
        assert work_off(queue) == [b"a0", b"a2"]
        assert len(queue) == 0

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
