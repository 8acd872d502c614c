"""The HTTP and WebSocket server of JSON-RPC: what may come in, and how it starts and stops."""

import asyncio
import ipaddress
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from cvm.faults import LocalFault
from node.rpc.caller import Caller, RpcNode
from node.rpc.dispatcher import Limits, answer, error_text
from node.rpc.faults import InvalidRequest, RequestTimedOut
from node.rpc.health import add_health
from node.rpc.rpc_config import PUBLIC_NAMESPACES
from node.rpc.websocket import MAX_MESSAGE_BYTES, WebSocketEndpoint

ACCEPTED_TYPES = ("application/json", "application/json-rpc", "application/jsonrequest")
"""As in geth; a type that browsers send without asking first must never be among them."""

ANY = "*"
SHUTDOWN_TIMEOUT_S = 2.0
"""How long requests in flight may take once the server closes."""

_PREFLIGHT_MAX_AGE_S = "600"


class CannotListen(LocalFault):
    """The address of a server cannot be taken on this machine."""

    def __init__(self, host: str, port: int, reason: str, server: str = "JSON-RPC") -> None:
        super().__init__(
            f"{server} cannot listen on {host} port {port}: {reason}; "
            "stop what holds the port or choose another"
        )
        self.host = host
        self.port = port


@dataclass(frozen=True, slots=True)
class RpcSettings:
    """Who may ask, and how much at once.

    `allowed_origins` are web pages that browsers let read the answers (none by default), and
    `ws_origins` those that may open a WebSocket;
    `allowed_hosts` are names that the Host header may carry, beside any IP address, so that a web
    page cannot reach the node through a name of its own. "*" allows all, in both. What is None of
    `http_namespaces` and `ws_namespaces` is not served.
    """

    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("localhost",)
    limits: Limits = field(default_factory=Limits)
    ws_origins: tuple[str, ...] = ()
    http_namespaces: frozenset[str] | None = frozenset(PUBLIC_NAMESPACES)
    ws_namespaces: frozenset[str] | None = None
    ws_limits: Limits = field(default_factory=lambda: Limits(max_body_bytes=MAX_MESSAGE_BYTES))


class RpcServer:
    """A running server; `async with` closes it, and so does cancelling `run`."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._runner = runner
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
        await self._runner.cleanup()

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
    application = rpc_application(node, settings or RpcSettings())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as fault:
        await runner.cleanup()
        raise CannotListen(host, port, fault.strerror or str(fault)) from fault
    return RpcServer(runner, host, int(runner.addresses[0][1]))


def rpc_application(node: RpcNode, settings: RpcSettings) -> web.Application:
    """Return the aiohttp application that answers at `/`."""
    endpoint = _Endpoint(node, settings)
    application = web.Application(client_max_size=settings.limits.max_body_bytes + 1)
    application.router.add_route(ANY, "/", endpoint.handle)
    add_health(application, node.chain, endpoint.is_host_allowed)
    application.on_shutdown.append(endpoint.close)
    return application


class _Endpoint:
    """Checks what HTTP says of a request, then hands its body to the dispatcher."""

    def __init__(self, node: RpcNode, settings: RpcSettings) -> None:
        self._settings = settings
        http, ws = settings.http_namespaces, settings.ws_namespaces
        self._caller = None if http is None else Caller(node, http)
        self._sockets = None if ws is None else WebSocketEndpoint(node, ws, settings.ws_limits)

    async def close(self, _application: web.Application) -> None:
        """Close the connections that stay."""
        if self._sockets is not None:
            await self._sockets.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one HTTP request, or talk over a WebSocket."""
        if not self.is_host_allowed(request.headers.get(hdrs.HOST, "")):
            return web.Response(status=403, text="invalid host specified\n")
        if self._sockets is not None and _wants_websocket(request):
            if not self._may_connect(request.headers.get(hdrs.ORIGIN)):
                return web.Response(status=403, text="origin not allowed\n")
            return await self._sockets.serve(request)
        response = await self._respond(request)
        self._allow_origin(request, response)
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        if request.method == hdrs.METH_OPTIONS and self._settings.allowed_origins:
            return _preflight()
        if self._caller is None:
            return web.Response(status=426, text="This is a WebSocket endpoint.\n")
        if request.method != hdrs.METH_POST:
            return web.Response(
                status=405,
                text="This is a JSON-RPC endpoint: POST a request as application/json.\n",
                headers={hdrs.ALLOW: hdrs.METH_POST},
            )
        if request.content_type not in ACCEPTED_TYPES or hdrs.CONTENT_ENCODING in request.headers:
            return web.Response(
                status=415,
                text="invalid content type, only application/json is supported, uncompressed\n",
            )
        return await self._respond_to_post(self._caller, request)

    async def _respond_to_post(self, caller: Caller, request: web.Request) -> web.Response:
        limits = self._settings.limits
        if (request.content_length or 0) > limits.max_body_bytes:
            return _too_large(limits)
        try:
            async with asyncio.timeout(limits.request_timeout_s):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _too_large(limits)
        except TimeoutError:
            return _json_response(error_text(None, RequestTimedOut()), status=408)
        text = await answer(caller, body, limits)
        return web.Response() if text is None else _json_response(text)

    def is_host_allowed(self, header: str) -> bool:
        """Tell whether a Host header names this node: an IP address, or a name that is allowed."""
        if ANY in self._settings.allowed_hosts:
            return True
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        return name in self._settings.allowed_hosts or _is_ip_address(name)

    def _may_connect(self, origin: str | None) -> bool:
        """Tell whether a WebSocket may open: a browser names its page, other programs do not."""
        allowed = self._settings.ws_origins
        return origin is None or ANY in allowed or origin in allowed

    def _allow_origin(self, request: web.Request, response: web.Response) -> None:
        allowed = self._settings.allowed_origins
        if not allowed:
            return
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and (ANY in allowed or origin in allowed):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = ANY if ANY in allowed else origin


def _wants_websocket(request: web.Request) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _preflight() -> web.Response:
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: hdrs.METH_POST,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "content-type",
            hdrs.ACCESS_CONTROL_MAX_AGE: _PREFLIGHT_MAX_AGE_S,
        },
    )


def _too_large(limits: Limits) -> web.Response:
    error = InvalidRequest(f"content length too large: want at most {limits.max_body_bytes} bytes")
    return _json_response(error_text(None, error), status=413)


def _json_response(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
