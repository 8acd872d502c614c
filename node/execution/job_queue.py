"""The jobs that wait for a worker, in an order that is fair to those who ask.

Each job is stamped with when it would begin had everybody who asks an equal share of the work, and
the earliest is next (start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996). How long a job
takes is not known before, so an asker's next is taken to be as long as its latest were, and what
that was wrong by is put right afterwards. Jobs are *short* while all that their asker had done of
late was; who has had nothing done yet is unknown, and its first job is not.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from heapq import heappop, heappush
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


@dataclass(slots=True)
class Asker:
    """What one asker has had; `ends_s` is in the queue's own time."""

    ends_s: float = 0.0
    longest_s: float | None = None
    waiting: int = 0

    @property
    def is_short(self) -> bool:
        """Tell whether all its work of late was short."""
        return self.longest_s is not None and self.longest_s <= LONG_S


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A job, who waits for it, and its place: the stamp, then the order of coming."""

    begins_s: float
    number: int
    expected_s: float = field(compare=False)
    asker: Asker = field(compare=False)
    frame: bytes = field(compare=False)
    result: asyncio.Future[Any] = field(compare=False)  # of whatever the job gives


class JobQueue:
    """At most `max_waiting` jobs; a job that nobody waits for any more is dropped."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._short: list[Waiting] = []
        self._others: list[Waiting] = []
        self._askers: OrderedDict[str, Asker] = OrderedDict()
        self._now_s = 0.0
        self._came = 0
        self._idle: list[asyncio.Future[None]] = []
        self.somebody_waited = asyncio.Event()
        """Set once others had to wait for long work."""

    def __len__(self) -> int:
        return len(self._short) + len(self._others)

    def add(self, frame: bytes, name: str) -> asyncio.Future[Any]:
        """Add a job of the asker of this name, and return its result; raises `ExecutorBusy`."""
        asker = self._asker(name)
        share = max(1, self._max_waiting // SHARE_OF_ROOM)
        if len(self) >= self._max_waiting or asker.waiting >= share:
            raise ExecutorBusy(len(self))
        self._came += 1
        expected_s = UNKNOWN_S if asker.longest_s is None else asker.longest_s
        begins_s = max(self._now_s, asker.ends_s)
        asker.ends_s = begins_s + expected_s
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.put_back(Waiting(begins_s, self._came, expected_s, asker, frame, result))
        return result

    def put_back(self, job: Waiting) -> None:
        """Let a job wait at its place."""
        job.asker.waiting += 1
        heappush(self._short if job.asker.is_short else self._others, job)
        for worker in self._idle:
            if not worker.done():
                worker.set_result(None)

    def take(self, *, short_only: bool = False) -> Waiting | None:
        """Return the next job, None where none waits."""
        while heap := self._next_heap(short_only=short_only):
            job = heappop(heap)
            job.asker.waiting -= 1
            if not job.result.done():
                self._now_s = max(self._now_s, job.begins_s)
                return job
        return None

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
        """Tell whether the next job is a short one."""
        return self._next_heap(short_only=False) is self._short and bool(self._short)

    def took(self, job: Waiting, seconds: float) -> None:
        """Take note of how long a job took."""
        asker = job.asker
        asker.ends_s += seconds - job.expected_s
        asker.longest_s = max(seconds, FADING * (asker.longest_s or 0.0))
        if seconds > LONG_S and len(self):
            self.somebody_waited.set()

    def _next_heap(self, *, short_only: bool) -> list[Waiting]:
        """Return the heap whose first is next; what has no place there any more is moved first."""
        short, others = self._short, self._others
        while short and not short[0].asker.is_short:
            heappush(others, heappop(short))
        if short_only or not others or (short and short[0] < others[0]):
            return short
        return others

    def _asker(self, name: str) -> Asker:
        asker = self._askers.pop(name, None) or Asker(self._now_s)
        self._askers[name] = asker
        if len(self._askers) > MAX_ASKERS:
            self._askers.popitem(last=False)
        return asker
