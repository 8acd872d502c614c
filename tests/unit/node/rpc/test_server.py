"""What HTTP lets in, and how the server starts and stops, over the loopback interface."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientConnectionError, ClientResponse, ClientSession

from node.execution.jobs import Job, ResultT
from node.rpc.dispatcher import Limits
from node.rpc.server import CannotListen, RpcServer, RpcSettings, start_rpc_server
from tests.unit.node.rpc.fake_chain import FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import request, shared_node

pytestmark = pytest.mark.network

CHAIN_ID_REQUEST = json.dumps(request("eth_chainId"))
CHAIN_ID_ANSWER = {"jsonrpc": "2.0", "id": 1, "result": "0x539"}
JSON_TYPE = {"Content-Type": "application/json"}
PAGE = "https://wallet.example"

Headers = dict[str, str]


def with_server(
    check: Callable[[RpcServer, ClientSession], Awaitable[None]],
    settings: RpcSettings | None = None,
    chain: FakeChain | None = None,
) -> None:
    """Run a check against a server on a free port."""

    async def run() -> None:
        view = chain or small_chain()
        async with (
            await start_rpc_server(shared_node(view), port=0, settings=settings) as server,
            ClientSession() as session,
        ):
            await check(server, session)

    asyncio.run(run())


def exchange(
    method: str = "POST",
    body: bytes | str = CHAIN_ID_REQUEST,
    headers: Headers | None = None,
    settings: RpcSettings | None = None,
) -> tuple[int, Headers, str]:
    """Return status, headers and text of one HTTP request."""
    found: list[tuple[int, Headers, str]] = []

    async def check(server: RpcServer, session: ClientSession) -> None:
        response = await session.request(
            method, server.url, data=body, headers=JSON_TYPE if headers is None else headers
        )
        found.append((response.status, dict(response.headers), await response.text()))

    with_server(check, settings)
    return found[0]


def test_a_post_is_answered() -> None:
    status, headers, text = exchange()
    assert (status, json.loads(text)) == (200, CHAIN_ID_ANSWER)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Access-Control-Allow-Origin" not in headers


def test_a_notification_is_answered_with_nothing() -> None:
    status, _, text = exchange(body='{"jsonrpc":"2.0","method":"eth_chainId"}')
    assert (status, text) == (200, "")


@pytest.mark.parametrize(
    ("method", "headers", "status", "words"),
    [
        pytest.param("GET", JSON_TYPE, 405, "POST a request", id="get"),
        pytest.param("OPTIONS", JSON_TYPE, 405, "POST a request", id="options-without-cors"),
        pytest.param("PUT", JSON_TYPE, 405, "POST a request", id="put"),
        pytest.param("POST", {"Content-Type": "text/plain"}, 415, "only application", id="plain"),
        pytest.param(
            "POST",
            {"Content-Type": "application/x-www-form-urlencoded"},
            415,
            "only application/json is supported",
            id="form",
        ),
        pytest.param(
            "POST", {**JSON_TYPE, "Host": "evil.example"}, 403, "invalid host", id="other-host"
        ),
        pytest.param(
            "POST", {**JSON_TYPE, "Host": "[::1"}, 403, "invalid host", id="host-that-is-no-host"
        ),
        pytest.param("POST", {**JSON_TYPE, "Host": "localhost:9"}, 200, "0x539", id="localhost"),
        pytest.param("POST", {**JSON_TYPE, "Host": "10.0.0.1:9"}, 200, "0x539", id="ip-address"),
        pytest.param("POST", {**JSON_TYPE, "Host": "[::1]:9"}, 200, "0x539", id="ipv6-address"),
        pytest.param(
            "POST", {"Content-Type": "application/json; charset=utf-8"}, 200, "0x539", id="charset"
        ),
    ],
)
def test_what_http_says_is_checked(method: str, headers: Headers, status: int, words: str) -> None:
    found_status, _, text = exchange(method, headers=headers)
    assert found_status == status
    assert words in text


def test_a_host_can_be_allowed() -> None:
    settings = RpcSettings(allowed_hosts=("node.example",))
    headers = {**JSON_TYPE, "Host": "node.example"}
    assert exchange(headers=headers, settings=settings)[0] == 200


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        pytest.param((PAGE,), PAGE, PAGE, id="listed"),
        pytest.param((PAGE,), "https://other.example", None, id="not-listed"),
        pytest.param(("*",), PAGE, "*", id="any"),
        pytest.param((), PAGE, None, id="off-by-default"),
    ],
)
def test_a_web_page_reads_answers_only_where_it_is_listed(
    allowed: tuple[str, ...], origin: str, expected: str | None
) -> None:
    settings = RpcSettings(allowed_origins=allowed)
    _, headers, _ = exchange(headers={**JSON_TYPE, "Origin": origin}, settings=settings)
    assert headers.get("Access-Control-Allow-Origin") == expected


def test_a_listed_page_may_ask_first() -> None:
    settings = RpcSettings(allowed_origins=(PAGE,))
    status, headers, _ = exchange("OPTIONS", headers={"Origin": PAGE}, settings=settings)
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert headers["Access-Control-Allow-Headers"] == "content-type"


@pytest.mark.parametrize(
    ("size", "status"),
    [pytest.param(2_000, 200, id="at-the-bound"), pytest.param(2_001, 413, id="over-the-bound")],
)
def test_a_body_has_a_bound(size: int, status: int) -> None:
    settings = RpcSettings(limits=Limits(max_body_bytes=2_000))
    found_status, _, text = exchange(body=CHAIN_ID_REQUEST.ljust(size), settings=settings)
    assert found_status == status
    if status == 413:
        assert json.loads(text)["error"] == {
            "code": -32600,
            "message": "content length too large: want at most 2000 bytes",
        }


def test_a_body_without_a_length_has_the_same_bound() -> None:
    async def check(server: RpcServer, session: ClientSession) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b" " * 100

        response = await session.post(server.url, data=pieces(), headers=JSON_TYPE)
        assert response.status == 413

    with_server(check, RpcSettings(limits=Limits(max_body_bytes=2_000)))


def test_a_compressed_body_is_refused() -> None:
    headers = {**JSON_TYPE, "Content-Encoding": "gzip"}

    async def check(server: RpcServer, session: ClientSession) -> None:
        response = await session.post(server.url, data=b"{}", headers=headers)
        assert response.status == 415

    with_server(check)


class StuckChain(FakeChain):
    """A chain whose calls never return, but for `released`."""

    def __init__(self) -> None:
        super().__init__()
        self.add_block()
        self.started = asyncio.Event()
        self.released = asyncio.Event()

    async def execute(self, job: Job[ResultT]) -> ResultT:
        self.started.set()
        await self.released.wait()
        return await super().execute(job)


def test_a_call_that_takes_too_long_is_given_up() -> None:
    async def run() -> None:
        settings = RpcSettings(limits=Limits(request_timeout_s=0.05))
        async with (
            await start_rpc_server(shared_node(StuckChain()), port=0, settings=settings) as server,
            ClientSession() as session,
        ):
            batch = [request("eth_call", {}), request("eth_chainId")]
            answers = await (await session.post(server.url, json=batch)).json()
            assert [item["error"]["code"] for item in answers] == [-32002, -32002]

    asyncio.run(run())


def test_a_body_that_never_ends_is_given_up() -> None:
    async def run() -> None:
        settings = RpcSettings(limits=Limits(request_timeout_s=0.05))
        async with await start_rpc_server(
            shared_node(small_chain()), port=0, settings=settings
        ) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(
                b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
            writer.close()
            await writer.wait_closed()

    asyncio.run(run())


def test_requests_in_flight_finish_when_the_server_stops() -> None:
    async def run() -> None:
        chain = StuckChain()
        server = await start_rpc_server(shared_node(chain), port=0)
        async with ClientSession() as session, asyncio.TaskGroup() as group:
            serving = group.create_task(server.run())
            post = group.create_task(session.post(server.url, json=request("eth_call", {})))
            await chain.started.wait()
            server.stop()
            chain.released.set()
            response: ClientResponse = await post
            assert (await response.json())["result"] == "0xffee"
            await serving
            with pytest.raises(ClientConnectionError):
                await session.post(server.url, json=request("eth_chainId"))

    asyncio.run(run())


def test_cancelling_run_frees_the_port() -> None:
    async def run() -> None:
        server = await start_rpc_server(shared_node(small_chain()), port=0)
        task = asyncio.create_task(server.run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await (await start_rpc_server(shared_node(small_chain()), port=server.port)).close()

    asyncio.run(run())


def test_a_port_that_is_taken_is_named() -> None:
    async def check(server: RpcServer, _session: ClientSession) -> None:
        with pytest.raises(CannotListen, match=f"port {server.port}: .*choose another"):
            await start_rpc_server(shared_node(small_chain()), port=server.port)

    with_server(check)


def test_many_clients_are_answered_at_once() -> None:
    async def check(server: RpcServer, session: ClientSession) -> None:
        async def ask(number: int) -> int:
            body = {**request("eth_chainId"), "id": number}
            async with session.post(server.url, json=body) as response:
                return int((await response.json())["id"])

        assert await asyncio.gather(*(ask(number) for number in range(50))) == list(range(50))

    with_server(check)
