"""Worker processes that execute for JSON-RPC, so that nothing a caller asks for delays consensus.

Each runs one job at a time and reads the database by itself. A job that takes too long ends with
its process, which is replaced. Jobs wait in one bounded queue.
"""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from node.execution.faults import ExecutionTimedOut, ExecutorBusy, ExecutorDied
from node.execution.inference_jobs import QuarantineJob
from node.execution.jobs import Job, ResultT
from node.execution.worker_messages import LENGTH_BYTES, Answer, framed, unframed
from node.execution.worker_process import WorkerPlace

log = structlog.get_logger(__name__)
MODULE = "node.execution.worker_entry"
TIMEOUT_S = 5.0
MAX_WAITING = 1_024
START_TIMEOUT_S = 180.0
"""The first start of an installation compiles the execution core."""
RESTART_PAUSE_S = 1.0
QUARANTINE = framed(QuarantineJob())


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job, and who waits for it."""

    frame: bytes
    result: asyncio.Future[Any]  # of whatever the job gives


class WorkerGone(Exception):
    """The process ended, or never came up."""


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
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(max_waiting)

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
        while not self._queue.empty():
            fail(self._queue.get_nowait(), ExecutorDied())

    async def _keep_one(self) -> None:
        """Start a process, and another whenever one has ended."""
        while True:
            try:
                async with started(self._place) as worker:
                    await self._serve(worker)
            except WorkerGone as gone:
                log.warning("a worker has to be replaced", reason=str(gone))
                await asyncio.sleep(0 if worker_was_up(gone) else RESTART_PAUSE_S)

    async def _serve(self, worker: "Worker") -> None:
        """Give one job after the other to a process; raises `WorkerGone`."""
        knows_of_quarantine = False
        while True:
            waiting = await self._queue.get()
            if waiting.result.done():
                continue
            try:
                async with asyncio.timeout(self._timeout_s):
                    if self._is_quarantined() and not knows_of_quarantine:
                        await worker.ask(QUARANTINE)
                        knows_of_quarantine = True
                    answer = await worker.ask(waiting.frame)
            except TimeoutError:
                fail(waiting, ExecutionTimedOut(self._timeout_s))
                raise WorkerGone(f"a job took over {self._timeout_s:g} s") from None
            except WorkerGone:
                fail(waiting, ExecutorDied())
                raise
            except asyncio.CancelledError:
                fail(waiting, ExecutorDied())
                raise
            if waiting.result.done():
                continue
            if isinstance(answer, Answer):
                waiting.result.set_result(answer.value)
            else:
                waiting.result.set_exception(answer.fault())


def worker_was_up(gone: WorkerGone) -> bool:
    """Tell whether a process had come up, so that the next one is likely to."""
    return not isinstance(gone, WorkerNotUp)


class WorkerNotUp(WorkerGone):
    """The process ended before it could execute."""


def fail(waiting: Waiting, fault: Exception) -> None:
    """Tell whoever waits that there will be no answer, unless they have gone."""
    if not waiting.result.done():
        waiting.result.set_exception(fault)


@dataclass(frozen=True, slots=True)
class Worker:
    """One process and its socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, frame: bytes) -> Any:  # an `Answer` or a `Raised`
        """Send a job and return its answer; raises `WorkerGone`."""
        try:
            self.writer.write(frame)
            await self.writer.drain()
            size = int.from_bytes(await self.reader.readexactly(LENGTH_BYTES), "big")
            return unframed(await self.reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise WorkerGone(str(error)) from error


@asynccontextmanager
async def started(place: WorkerPlace) -> AsyncIterator[Worker]:
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
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            try:
                await come_up(reader, writer, place)
                yield Worker(reader, writer)
            finally:
                writer.close()
        finally:
            await end(process)


async def come_up(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: WorkerPlace
) -> None:
    """Tell a process its place and wait for its first word; raises `WorkerNotUp`."""
    try:
        writer.write(framed(place))
        async with asyncio.timeout(START_TIMEOUT_S):
            await reader.readexactly(LENGTH_BYTES)
    except (asyncio.IncompleteReadError, OSError, TimeoutError) as error:
        raise WorkerNotUp(f"a worker did not come up: {error}") from error


async def end(process: Process) -> None:
    """End a process at once: it has nothing to lose."""
    if process.returncode is None:
        process.kill()
    await process.wait()
