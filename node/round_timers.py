"""The timers of consensus: each set anew at most once at a time, all dropped with their height."""

import asyncio
from collections.abc import Callable

from consensus.qbft.events import Timer


class RoundTimers:
    """Calls `fire` on the event loop when a timer's time has come."""

    def __init__(self, fire: Callable[[Timer], None]) -> None:
        self._tell = fire
        self._handles: dict[Timer, asyncio.TimerHandle] = {}

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Let a timer fire after a delay, and not when it was set for before."""
        known = self._handles.pop(timer, None)
        if known is not None:
            known.cancel()
        loop = asyncio.get_running_loop()
        self._handles[timer] = loop.call_later(max(delay_ms, 0) / 1_000, self._fire, timer)

    def drop(self) -> None:
        """Forget every timer."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _fire(self, timer: Timer) -> None:
        self._handles.pop(timer, None)
        self._tell(timer)
