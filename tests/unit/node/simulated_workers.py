"""Workers in virtual time: who asks what, and how long each waits in the queue before them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from node.execution.faults import ExecutorBusy
from node.execution.job_queue import JobQueue, Waiting

DEADLINE_S = 30.0
"""After which a caller has gone."""
BUSY_PAUSE_S = 0.5


@dataclass
class Seen:
    """What one asker saw."""

    waits_s: list[float] = field(default_factory=list)
    gone: int = 0
    refused: int = 0


class SimulatedWorkers:
    """One process for any job and one for short ones; must be used while an event loop runs."""

    def __init__(self, room: int = 1_024) -> None:
        self.queue = JobQueue(room)
        self.seen: dict[str, Seen] = {}
        self._now_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._idle = [False, True]
        self._jobs: dict[Waiting, Callable[[], None]] = {}

    def at(self, time_s: float, event: Callable[[], None]) -> None:
        """Let something happen."""
        heappush(self._events, (time_s, next(self._order), event))

    def ask(self, name: str, took_s: float, then: Callable[[], None] = lambda: None) -> None:
        """Ask for one job; `then` is called once it is answered, refused or given up."""
        seen, began_s = self.seen.setdefault(name, Seen()), self._now_s
        try:
            job = self.queue.add(str(took_s).encode(), name)
        except ExecutorBusy:
            seen.refused += 1
            self.at(self._now_s + BUSY_PAUSE_S, then)
            return

        def done() -> None:
            if not job.result.done():
                job.result.set_result(None)
                seen.waits_s.append(self._now_s - began_s)
                then()

        def give_up() -> None:
            if not job.result.done():
                job.result.cancel()
                self.queue.forget(job)
                seen.gone += 1
                then()

        self._jobs[job] = done
        self.at(self._now_s + DEADLINE_S, give_up)

    def keep_asking(self, name: str, took_s: float, at_once: int = 1, pause_s: float = 0.0) -> None:
        """Keep so many jobs asked for, each anew after a pause."""

        def again() -> None:
            self.at(self._now_s + pause_s, lambda: self.ask(name, took_s, again))

        for _ in range(at_once):
            self.ask(name, took_s, again)

    def run(self, until_s: float) -> None:
        """Let time pass."""
        self._dispatch()
        while self._events and self._events[0][0] <= until_s:
            self._now_s, _, event = heappop(self._events)
            event()
            self._dispatch()

    def _dispatch(self) -> None:
        for short_only in list(self._idle):
            job = self.queue.take(short_only=short_only)
            if job is not None:
                self._idle.remove(short_only)
                self._begin(job, short_only=short_only)

    def _begin(self, job: Waiting, *, short_only: bool) -> None:
        took_s = float(job.frame)

        def end() -> None:
            self.queue.took(job, took_s)
            self._idle.append(short_only)
            self._idle.sort()
            self._jobs.pop(job)()

        self.at(self._now_s + took_s, end)
