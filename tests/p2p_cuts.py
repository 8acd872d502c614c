"""Connections that break at a chosen byte: a relay on loopback, and what it may leave."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

CHUNK_BYTES = 2**16
LINGER_NOT = struct.pack("ii", 1, 0)
"""Linux's socket(7): what is left is dropped, and the other side told so by a reset."""


@dataclass(frozen=True)
class Cut:
    """Break what the dialler sends, or what it gets, after so many bytes.

    A cut that is `silent` keeps the connections open and carries nothing more; one that `resets`
    ends them as the kernel ends those of a killed process that had not read everything.
    """

    of_dialler: bool
    after_bytes: int
    silent: bool = False
    resets: bool = False


@asynccontextmanager
async def relay(host: str, port: int, cut: Cut) -> AsyncIterator[int]:
    """Relay connections to an address, each until the cut; gives the port to dial."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, port)
        over = asyncio.Event()

        async def carry(
            source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: int | None
        ) -> None:
            with suppress(OSError):
                while left is None or left > 0:
                    data = await source.read(CHUNK_BYTES if left is None else left)
                    if not data:
                        over.set()
                    sink.write(data)
                    await sink.drain()
                    if not data:
                        return
                    left = None if left is None else left - len(data)
            if not cut.silent:
                over.set()

        try:
            async with asyncio.TaskGroup() as both:
                limit = cut.after_bytes
                there = carry(reader, there_writer, limit if cut.of_dialler else None)
                back = carry(there_reader, writer, None if cut.of_dialler else limit)
                running = [both.create_task(there), both.create_task(back)]
                await over.wait()
                for task in running:
                    task.cancel()
        finally:
            for end in (writer, there_writer):
                if cut.resets:
                    end.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT
                    )
                end.transport.abort()

    async with asyncio.TaskGroup() as tasks:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            carriers.append(tasks.create_task(answer(reader, writer)))

        carriers: list[asyncio.Task[None]] = []
        listener = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
            for carrier in carriers:
                carrier.cancel()


def open_files() -> int:
    """Return how many file descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))
