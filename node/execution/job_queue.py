"""The jobs that wait for a worker, in an order that is fair to those who ask.

Each asker's jobs wait in the order in which they came, and the next job is of the asker who has had
the least of the workers' time. Who comes, or comes back, begins where those stand who wait
(start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996), so time away gives no credit. How
long a job takes is not known before: when it is taken, its asker pays for one as long as its latest
were, and afterwards what that was wrong by. An asker is *short* while all that it had done of late
was; who has had nothing done yet is not.

A job is found by looking at every asker who waits, of whom there are as many as jobs at most.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from node.execution.faults import ExecutorBusy

LONG_S = 0.01
"""Work that takes longer is long."""
FADING = 0.9
"""What is left of an asker's longest work with each of its later jobs."""
UNKNOWN_S = 0.001
MAX_ASKERS = 16_384
"""Askers that are remembered; who asked longest ago is forgotten."""
SHARE_OF_ROOM = 4
"""One asker's jobs take at most this part of the room."""


@dataclass(eq=False, slots=True)
class Asker:
    """What one asker has had, in seconds of the queue's own time, and its jobs that wait."""

    had_s: float
    longest_s: float | None = None
    jobs: deque["Waiting"] = field(default_factory=deque)

    @property
    def is_short(self) -> bool:
        """Tell whether all its work of late was short."""
        return self.longest_s is not None and self.longest_s <= LONG_S

    @property
    def expected_s(self) -> float:
        """Return how long its next job is thought to take."""
        return UNKNOWN_S if self.longest_s is None else self.longest_s


@dataclass(eq=False, slots=True)
class Waiting:
    """A job, and who waits for it; `paid_s` is what its asker paid when it was taken."""

    asker: Asker
    number: int
    frame: bytes
    result: asyncio.Future[Any]  # of whatever the job gives
    paid_s: float = 0.0


class JobQueue:
    """At most `max_waiting` jobs."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._askers: OrderedDict[str, Asker] = OrderedDict()
        self._waiting: dict[Asker, None] = {}
        self._count = 0
        self._came = 0
        self._now_s = 0.0
        self._idle: list[asyncio.Future[None]] = []
        self.somebody_waited = asyncio.Event()
        """Set once others had to wait for long work."""

    def __len__(self) -> int:
        return self._count

    def add(self, frame: bytes, name: str) -> Waiting:
        """Add a job of the asker of this name; raises `ExecutorBusy`."""
        asker = self._asker(name)
        share = max(1, self._max_waiting // SHARE_OF_ROOM)
        if self._count >= self._max_waiting or len(asker.jobs) >= share:
            raise ExecutorBusy(self._count)
        if not asker.jobs:
            asker.had_s = max(asker.had_s, self._now_s)
        self._came += 1
        job = Waiting(asker, self._came, frame, asyncio.get_running_loop().create_future())
        asker.jobs.append(job)
        self._wait(asker)
        return job

    def put_back(self, job: Waiting) -> None:
        """Let a job that was taken and not begun wait again, before its asker's others."""
        job.asker.had_s -= job.paid_s
        if not job.result.done():
            job.asker.jobs.appendleft(job)
            self._wait(job.asker)

    def forget(self, job: Waiting) -> None:
        """Drop a job that nobody waits for any more, if it was not taken."""
        if job in job.asker.jobs:
            job.asker.jobs.remove(job)
            self._leave(job.asker)

    def take(self, *, short_only: bool = False) -> Waiting | None:
        """Return the next job, None where none waits; its asker pays."""
        asker = self._next(short_only=short_only)
        if asker is None:
            return None
        self._now_s = max(self._now_s, min(each.had_s for each in self._waiting))
        job = asker.jobs.popleft()
        job.paid_s = asker.expected_s
        asker.had_s += job.paid_s
        self._leave(asker)
        return job

    async def get(self, *, short_only: bool = False) -> Waiting:
        """Return the next job; waits for one."""
        while (job := self.take(short_only=short_only)) is None:
            comes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(comes)
            try:
                await comes
            finally:
                self._idle.remove(comes)
        return job

    def is_short_next(self) -> bool:
        """Tell whether the next job is of a short asker."""
        asker = self._next(short_only=False)
        return asker is not None and asker.is_short

    def took(self, job: Waiting, seconds: float) -> None:
        """Take note of how long a job took."""
        asker = job.asker
        asker.had_s += seconds - job.paid_s
        asker.longest_s = max(seconds, FADING * (asker.longest_s or 0.0))
        if seconds > LONG_S and self._count:
            self.somebody_waited.set()

    def _next(self, *, short_only: bool) -> Asker | None:
        """Return who has had the least; of several, who came first."""
        who = (asker for asker in self._waiting if asker.is_short or not short_only)
        return min(who, key=lambda asker: (asker.had_s, asker.jobs[0].number), default=None)

    def _wait(self, asker: Asker) -> None:
        self._count += 1
        self._waiting[asker] = None
        for worker in self._idle:
            if not worker.done():
                worker.set_result(None)

    def _leave(self, asker: Asker) -> None:
        self._count -= 1
        if not asker.jobs:
            del self._waiting[asker]

    def _asker(self, name: str) -> Asker:
        asker = self._askers.pop(name, None) or Asker(self._now_s)
        self._askers[name] = asker
        if len(self._askers) > MAX_ASKERS:
            self._askers.popitem(last=False)
        return asker
