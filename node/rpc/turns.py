"""Turns of the event loop: long work goes on in slices, one in each round of the loop.

However many callers ask for much at once, everybody else, consensus included, waits for one slice.
"""

import asyncio
from collections import deque
from time import perf_counter
from weakref import WeakKeyDictionary

SLICE_S = 0.005
"""How long one piece of work may go on before the others are served."""


class Turns:
    """Those who wait for their turn, in the order in which they came."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn: one is given in each round of the event loop."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._give)
        await turn

    def _give(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # its caller may have gone
                turn.set_result(None)
                break
        if self._waiting:
            self._loop.call_soon(self._give)


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
        self._turns = turns()
        self._ends_s = 0.0

    async def pause(self) -> None:
        """Wait for a turn before the first step, and whenever a slice is used up."""
        if perf_counter() >= self._ends_s:
            await self._turns.take()
            self._ends_s = perf_counter() + SLICE_S
