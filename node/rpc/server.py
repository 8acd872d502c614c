"""The HTTP and WebSocket server of JSON-RPC: how it starts and stops."""

import asyncio
from types import TracebackType
from typing import Any

from aiohttp import web

from cvm.faults import LocalFault
from node.rpc.body_budget import BodyBudget
from node.rpc.caller import RpcNode
from node.rpc.http_connections import Connections, HttpConnection
from node.rpc.http_endpoint import HttpEndpoint, RpcSettings

__all__ = ["CannotListen", "RpcServer", "RpcSettings", "start_rpc_server"]

SHUTDOWN_TIMEOUT_S = 2.0
"""How long requests in flight may take once the server closes."""

BACKLOG = 1_024
"""Clients that the system lets wait for a place while the node is busy."""


class CannotListen(LocalFault):
    """The address of a server cannot be taken on this machine."""

    def __init__(self, host: str, port: int, reason: str, server: str = "JSON-RPC") -> None:
        super().__init__(
            f"{server} cannot listen on {host} port {port}: {reason}; "
            "stop what holds the port or choose another"
        )
        self.host = host
        self.port = port


class Listener(web.Server):
    """aiohttp's server below its router, with connections of our own."""

    def __init__(self, node: RpcNode, settings: RpcSettings) -> None:
        self._endpoint = HttpEndpoint(node, settings, BodyBudget())
        super().__init__(self._endpoint.handle, request_factory=self._request)
        self._request_options: dict[str, Any] = {  # keywords of aiohttp's
            "loop": asyncio.get_running_loop(),
            "client_max_size": settings.limits.max_body_bytes,
        }
        self._book = Connections(settings.connections)
        self._rate_limit = settings.rate_limit
        self._runner = web.ServerRunner(self, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        self._site: web.TCPSite | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def __call__(self) -> HttpConnection:
        """Return what talks to a new client."""
        return HttpConnection(self, self._book, self._rate_limit)

    async def open(self, host: str, port: int) -> int:
        """Listen, and return the port; raises `OSError`."""
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port, backlog=BACKLOG)
        await self._site.start()
        self._sweeping = asyncio.create_task(self._book.sweep())
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening, let requests in flight finish, and cancel what takes too long."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None
        if self._site is not None and self._site in self._runner.sites:
            await self._site.stop()
        await self._endpoint.close()
        await self._runner.cleanup()

    def _request(self, *arguments: Any) -> web.BaseRequest:  # aiohttp's own, passed on
        return web.BaseRequest(*arguments, **self._request_options)


class RpcServer:
    """A running server; `async with` closes it, and so does cancelling `run`."""

    def __init__(self, listener: "Listener", host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._listener = listener
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """Return where clients connect."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return where WebSockets connect."""
        return "ws" + self.url.removeprefix("http")

    async def run(self) -> None:
        """Serve until `stop` or cancellation, then let requests in flight finish."""
        try:
            await self._stopping.wait()
        finally:
            await self.close()

    def stop(self) -> None:
        """Make `run` return."""
        self._stopping.set()

    async def close(self) -> None:
        """Stop listening, let requests in flight finish, and cancel what takes too long."""
        self.stop()
        await self._listener.close()

    async def __aenter__(self) -> "RpcServer":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def start_rpc_server(
    node: RpcNode,
    host: str = "127.0.0.1",
    port: int = 8545,
    *,
    settings: RpcSettings | None = None,
) -> RpcServer:
    """Listen and return the running server; port 0 takes a free one. Raises `CannotListen`."""
    listener = Listener(node, settings or RpcSettings())
    try:
        return RpcServer(listener, host, await listener.open(host, port))
    except OSError as fault:
        await listener.close()
        raise CannotListen(host, port, fault.strerror or str(fault)) from fault
