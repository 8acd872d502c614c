"""Turns of the event loop: long work goes on in slices, one in each round of the loop.

However many callers ask for much at once, everybody else, consensus included, waits for one slice.
Among them every other turn is for who has had the fewest, so that short work is not behind long
work, and every other for who waits longest.
"""

import asyncio
from collections import deque
from heapq import heappop, heappush
from time import perf_counter
from weakref import WeakKeyDictionary

SLICE_S = 0.005
"""How long one piece of work may go on before the others are served."""


class Turns:
    """Those who wait for their turn; they stand in two queues, and leave both with either."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._by_turns: list[tuple[int, int, asyncio.Future[None]]] = []
        self._by_age: deque[asyncio.Future[None]] = deque()
        self._came = 0
        self._is_next_by_age = False

    async def take(self, had: int = 0) -> None:
        """Wait for a turn: one is given in each round of the event loop.

        `had` is how many turns this work has had, or is thought to be worth.
        """
        turn: asyncio.Future[None] = self._loop.create_future()
        self._came += 1
        if not self._by_turns and not self._by_age:
            self._loop.call_soon(self._give)
        heappush(self._by_turns, (had, self._came, turn))
        self._by_age.append(turn)
        await turn

    def _give(self) -> None:
        turn = self._next()
        if turn is not None:
            turn.set_result(None)
            self._is_next_by_age = not self._is_next_by_age
            self._loop.call_soon(self._give)

    def _next(self) -> asyncio.Future[None] | None:
        """Return who is next, None where nobody waits; who is done was served, or has gone."""
        while self._by_age and self._by_age[0].done():
            self._by_age.popleft()
        while self._by_turns and self._by_turns[0][2].done():
            heappop(self._by_turns)
        if not self._by_age or not self._by_turns:
            return None
        return self._by_age.popleft() if self._is_next_by_age else heappop(self._by_turns)[2]


_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns() -> Turns:
    """Return the turns of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _TURNS.get(loop)
    if found is None:
        found = _TURNS[loop] = Turns(loop)
    return found


class Slices:
    """The slices of one piece of work, which calls `pause` between its steps."""

    def __init__(self) -> None:
        self._had = 0
        self._ends_s = 0.0

    async def pause(self) -> None:
        """Wait for a turn before the first step, and whenever a slice is used up."""
        if perf_counter() >= self._ends_s:
            await turns().take(self._had)
            self._had += 1
            self._ends_s = perf_counter() + SLICE_S
