"""How many bytes of large requests a node holds at once; small ones always come in."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SMALL_BYTES = 64 << 10
MAX_HELD_BYTES = 256 << 20


class BodyBudget:
    """Large requests wait for room, first come, first served."""

    def __init__(self, max_bytes: int = MAX_HELD_BYTES) -> None:
        self._left_bytes = max_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold room for a request of so many bytes; the caller bounds the wait."""
        await self.take(size_bytes)
        try:
            yield
        finally:
            self.give_back(size_bytes)

    async def take(self, size_bytes: int) -> None:
        """Take room, which `give_back` must free; the caller bounds the wait."""
        if size_bytes <= SMALL_BYTES:
            return
        if not self._waiting and size_bytes <= self._left_bytes:
            self._left_bytes -= size_bytes
            return
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, room))
        try:
            await room
        except asyncio.CancelledError:
            if room.cancelled():
                self._waiting.remove((size_bytes, room))
                self._let_in()
            else:
                self.give_back(size_bytes)
            raise

    def give_back(self, size_bytes: int) -> None:
        """Free the room that was taken."""
        if size_bytes > SMALL_BYTES:
            self._left_bytes += size_bytes
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left_bytes:
            size_bytes, room = self._waiting.popleft()
            self._left_bytes -= size_bytes
            room.set_result(None)
