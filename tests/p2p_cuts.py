"""Connections that break at a chosen byte: a relay on loopback, and what it may leave."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

CHUNK_BYTES = 2**16


@dataclass(frozen=True)
class Cut:
    """Break what the dialler sends, or what it gets, after so many bytes.

    A cut that is `silent` keeps the connections open and carries nothing more.
    """

    of_dialler: bool
    after_bytes: int
    silent: bool = False


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
            writer.transport.abort()
            there_writer.transport.abort()

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
