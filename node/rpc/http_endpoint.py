"""What HTTP says of a request, and what is answered where it does not say the right thing."""

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from multidict import CIMultiDict

from node.rpc.body_budget import SMALL_BYTES, BodyBudget
from node.rpc.caller import Caller, RpcNode
from node.rpc.dispatcher import Limits, answer, error_text
from node.rpc.faults import InvalidRequest, RateLimited, RequestTimedOut, RpcError
from node.rpc.health import HEALTH, READY, health_report
from node.rpc.http_connections import ConnectionLimits, HttpConnection
from node.rpc.rate_limit import RateLimit
from node.rpc.rpc_config import PUBLIC_NAMESPACES
from node.rpc.websocket import MAX_MESSAGE_BYTES, WebSocketEndpoint

ACCEPTED_TYPES = ("application/json", "application/json-rpc", "application/jsonrequest")
"""As in geth; a type that browsers send without asking first must never be among them."""

ANY = "*"
PREFLIGHT_MAX_AGE_S = "600"
RETRY_AFTER_S = "1"
KNOWN_HOSTS = 256
"""Host headers whose judgement is remembered."""

JSON_HEADERS = CIMultiDict({hdrs.CONTENT_TYPE: "application/json; charset=utf-8"})


@dataclass(frozen=True, slots=True)
class RpcSettings:
    """Who may ask, and how much at once.

    `allowed_origins` are web pages that browsers let read the answers (none by default), and
    `ws_origins` those that may open a WebSocket;
    `allowed_hosts` are names that the Host header may carry, beside any IP address, so that a web
    page cannot reach the node through a name of its own. "*" allows all, in both. What is None of
    `http_namespaces` and `ws_namespaces` is not served. Without `rate_limit` nobody is counted.
    """

    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("localhost",)
    limits: Limits = field(default_factory=Limits)
    http_namespaces: frozenset[str] | None = frozenset(PUBLIC_NAMESPACES)
    ws_namespaces: frozenset[str] | None = None
    ws_origins: tuple[str, ...] = ()
    ws_limits: Limits = field(default_factory=lambda: Limits(max_body_bytes=MAX_MESSAGE_BYTES))
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    rate_limit: RateLimit | None = None


class HttpEndpoint:
    """Checks what HTTP says of a request, then hands its body to the dispatcher."""

    def __init__(self, node: RpcNode, settings: RpcSettings, budget: BodyBudget) -> None:
        self._chain = node.chain
        self._settings = settings
        self._budget = budget
        http, ws = settings.http_namespaces, settings.ws_namespaces
        self._caller = None if http is None else Caller(node, http)
        self._sockets = (
            None if ws is None else WebSocketEndpoint(node, ws, settings.ws_limits, budget)
        )
        self.is_host_allowed: Callable[[str], bool] = lru_cache(KNOWN_HOSTS)(self._judge_host)

    async def close(self) -> None:
        """Close the connections that stay."""
        if self._sockets is not None:
            await self._sockets.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request, or talk over a WebSocket."""
        connection = request.protocol
        if not isinstance(connection, HttpConnection):
            raise TypeError(type(connection))
        connection.head_came()
        try:
            return await self._answer(request, connection)
        finally:
            connection.answered()

    async def _answer(
        self, request: web.BaseRequest, connection: HttpConnection
    ) -> web.StreamResponse:
        headers = request.headers
        if not self.is_host_allowed(headers.get(hdrs.HOST, "")):
            return web.Response(status=403, text="invalid host specified\n")
        path = request.path
        if path != "/":
            return self._answer_beside(request, path)
        if hdrs.UPGRADE in headers and self._sockets is not None and _wants_websocket(request):
            if not self._may_connect(headers.get(hdrs.ORIGIN)):
                return web.Response(status=403, text="origin not allowed\n")
            connection.stay()
            return await self._sockets.serve(request, connection.meter)
        response = await self._respond(request, connection)
        if self._settings.allowed_origins:
            self._allow_origin(request, response)
        return response

    def _answer_beside(self, request: web.BaseRequest, path: str) -> web.Response:
        """Answer what is no JSON-RPC."""
        if path not in (HEALTH, READY):
            return web.Response(status=404, text="not found: JSON-RPC is at /\n")
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return web.Response(status=405, headers={hdrs.ALLOW: "GET,HEAD"})
        return health_report(self._chain, needs_ready=path == READY)

    async def _respond(self, request: web.BaseRequest, connection: HttpConnection) -> web.Response:
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
        try:
            connection.meter.take()
            return await self._respond_to_post(self._caller, request, connection)
        except RateLimited as error:
            return _refusal(error, HTTPStatus.TOO_MANY_REQUESTS)

    async def _respond_to_post(
        self, caller: Caller, request: web.BaseRequest, connection: HttpConnection
    ) -> web.Response:
        limits = self._settings.limits
        size_bytes = request.content_length
        content = request.content
        if max(size_bytes or 0, content.total_bytes) > limits.max_body_bytes:
            return _too_large(limits)
        if content.is_eof() and content.total_bytes <= SMALL_BYTES:
            return await _answer_to(caller, content.read_nowait(), connection, limits)
        try:
            async with asyncio.timeout(limits.request_timeout_s) as scope:
                held = limits.max_body_bytes if size_bytes is None else size_bytes
                async with self._budget.hold(held):
                    body = await request.read()
                    scope.reschedule(None)
                    return await _answer_to(caller, body, connection, limits)
        except web.HTTPRequestEntityTooLarge:
            return _too_large(limits)
        except TimeoutError:
            return _refusal(RequestTimedOut(), HTTPStatus.REQUEST_TIMEOUT)

    def _judge_host(self, header: str) -> bool:
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

    def _allow_origin(self, request: web.BaseRequest, response: web.Response) -> None:
        allowed = self._settings.allowed_origins
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and (ANY in allowed or origin in allowed):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = ANY if ANY in allowed else origin


async def _answer_to(
    caller: Caller, body: bytes, connection: HttpConnection, limits: Limits
) -> web.Response:
    connection.body_came()
    text = await answer(caller, body, limits, connection.meter)
    return web.Response() if text is None else _json_response(text)


def _wants_websocket(request: web.BaseRequest) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _preflight() -> web.Response:
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: hdrs.METH_POST,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "content-type",
            hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_MAX_AGE_S,
        },
    )


def _too_large(limits: Limits) -> web.Response:
    error = InvalidRequest(f"content length too large: want at most {limits.max_body_bytes} bytes")
    return _refusal(error, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _refusal(error: RpcError, status: HTTPStatus) -> web.Response:
    response = _json_response(error_text(None, error), status)
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        response.headers[hdrs.RETRY_AFTER] = RETRY_AFTER_S
    return response


def _json_response(text: str, status: int = 200) -> web.Response:
    return web.Response(body=text.encode(), status=status, headers=CIMultiDict(JSON_HEADERS))


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
