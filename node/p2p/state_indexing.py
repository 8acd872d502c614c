"""Keeps the index by which parts of states are served near the head, not to make it anew."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from node.storage.preimages import FOLLOW_BLOCKS


class StateIndexing:
    """Runs `follow` on a thread at the start, and whenever the head has moved far enough."""

    def __init__(self, follow: Callable[[], None], executor: Executor) -> None:
        self._follow = follow
        self._executor = executor
        self._due = asyncio.Event()
        self._due.set()
        self._next = 0

    def head_moved(self, height: int) -> None:
        """Hear of a block that was made, not of one of many that are caught up with."""
        if height >= self._next:
            self._next = height + FOLLOW_BLOCKS
            self._due.set()

    async def run(self) -> None:
        """Follow until cancelled; raises a `LocalFault` when the database fails."""
        while True:
            await self._due.wait()
            self._due.clear()
            await asyncio.get_running_loop().run_in_executor(self._executor, self._follow)
