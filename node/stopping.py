"""How a process is told to stop: the first signal asks it to, the second ends it at once."""

import asyncio
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set; after one of them, another ends the process.

    Nothing is lost by that: what was acknowledged is on disk. The handler is Python's own, not the
    loop's, so that a second signal works while the loop is busy. To be called in the main thread.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    for number in SIGNALS:
        signal.signal(number, ask)
    return stop
