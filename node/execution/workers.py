"""Worker processes that execute for JSON-RPC, so that nothing a caller asks for delays consensus.

Each runs one job after the other and reads the database by itself. A job that takes too long ends
with its process, which is replaced. Jobs wait in one bounded queue that is fair between those who
ask. Where there is one process, a few short jobs are on their way to it while it runs another. Once
somebody had to wait for long work, a process more is started, which does short work only.
"""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from node.execution.asker import ASKER
from node.execution.faults import ExecutionTimedOut, ExecutorDied
from node.execution.inference_jobs import QuarantineJob
from node.execution.job_queue import JobQueue, Waiting
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
        self._queue = JobQueue(max_waiting)

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Return what a job gives; see `jobs.Executor`."""
        waiting = self._queue.add(framed(job), ASKER.get())
        try:
            result: ResultT = await waiting.result
        except asyncio.CancelledError:
            self._queue.forget(waiting)
            raise
        return result

    async def run(self) -> None:
        """Keep the processes going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._count):
                tasks.create_task(self._keep_one())
            await self._queue.somebody_waited.wait()
            tasks.create_task(self._keep_one(short_only=True))

    def close(self) -> None:
        """Refuse what still waits."""
        while (job := self._queue.take()) is not None:
            fail(job, ExecutorDied())

    async def _keep_one(self, *, short_only: bool = False) -> None:
        """Start a process, and another whenever one has ended."""
        while True:
            try:
                async with started(self._place) as link:
                    await self._serve(link, short_only=short_only)
            except WorkerGone as gone:
                log.warning("a worker has to be replaced", reason=str(gone))
                await asyncio.sleep(0 if worker_was_up(gone) else RESTART_PAUSE_S)

    async def _serve(self, link: WorkerLink, *, short_only: bool) -> None:
        """Keep a process at work; raises `WorkerGone`.

        Only the job that runs shares the fate of its process, the others wait for the next one.
        """
        sent: deque[Waiting] = deque()
        try:
            while True:
                if len(sent) <= self._on_the_way // 2:
                    link.send(await self._next_frames(link, sent, short_only=short_only))
                answer = unframed(await link.answer(self._timeout_s))
                self._queue.took(sent[0], answer.seconds)
                settle(sent.popleft(), answer)
        except TimeoutError:
            self._queue.took(sent[0], self._timeout_s)
            fail(sent.popleft(), ExecutionTimedOut(self._timeout_s))
            raise WorkerGone(f"a job took over {self._timeout_s:g} s") from None
        except (WorkerGone, asyncio.CancelledError):
            if sent:
                self._queue.took(sent[0], self._timeout_s)
                fail(sent.popleft(), ExecutorDied())
            raise
        finally:
            for job in reversed(sent):
                self._queue.put_back(job)

    async def _next_frames(
        self, link: WorkerLink, sent: deque[Waiting], *, short_only: bool
    ) -> bytes:
        """Return jobs to send, and put them behind those that are on their way; waits for one.

        Nothing is sent behind long work, and long work behind nothing.
        """
        frames: list[bytes] = []
        while not sent:
            job = await self._queue.get(short_only=short_only)
            if not link.is_open:
                self._queue.put_back(job)
                raise WorkerGone("it ended while it had nothing to do")
            if self._lacks_quarantine(link):
                self._queue.put_back(job)
                await self._put_in_quarantine(link)
                continue
            sent.append(job)
            frames.append(job.frame)
        while (
            len(sent) < self._on_the_way
            and sent[-1].asker.is_short
            and self._queue.is_short_next()
            and not self._lacks_quarantine(link)
            and (following := self._queue.take(short_only=True)) is not None
        ):
            sent.append(following)
            frames.append(following.frame)
        return b"".join(frames)

    async def _put_in_quarantine(self, link: WorkerLink) -> None:
        """Tell a process that its backend was found wrong; raises `WorkerGone`."""
        link.send(QUARANTINE)
        try:
            await link.answer(self._timeout_s)
        except TimeoutError:
            raise WorkerGone("it does not take its backend back") from None
        link.has_quarantine = True

    def _lacks_quarantine(self, link: WorkerLink) -> bool:
        return self._is_quarantined() and not link.has_quarantine


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
