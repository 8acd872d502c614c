"""Worker processes that execute for JSON-RPC, so that nothing a caller asks for delays consensus.

Each runs one job after the other and reads the database by itself. A job that takes too long ends
with its process, which is replaced. Jobs wait in one bounded queue; where there is one process, a
few are on their way to it while it runs another.
"""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from node.execution.faults import ExecutionTimedOut, ExecutorBusy, ExecutorDied
from node.execution.inference_jobs import QuarantineJob
from node.execution.jobs import Job, ResultT
from node.execution.worker_link import WorkerGone, WorkerLink
from node.execution.worker_messages import Answer, Raised, framed, unframed
from node.execution.worker_process import WorkerPlace

log = structlog.get_logger(__name__)
MODULE = "node.execution.worker_entry"
TIMEOUT_S = 5.0
MAX_WAITING = 1_024
START_TIMEOUT_S = 180.0
"""The first start of an installation compiles the execution core."""
RESTART_PAUSE_S = 1.0
ON_THE_WAY = 8
"""Jobs that one process holds, the one that it runs included."""
QUARANTINE = framed(QuarantineJob())


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job, and who waits for it."""

    frame: bytes
    result: asyncio.Future[Any]  # of whatever the job gives


class Workers:
    """See `jobs.Executor`; jobs are done while `run` runs.

    Once `is_quarantined` says that the node's backend was found wrong, every process runs models
    by the definition, from its next job on.
    """

    def __init__(
        self,
        place: WorkerPlace,
        count: int = 1,
        timeout_s: float = TIMEOUT_S,
        max_waiting: int = MAX_WAITING,
        is_quarantined: Callable[[], bool] = lambda: False,
    ) -> None:
        self._place = place
        self._is_quarantined = is_quarantined
        self._count = count
        self._timeout_s = timeout_s
        self._on_the_way = ON_THE_WAY if count == 1 else 1
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(max_waiting)
        self._again: deque[Waiting] = deque()

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Return what a job gives; see `jobs.Executor`."""
        waiting = Waiting(framed(job), asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise ExecutorBusy(self._queue.qsize()) from None
        result: ResultT = await waiting.result
        return result

    async def run(self) -> None:
        """Keep the processes going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._count):
                tasks.create_task(self._keep_one())

    def close(self) -> None:
        """Refuse what still waits."""
        while (waiting := self._at_hand()) is not None:
            fail(waiting, ExecutorDied())

    def _at_hand(self) -> Waiting | None:
        """Return the next job if there is one: first those that a process left undone."""
        if self._again:
            return self._again.popleft()
        return None if self._queue.empty() else self._queue.get_nowait()

    async def _keep_one(self) -> None:
        """Start a process, and another whenever one has ended."""
        while True:
            try:
                async with started(self._place) as link:
                    await self._serve(link)
            except WorkerGone as gone:
                log.warning("a worker has to be replaced", reason=str(gone))
                await asyncio.sleep(0 if worker_was_up(gone) else RESTART_PAUSE_S)

    async def _serve(self, link: WorkerLink) -> None:
        """Keep a process at work; raises `WorkerGone`.

        Only the job that runs shares the fate of its process, the others are done by the next one.
        """
        sent: deque[Waiting] = deque()
        try:
            while True:
                if len(sent) <= self._on_the_way // 2:
                    link.send(await self._next_frames(link, sent))
                frame = await link.answer(self._timeout_s)
                settle(sent.popleft(), unframed(frame))
        except TimeoutError:
            fail(sent.popleft(), ExecutionTimedOut(self._timeout_s))
            raise WorkerGone(f"a job took over {self._timeout_s:g} s") from None
        except (WorkerGone, asyncio.CancelledError):
            if sent:
                fail(sent.popleft(), ExecutorDied())
            raise
        finally:
            self._again.extendleft(reversed(sent))

    async def _next_frames(self, link: WorkerLink, sent: deque[Waiting]) -> bytes:
        """Return jobs to send, and put them behind those that are on their way; waits for one."""
        frames: list[bytes] = []
        while len(sent) < self._on_the_way:
            waiting = self._at_hand()
            if waiting is None:
                if sent:
                    break
                waiting = await self._queue.get()
            if waiting.result.done():
                continue
            if self._is_quarantined() and not link.has_quarantine:
                link.has_quarantine = True
                told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                sent.append(Waiting(QUARANTINE, told))
                frames.append(QUARANTINE)
            sent.append(waiting)
            frames.append(waiting.frame)
        return b"".join(frames)


def worker_was_up(gone: WorkerGone) -> bool:
    """Tell whether a process had come up, so that the next one is likely to."""
    return not isinstance(gone, WorkerNotUp)


class WorkerNotUp(WorkerGone):
    """The process ended before it could execute."""


def fail(waiting: Waiting, fault: Exception) -> None:
    """Tell whoever waits that there will be no answer, unless they have gone."""
    if not waiting.result.done():
        waiting.result.set_exception(fault)


def settle(waiting: Waiting, answer: Answer | Raised) -> None:
    """Tell whoever waits what came of the job, unless they have gone."""
    if waiting.result.done():
        return
    if isinstance(answer, Answer):
        waiting.result.set_result(answer.value)
    else:
        waiting.result.set_exception(answer.fault())


@asynccontextmanager
async def started(place: WorkerPlace) -> AsyncIterator[WorkerLink]:
    """Start a process and wait until it can execute; raises `WorkerNotUp`."""
    ours, theirs = socket.socketpair()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with ours:  # also where this is cancelled before the connection owns it
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", MODULE),
                stdin=theirs.fileno(),
                stdout=sys.stderr,
                env=environment,
            )
        try:
            loop = asyncio.get_running_loop()
            _, link = await loop.create_unix_connection(WorkerLink, sock=ours)
            try:
                await come_up(link, place)
                yield link
            finally:
                link.close()
        finally:
            await end(process)


async def come_up(link: WorkerLink, place: WorkerPlace) -> None:
    """Tell a process its place and wait for its first word; raises `WorkerNotUp`."""
    try:
        link.send(framed(place))
        await link.answer(START_TIMEOUT_S)
    except (WorkerGone, TimeoutError) as error:
        raise WorkerNotUp(f"a worker did not come up: {error}") from error


async def end(process: Process) -> None:
    """End a process at once: it has nothing to lose."""
    if process.returncode is None:
        process.kill()
    await process.wait()
