"""Relays between the nodes of a local network, which can be cut and joined again."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from node.stream_writing import put

READ_BYTES = 1 << 16
CONNECT_TIMEOUT_S = 5


class Link:
    """Carries TCP connections to one port; while it is cut, none opens and none lives on."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._carried: set[asyncio.Task[None]] = set()
        self.is_cut = False
        self.port = 0

    async def open(self) -> None:
        """Listen on a free port of the loopback interface, which `port` then holds."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and end what is carried."""
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def cut(self) -> None:
        """End every connection and refuse new ones."""
        self.is_cut = True
        await self._drop()

    def join(self) -> None:
        """Let connections open again."""
        self.is_cut = False

    async def _drop(self) -> None:
        tasks = list(self._carried)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                far_reader, far_writer = await asyncio.open_connection(
                    "127.0.0.1", self._target_port
                )
        except (OSError, TimeoutError):
            writer.close()
            return
        directions = [
            asyncio.create_task(copy(reader, far_writer)),
            asyncio.create_task(copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in directions:
                task.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            for end in (writer, far_writer):
                end.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until either end is gone."""
    with suppress(OSError):
        while data := await reader.read(READ_BYTES):
            put(writer, data)
            await writer.drain()


class Links:
    """One relay for each pair of nodes; the later one of a pair dials the earlier one."""

    def __init__(self, ports: dict[str, int]) -> None:
        names = list(ports)
        self._links = {
            (dialler, dialled): Link(ports[dialled])
            for index, dialled in enumerate(names)
            for dialler in names[index + 1 :]
        }

    async def open(self) -> None:
        """Open every relay."""
        for link in self._links.values():
            await link.open()

    async def close(self) -> None:
        """Close every relay."""
        for link in self._links.values():
            await link.close()

    def dialled_by(self, name: str) -> dict[str, int]:
        """Return the nodes that one node dials, each with the port of the relay before it."""
        return {
            dialled: link.port
            for (dialler, dialled), link in self._links.items()
            if dialler == name
        }

    async def separate(self, group: Iterable[str]) -> None:
        """Cut every link between the group and the rest."""
        inside = set(group)
        for (dialler, dialled), link in self._links.items():
            if (dialler in inside) != (dialled in inside):
                await link.cut()

    def heal(self) -> None:
        """Join every link again."""
        for link in self._links.values():
            link.join()
