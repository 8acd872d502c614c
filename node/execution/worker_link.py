"""The node's end of a worker's socket: frames go out, answers come back in the same order."""

import asyncio
from collections import deque
from typing import cast

from node.execution.worker_messages import LENGTH_BYTES


class WorkerGone(Exception):
    """The process ended, or never came up."""


class WorkerLink(asyncio.Protocol):
    """A protocol and no stream: what many short calls cost is mostly what lies between two sockets.

    `has_quarantine` notes that the process was told of a backend in quarantine.
    """

    def __init__(self) -> None:
        self.has_quarantine = False
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answers: deque[bytes] = deque()
        self._arrival: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the process can be reached."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Tell who waits that nothing more comes."""
        self._transport = None
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Cut what came into answers."""
        received = self._received
        received += data
        place = 0
        while len(received) - place >= LENGTH_BYTES:
            start = place + LENGTH_BYTES
            end = start + int.from_bytes(received[place:start], "big")
            if end > len(received):
                break
            self._answers.append(bytes(received[start:end]))
            place = end
        if place:
            del received[:place]
            self._wake()

    def send(self, frames: bytes) -> None:
        """Send jobs; raises `WorkerGone`."""
        if self._transport is None:
            raise WorkerGone("its socket is closed")
        if frames:
            self._transport.write(frames)

    async def answer(self, timeout_s: float) -> bytes:
        """Return the next answer; raises `WorkerGone`, or `TimeoutError`."""
        if not self._answers:
            async with asyncio.timeout(timeout_s):
                while not self._answers:
                    if self._transport is None:
                        raise WorkerGone("its socket is closed")
                    self._arrival = asyncio.get_running_loop().create_future()
                    await self._arrival
        return self._answers.popleft()

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
