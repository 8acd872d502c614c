"""JSON-RPC over WebSocket: the same requests as over HTTP, and notifications."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from struct import Struct

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from node.rpc.body_budget import BodyBudget
from node.rpc.caller import RpcNode
from node.rpc.connection import Connection
from node.rpc.dispatcher import Limits
from node.rpc.outbox import SlowClient
from node.rpc.rate_limit import Meter

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 32 << 20
MAX_CLIENTS = 1_024
HEARTBEAT_S = 30.0
"""A client that does not answer a ping for half of this is gone."""

FINAL_TEXT = 0x81
_SHORT, _MIDDLE, _LONG = Struct("!BB"), Struct("!BBH"), Struct("!BBQ")

CLOSE_TIMEOUT_S = 5.0
MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame holds 125 bytes, two of them the code."""


class WebSocketEndpoint:
    """Serves every WebSocket of one listener."""

    def __init__(
        self, node: RpcNode, namespaces: frozenset[str], limits: Limits, budget: BodyBudget
    ) -> None:
        self._node = node
        self._namespaces = namespaces
        self._limits = limits
        self._budget = budget
        self._sockets: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.BaseRequest, meter: Meter) -> web.StreamResponse:
        """Talk to one client until either side closes."""
        if len(self._sockets) >= MAX_CLIENTS:
            return web.Response(status=503, text=f"{MAX_CLIENTS} clients are connected already\n")
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_S,
            heartbeat=HEARTBEAT_S,
            compress=False,
            writer_limit=0,  # waits for the client after every batch
            max_msg_size=self._limits.max_body_bytes,
            decode_text=False,
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await self._talk(request, socket, meter)
        finally:
            self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Tell every client that this server stops."""
        await asyncio.gather(
            *(
                socket.close(code=WSCloseCode.GOING_AWAY, message=b"server shutdown")
                for socket in self._sockets
            )
        )

    async def _talk(
        self, request: web.BaseRequest, socket: web.WebSocketResponse, meter: Meter
    ) -> None:
        async def send(messages: Sequence[bytes]) -> None:
            *earlier, last = messages
            if transport is None or transport.is_closing() or socket.closed:
                raise ConnectionResetError("the client is gone")
            if earlier:
                transport.writelines(map(text_frame, earlier))
            await socket.send_frame(last, WSMsgType.TEXT)

        def write_now(message: bytes) -> bool:
            if transport is None or socket.closed or transport.is_closing():
                return False
            if transport.get_write_buffer_size():
                return False
            transport.write(text_frame(message))
            return True

        transport = request.transport
        connection = Connection(
            self._node, self._namespaces, self._limits, self._budget, meter, write_now
        )
        try:
            await connection.run(_messages(socket), send)
        except SlowClient as slow:
            log.info("rpc client disconnected", reason=str(slow))
            reason = str(slow).encode()[:MAX_REASON_BYTES]
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=reason, drain=False)
        except ConnectionResetError:
            log.debug("rpc client gone")


def text_frame(message: bytes) -> bytes:
    """Return a whole text message of a server as RFC 6455 (section 5.2) frames it.

    What waits for a client goes out in one call instead of one call a message, which is most of
    what a notification costs.
    """
    size = len(message)
    if size < 126:
        return _SHORT.pack(FINAL_TEXT, size) + message
    if size < 1 << 16:
        return _MIDDLE.pack(FINAL_TEXT, 126, size) + message
    return _LONG.pack(FINAL_TEXT, 127, size) + message


async def _messages(socket: web.WebSocketResponse) -> AsyncIterator[bytes]:
    """Yield what the client sends; a message over the bound closes the socket (code 1009).

    Raises `ConnectionResetError` in the end: nobody is there any more to read an answer.
    """
    async for message in socket:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            yield message.data
    raise ConnectionResetError("closed")
