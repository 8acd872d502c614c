"""The connections of one HTTP listener: how many there may be, and how long a client may take.

A connection *waits* while its client owes something: a request's head or body. Who sends these
slowly (slow loris) is cut off after a while, and sooner where a new client would find no place.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from aiohttp import web

from node.rpc.rate_limit import NOT_COUNTED, Meter, RateLimit, client_of

SWEEP_EVERY_S = 1.0
NO_ROOM = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of one listener; `max_of_client` holds for an address that is not this machine's.

    A head must have come `head_timeout_s` after its first byte, an answer be read within
    `write_timeout_s`, and a connection without requests closes after `idle_timeout_s` (geth's).
    """

    max_connections: int = 2_048
    max_of_client: int = 256
    head_timeout_s: float = 10.0
    write_timeout_s: float = 30.0
    idle_timeout_s: float = 120.0


class HttpConnection(web.RequestHandler):
    """One client's connection; the listener's `Connections` decide about it, `meter` counts."""

    __slots__ = (
        "_book",
        "_rate_limit",
        "client",
        "head_began_s",
        "is_at_work",
        "meter",
        "stays",
        "waits_since_s",
    )

    def __init__(
        self, server: web.Server, book: "Connections", rate_limit: RateLimit | None
    ) -> None:
        super().__init__(server, loop=book.loop, access_log=None)  # type: ignore[arg-type]  # no log
        self._book = book
        self._rate_limit = rate_limit
        self.client: str | None = None
        self.meter = NOT_COUNTED
        self.waits_since_s = book.loop.time()
        self.head_began_s: float | None = None
        self.is_at_work = False
        self.stays = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or be refused."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.client = client_of(peer)
        self.meter = Meter(self._rate_limit, self.client, self.client or str(peer))
        self._book.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        self._book.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note when a head begins."""
        if self.head_began_s is None and not self.stays:
            self.head_began_s = self._book.loop.time()
        super().data_received(data)

    def head_came(self) -> None:
        """Note that a request's head is here, and its body is waited for."""
        self._wait()

    def body_came(self) -> None:
        """Note that the client has done its part of a request."""
        self.is_at_work = True
        self.head_began_s = None
        self._book.waiting.pop(self, None)

    def answered(self) -> None:
        """Note that the next request is waited for; what came of it meanwhile counts from now."""
        has_begun = self.head_began_s is not None
        self._wait()
        self.head_began_s = self.waits_since_s if has_begun else None

    def stay(self) -> None:
        """Leave HTTP: what follows has bounds of its own."""
        self.stays = True
        self._book.waiting.pop(self, None)

    def _wait(self) -> None:
        self.is_at_work = False
        self.head_began_s = None
        self.waits_since_s = self._book.loop.time()
        self._book.wait(self)

    def is_overdue(self, now_s: float, limits: ConnectionLimits) -> bool:
        """Tell whether the client has taken too long for what it owes."""
        transport = self.transport
        if transport is None or self.is_at_work or self.stays:
            return False
        if self.head_began_s is not None and now_s - self.head_began_s > limits.head_timeout_s:
            return True
        waited_s = now_s - self.waits_since_s
        if waited_s > limits.write_timeout_s and transport.get_write_buffer_size() > 0:
            return True
        return waited_s > limits.idle_timeout_s


class Connections:
    """The open connections of one listener, those that wait in the order of how long they do."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: dict[HttpConnection, None] = {}
        self._limits = limits
        self._open: set[HttpConnection] = set()
        self._of_client: Counter[str] = Counter()

    def add(self, connection: HttpConnection) -> None:
        """Take a connection in; where all places are taken, for the one that waited longest."""
        self._open.add(connection)
        self.wait(connection)
        client = connection.client
        if client is not None:
            self._of_client[client] += 1
            if self._of_client[client] > self._limits.max_of_client:
                refuse(connection)
                return
        if len(self._open) > self._limits.max_connections:
            longest = next(iter(self.waiting))
            self.remove(longest)
            cut_off(longest)

    def remove(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        self.waiting.pop(connection, None)
        client = connection.client
        if client is not None:
            self._of_client[client] -= 1
            if self._of_client[client] <= 0:
                del self._of_client[client]

    def wait(self, connection: HttpConnection) -> None:
        """Put a connection behind all others that wait."""
        if connection in self._open:
            self.waiting.pop(connection, None)
            self.waiting[connection] = None

    async def sweep(self) -> None:
        """Cut off whoever takes too long, again and again until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            self.cut_off_overdue()

    def cut_off_overdue(self) -> None:
        """Cut off whoever takes too long."""
        now_s = self.loop.time()
        for connection in [c for c in self.waiting if c.is_overdue(now_s, self._limits)]:
            cut_off(connection)


def refuse(connection: HttpConnection) -> None:
    """Close a connection with a word."""
    if connection.transport is not None:
        connection.transport.write(NO_ROOM)
    connection.force_close()


def cut_off(connection: HttpConnection) -> None:
    """Close a connection without waiting for its client, who may not read."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.force_close()
