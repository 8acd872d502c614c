"""The bounded queue between a session's reader and the capability that takes its messages."""

import asyncio
from collections import deque

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone
from node.p2p.protocol import Message

MAX_MESSAGES = 1024
MAX_BYTES = 32 * 2**20
STALL_TIMEOUT_S = 20.0
"""How long the reader waits for a capability that takes nothing, before the session ends."""


class Inbox:
    """Messages in order, bounded by their number and by the bytes that they came as."""

    def __init__(self, stall_timeout_s: float = STALL_TIMEOUT_S) -> None:
        self._stall_timeout_s = stall_timeout_s
        self._messages: deque[tuple[Message, int]] = deque()
        self._size_bytes = 0
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._end: PeerGone | None = None

    async def put(self, message: Message, size_bytes: int) -> None:
        """Add a message; waits while the queue is full; raises `PeerGone`."""
        while self._end is None and self._is_full():
            self._drained.clear()
            try:
                async with asyncio.timeout(self._stall_timeout_s):
                    await self._drained.wait()
            except TimeoutError:
                raise PeerGone(DisconnectReason.REQUESTED, "its messages pile up here") from None
        self._raise_if_closed()
        self._messages.append((message, size_bytes))
        self._size_bytes += size_bytes
        self._filled.set()

    async def get(self) -> Message:
        """Return the oldest message; raises `PeerGone` once the session is over."""
        while self._end is None and not self._messages:
            self._filled.clear()
            await self._filled.wait()
        self._raise_if_closed()
        message, size_bytes = self._messages.popleft()
        self._size_bytes -= size_bytes
        self._drained.set()
        return message

    def close(self, end: PeerGone) -> None:
        """Forget what waits, and end every wait with this fault."""
        self._end = self._end or end
        self._messages.clear()
        self._filled.set()
        self._drained.set()

    def _is_full(self) -> bool:
        return len(self._messages) >= MAX_MESSAGES or self._size_bytes >= MAX_BYTES

    def _raise_if_closed(self) -> None:
        if self._end is not None:
            raise PeerGone(self._end.reason, self._end.detail)
