"""Virtual time: events in a heap, run in the order of their time and then of their making."""

import heapq
from collections.abc import Callable

Task = Callable[[], None]


class Scheduler:
    """Runs tasks at times in milliseconds; nothing waits, time jumps to the next task."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.tasks_run = 0
        self._heap: list[tuple[int, int, Task]] = []
        self._made = 0

    def at(self, time_ms: int, task: Task) -> None:
        """Run a task at a time; one that lies in the past is run now."""
        self._made += 1
        heapq.heappush(self._heap, (max(time_ms, self.now_ms), self._made, task))

    def after(self, delay_ms: int, task: Task) -> None:
        """Run a task in so many milliseconds."""
        self.at(self.now_ms + delay_ms, task)

    def run(self, until_ms: int, is_over: Callable[[], bool]) -> None:
        """Run tasks until a time is reached, nothing is left or `is_over` says so."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_ms and not is_over():
            self.now_ms, _order, task = pop(heap)
            self.tasks_run += 1
            task()
        if not is_over():
            self.now_ms = max(self.now_ms, until_ms)
