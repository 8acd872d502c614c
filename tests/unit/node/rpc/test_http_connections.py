"""Clients that send slowly, do not read, or are too many."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest

from node.execution.call_request import CallResult
from node.execution.jobs import Job, ResultT
from node.rpc import http_connections, rate_limit
from node.rpc.http_connections import ConnectionLimits
from node.rpc.rate_limit import RateLimit
from node.rpc.server import RpcServer, RpcSettings, start_rpc_server
from tests.unit.node.rpc.fake_chain import FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import request, shared_node

pytestmark = pytest.mark.network
TIMEOUT_S = 20
ELSEWHERE = "192.0.2.1"
BODY = json.dumps(request("eth_chainId")).encode()
HEAD = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
POST = HEAD % len(BODY) + BODY
QUICK = ConnectionLimits(head_timeout_s=0.05, write_timeout_s=0.05, idle_timeout_s=0.05)
PATIENT = ConnectionLimits()

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Check = Callable[[RpcServer], Awaitable[None]]


@pytest.fixture(autouse=True)
def sweep_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "SWEEP_EVERY_S", 0.01)


def with_server(
    check: Check,
    limits: ConnectionLimits,
    chain: FakeChain | None = None,
    rate: RateLimit | None = None,
) -> None:
    async def run() -> None:
        settings = RpcSettings(
            connections=limits, ws_namespaces=frozenset({"eth"}), rate_limit=rate
        )
        node = shared_node(chain or small_chain())
        async with (
            asyncio.timeout(TIMEOUT_S),
            await start_rpc_server(node, port=0, settings=settings) as server,
        ):
            try:
                await check(server)
            finally:
                await close_all()

    asyncio.run(run())


WRITERS: list[asyncio.StreamWriter] = []
"""Every client of the test under way."""


async def close_all() -> None:
    for writer in WRITERS:
        writer.transport.abort()
    await asyncio.gather(*(w.wait_closed() for w in WRITERS), return_exceptions=True)
    WRITERS.clear()


async def opened(server: RpcServer, data: bytes = b"") -> Client:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    WRITERS.append(writer)
    writer.write(data)
    return reader, writer


async def status(client: Client) -> int:
    """Return the status of the next answer and read all of it; 0 where the connection ends."""
    reader, _ = client
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0
    lines = head.split(b"\r\n")
    sizes = [line.split(b":")[1] for line in lines if line.lower().startswith(b"content-length")]
    await reader.readexactly(int(sizes[0]))
    return int(lines[0].split()[1])


async def ask(client: Client) -> int:
    client[1].write(POST)
    return await status(client)


@pytest.mark.parametrize(
    ("begun", "limits"),
    [
        pytest.param(b"", replace(PATIENT, idle_timeout_s=0.05), id="nothing"),
        pytest.param(b"POST / HT", replace(PATIENT, head_timeout_s=0.05), id="half-a-line"),
        pytest.param(POST[:60], replace(PATIENT, head_timeout_s=0.05), id="half-a-head"),
        pytest.param(POST, replace(PATIENT, idle_timeout_s=0.05), id="silent-afterwards"),
    ],
)
def test_who_owes_something_is_cut_off(begun: bytes, limits: ConnectionLimits) -> None:
    async def check(server: RpcServer) -> None:
        client = await opened(server, begun)
        if begun.startswith(POST):
            assert await status(client) == 200
        assert await status(client) == 0

    with_server(check, limits)


def test_a_head_that_comes_byte_by_byte_gets_no_more_time() -> None:
    async def check(server: RpcServer) -> None:
        reader, writer = await opened(server)
        sent = 0
        while not reader.at_eof() and sent < len(POST) - 1:
            writer.write(POST[sent : sent + 1])
            sent += 1
            try:
                async with asyncio.timeout(0.01):
                    await reader.read(1)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert sent < len(POST) - 1

    with_server(check, replace(PATIENT, head_timeout_s=0.05))


class StuckChain(FakeChain):
    """A chain whose calls wait for `released`."""

    def __init__(self) -> None:
        super().__init__(small_chain().blocks)
        self.started = asyncio.Event()
        self.released = asyncio.Event()

    async def execute(self, job: Job[ResultT]) -> ResultT:
        self.started.set()
        await self.released.wait()
        return await super().execute(job)


def test_who_waits_for_an_answer_is_not_cut_off() -> None:
    chain = StuckChain()
    body = json.dumps(request("eth_call", {})).encode()

    async def check(server: RpcServer) -> None:
        client = await opened(server, HEAD % len(body) + body)
        await chain.started.wait()
        idle = await opened(server)
        assert await status(idle) == 0  # others are cut off meanwhile
        chain.released.set()
        assert await status(client) == 200

    with_server(check, QUICK, chain)


def test_the_head_of_a_second_request_has_the_same_time() -> None:
    async def check(server: RpcServer) -> None:
        client = await opened(server, POST)
        assert await status(client) == 200
        client[1].write(POST[:60])
        assert await status(client) == 0

    with_server(check, replace(PATIENT, head_timeout_s=0.05))


class LargeChain(FakeChain):
    """A chain whose calls return more than sockets hold."""

    async def execute(self, job: Job[ResultT]) -> ResultT:
        result = CallResult(bytes(20_000_000), 21_000, None)
        return cast(ResultT, result)


def test_who_does_not_read_an_answer_is_cut_off() -> None:
    body = json.dumps(request("eth_call", {})).encode()

    async def check(server: RpcServer) -> None:
        client = await opened(server, HEAD % len(body) + body)
        assert b" 200 " in await client[0].readline()
        assert await status(await opened(server, POST[:60])) == 0  # after 0.5 s
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client[0].readexactly(40_000_000)

    limits = replace(PATIENT, write_timeout_s=0.05, head_timeout_s=0.5)
    with_server(check, limits, LargeChain(small_chain().blocks))


def test_an_open_websocket_may_be_silent() -> None:
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    async def check(server: RpcServer) -> None:
        reader, writer = await opened(server, upgrade)
        assert await reader.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        await reader.readuntil(b"\r\n\r\n")
        assert await status(await opened(server)) == 0
        writer.write(b"\x89\x80abcd")  # a ping
        assert await reader.readexactly(2) == b"\x8a\x00"

    with_server(check, QUICK)


def test_a_new_client_takes_the_place_of_who_waited_longest() -> None:
    async def check(server: RpcServer) -> None:
        first, second = await opened(server), await opened(server)
        assert await ask(second) == 200
        assert await ask(first) == 200
        third = await opened(server, POST)
        assert await status(third) == 200
        assert await status(second) == 0
        assert await ask(first) == 200

    with_server(check, replace(PATIENT, max_connections=2))


def test_a_client_has_a_bounded_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "client_of", lambda _peer: ELSEWHERE)

    async def check(server: RpcServer) -> None:
        first, second = await opened(server, POST), await opened(server, POST)
        assert [await status(first), await status(second)] == [200, 200]
        assert await status(await opened(server)) == 503
        second[1].close()
        await second[1].wait_closed()
        assert await ask(first) == 200
        assert await ask(await opened(server)) == 200

    with_server(check, replace(PATIENT, max_of_client=2))


def test_connections_of_this_machine_are_not_counted_by_address() -> None:
    async def check(server: RpcServer) -> None:
        clients = [await opened(server, POST) for _ in range(4)]
        assert [await status(client) for client in clients] == [200] * 4

    with_server(check, replace(PATIENT, max_of_client=2))


def test_who_asks_too_often_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "client_of", lambda _peer: ELSEWHERE)
    monkeypatch.setattr(rate_limit, "BURST_S", 1)

    async def check(server: RpcServer) -> None:
        client = await opened(server)
        assert [await ask(client) for _ in range(3)] == [200, 200, 429]
        client[1].write(POST)
        head = await client[0].readuntil(b"\r\n\r\n")
        assert b"\r\nRetry-After: 1\r\n" in head
        error = json.loads(await client[0].readuntil(b"}}"))["error"]
        assert error == {"code": -32005, "message": "rate limit exceeded: 2 requests per second"}

    with_server(check, PATIENT, rate=RateLimit(2, lambda: 0.0))


@pytest.mark.parametrize(
    ("path", "expected"),
    [pytest.param(b"/", 405, id="root"), pytest.param(b"/nothing", 404, id="another-path")],
)
def test_paths(path: bytes, expected: int) -> None:
    async def check(server: RpcServer) -> None:
        get = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert await status(await opened(server, get)) == expected

    with_server(check, PATIENT)
