"""JSON-RPC over a Unix socket in the data directory, for who may read that folder: `cvm.ipc`."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType

import structlog

from node.rpc.body_budget import BodyBudget
from node.rpc.caller import RpcNode
from node.rpc.connection import Connection
from node.rpc.dispatcher import Limits, error_text
from node.rpc.faults import InvalidRequest
from node.rpc.json_stream import JsonStream, MessageTooLong
from node.rpc.outbox import SlowClient
from node.rpc.rate_limit import Meter
from node.rpc.server import CannotListen
from node.rpc.websocket import MAX_MESSAGE_BYTES
from node.stream_writing import put

log = structlog.get_logger(__name__)

SOCKET_NAME = "cvm.ipc"
IPC_LIMITS = Limits(max_body_bytes=MAX_MESSAGE_BYTES)
READ_BYTES = 1 << 16
CLOSE_TIMEOUT_S = 5.0
NOT_OTHERS = 0o177
MAX_PATH_BYTES = 107
"""unix(7): the path of a socket lies in 108 bytes, the last of them zero."""


class IpcServer:
    """A listening socket; `async with` opens it, and in the end removes its file."""

    def __init__(self, node: RpcNode, path: Path, namespaces: frozenset[str]) -> None:
        self.path = path
        self._node = node
        self._namespaces = namespaces
        self._budget = BodyBudget()
        self._numbers = count(1)
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; raises `CannotListen` where another process does, or the path cannot be used."""
        try:
            remove_stale(self.path)
            mask = os.umask(NOT_OTHERS)
            try:
                self._listener = await asyncio.start_unix_server(self._accept, self.path)
            finally:
                os.umask(mask)
        except OSError as fault:
            raise CannotListen(str(self.path), 0, fault.strerror or str(fault)) from fault

    async def close(self) -> None:
        """Stop listening, end what is connected, and remove the socket's file."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        clients = dict(self._clients)
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await asyncio.gather(*map(close, clients.values()))
        self.path.unlink(missing_ok=True)

    async def __aenter__(self) -> "IpcServer":
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients[task] = writer
        task.add_done_callback(self._clients.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(messages: Sequence[bytes]) -> None:
            put(writer, b"\n".join((*messages, b"")))
            await writer.drain()

        meter = Meter(asker=f"IPC {next(self._numbers)}")
        connection = Connection(self._node, self._namespaces, IPC_LIMITS, self._budget, meter)
        try:
            await connection.run(_messages(reader), send)
        except MessageTooLong as fault:
            with suppress(ConnectionError):
                await send([error_text(None, InvalidRequest(str(fault))).encode()])
        except (SlowClient, ConnectionError) as fault:
            log.info("rpc client disconnected", reason=str(fault))
        finally:
            await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close one end of a connection, after what is still to be read if that is read soon."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await asyncio.shield(writer.wait_closed())  # whose future others may wait for too
    except (ConnectionError, TimeoutError):
        writer.transport.abort()


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    stream = JsonStream(IPC_LIMITS.max_body_bytes)
    while piece := await reader.read(READ_BYTES):
        for message in stream.feed(piece):
            yield message


def remove_stale(path: Path) -> None:
    """Remove the file of a socket that nobody listens on; raises `OSError` where somebody does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError("another node listens there")
