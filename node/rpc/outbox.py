"""What waits to be sent to one client, with a bound: who reads too slowly is disconnected."""

import asyncio
from collections.abc import Callable

MAX_WAITING = 2_048
MAX_WAITING_BYTES = 32 << 20


class SlowClient(Exception):
    """The client reads slower than notifications come; the message is the reason it is told."""

    def __init__(self, waiting: int, size_bytes: int) -> None:
        super().__init__(f"too slow: {waiting} messages, {size_bytes} bytes wait to be read")


WriteNow = Callable[[bytes], bool]


def no_room(_message: bytes) -> bool:
    """Take nothing: what has no way of its own waits for its turn."""
    return False


class Outbox:
    """A queue between what happens here and a client's socket.

    Notifications never wait: they overflow, which `take` raises as `SlowClient`. A reply waits for
    room, so who reads none of them is soon asked for nothing more. What was taken and is on its way
    is bounded as what waits is, by `max_bytes` and the one message that first exceeds them.

    `write_now` may take a notification that comes alone while nothing waits or is on its way, and
    says whether it did: one that goes to hundreds of clients wakes none of their tasks then. Where
    more come with it, one call for all of them costs less.
    """

    def __init__(
        self,
        max_waiting: int = MAX_WAITING,
        max_bytes: int = MAX_WAITING_BYTES,
        write_now: WriteNow = no_room,
    ) -> None:
        self._waiting: list[bytes] = []
        self._size_bytes = 0
        self._max_waiting = max_waiting
        self._max_bytes = max_bytes
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._overflow: SlowClient | None = None
        self._is_closed = False
        self._is_sending = False
        self._write_now = write_now

    def notify(self, message: bytes, *, is_alone: bool = False) -> None:
        """Queue a notification; past the bound the client is given up."""
        if self._overflow is None and self._is_full():
            self._overflow = SlowClient(*self.size())
            self._waiting.clear()
            self._filled.set()
        if self._overflow is None and not (is_alone and self._has_written(message)):
            self._append(message)

    def _has_written(self, message: bytes) -> bool:
        if self._waiting or self._is_sending or self._is_closed:
            return False
        return self._write_now(message)

    async def reply(self, message: bytes) -> None:
        """Queue an answer, as soon as there is room."""
        while self._overflow is None and self._is_full():
            self._emptied.clear()
            await self._emptied.wait()
        self._append(message)

    def close(self) -> None:
        """Let `take` return nothing once everything was taken."""
        self._is_closed = True
        self._filled.set()

    async def take(self) -> list[bytes]:
        """Return what waits to be sent, nothing after the last of it; raises `SlowClient`."""
        self._is_sending = False
        while not (self._waiting or self._overflow or self._is_closed):
            self._filled.clear()
            await self._filled.wait()
        if self._overflow is not None:
            raise self._overflow
        taken, self._waiting, self._size_bytes = self._waiting, [], 0
        self._emptied.set()
        self._is_sending = True
        return taken

    @property
    def is_given_up(self) -> bool:
        """Tell whether the client was too slow, so that nothing more is sent to it."""
        return self._overflow is not None

    def size(self) -> tuple[int, int]:
        """Return how many messages wait, and their bytes."""
        return len(self._waiting), self._size_bytes

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._max_waiting or self._size_bytes >= self._max_bytes

    def _append(self, message: bytes) -> None:
        self._waiting.append(message)
        self._size_bytes += len(message)
        self._filled.set()
