"""The listening ends of a node: which there are, what each answers, and that they are closed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from aiohttp import ClientSession, WSServerHandshakeError

from node.config import NodeConfig
from node.endpoints import open_endpoints, warn_of_public
from node.rpc.rpc_config import HttpConfig, WebSocketConfig
from node.rpc.server import RpcServer
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.fake_node import fake_self
from tests.unit.node.rpc.rpc_caller import request, shared_node

pytestmark = pytest.mark.network
TIMEOUT_S = 20

Check = Callable[[RpcServer | None, ClientSession], Awaitable[None]]


def config(folder: Path, **fields: object) -> NodeConfig:
    made = NodeConfig(
        datadir=folder,
        http=None,
        backend="reference",
        validator_key=None,
        instant=False,
        idle_blocks=True,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # fields that a test names


def with_endpoints(made: NodeConfig, check: Check) -> None:
    async def run() -> None:
        async with (
            asyncio.timeout(TIMEOUT_S),
            AsyncExitStack() as stack,
            ClientSession() as session,
        ):
            node = shared_node(small_chain(), fake_self())
            await check(await open_endpoints(node, made, stack), session)

    asyncio.run(run())


async def post(session: ClientSession, url: str, method: str) -> dict[str, object]:
    async with session.post(url, json=request(method)) as response:
        value = await response.json()
        assert isinstance(value, dict)
        return value


def test_http_and_websocket_share_a_port_and_keep_their_namespaces(tmp_path: Path) -> None:
    made = config(
        tmp_path,
        http=HttpConfig(port=0, namespaces=("eth",)),
        websocket=WebSocketConfig(port=0, namespaces=("net",)),
    )

    async def check(server: RpcServer | None, session: ClientSession) -> None:
        assert server is not None
        assert (await post(session, server.url, "eth_chainId"))["result"] == "0x539"
        assert "error" in await post(session, server.url, "net_version")
        async with session.ws_connect(server.ws_url) as socket:
            await socket.send_json(request("net_version"))
            assert (await socket.receive_json())["result"] == "1337"
            await socket.send_json(request("eth_chainId"))
            assert "error" in await socket.receive_json()

    with_endpoints(made, check)


def test_http_alone_opens_no_websocket(tmp_path: Path) -> None:
    async def check(server: RpcServer | None, session: ClientSession) -> None:
        assert server is not None
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(server.ws_url)

    with_endpoints(config(tmp_path, http=HttpConfig(port=0)), check)


def test_without_http_there_is_no_server_of_it(tmp_path: Path) -> None:
    async def check(server: RpcServer | None, _session: ClientSession) -> None:
        assert server is None

    with_endpoints(config(tmp_path, websocket=WebSocketConfig(port=0)), check)


def test_the_socket_in_the_folder_answers_admin_methods(tmp_path: Path) -> None:
    path = tmp_path / "cvm.ipc"

    async def check(_server: RpcServer | None, _session: ClientSession) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps(request("admin_datadir")).encode())
        assert json.loads(await reader.readline())["result"] == "/var/lib/cvm"
        writer.close()
        await writer.wait_closed()

    with_endpoints(config(tmp_path, ipc_path=path), check)
    assert not path.exists()


def test_a_path_too_long_for_a_socket_is_named_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 100) / "cvm.ipc"

    async def check(_server: RpcServer | None, _session: ClientSession) -> None:
        return None

    with structlog.testing.capture_logs() as lines:
        with_endpoints(config(tmp_path, ipc_path=path), check)
    assert [line["event"] for line in lines] == ["no IPC socket"]
    assert lines[0]["path"] == str(path)


@pytest.mark.parametrize(
    ("served", "warned"),
    [
        pytest.param(HttpConfig("0.0.0.0", 0), [], id="public-by-default"),
        pytest.param(HttpConfig("127.0.0.1", 0, ("admin", "eth")), [], id="admin-on-loopback"),
        pytest.param(HttpConfig("localhost", 0, ("debug",)), [], id="debug-on-localhost"),
        pytest.param(
            HttpConfig("0.0.0.0", 0, ("eth", "trace", "admin")),
            [["admin", "trace"]],
            id="admin-for-everybody",
        ),
        pytest.param(
            WebSocketConfig("0.0.0.0", 0, ("debug",)), [["debug"]], id="debug-over-websocket"
        ),
        pytest.param(None, [], id="off"),
    ],
)
def test_operators_methods_for_everybody_are_named_in_the_log(
    served: HttpConfig | WebSocketConfig | None, warned: list[list[str]]
) -> None:
    with structlog.testing.capture_logs() as lines:
        warn_of_public(served)
    assert [line["api"] for line in lines] == warned


def test_admin_and_debug_are_off_unless_they_are_named(tmp_path: Path) -> None:
    made = config(
        tmp_path,
        http=HttpConfig("0.0.0.0", 0),
        websocket=WebSocketConfig("0.0.0.0", 0),
    )

    async def check(server: RpcServer | None, session: ClientSession) -> None:
        assert server is not None
        url = f"127.0.0.1:{server.port}"
        methods = ("admin_nodeInfo", "debug_getBadBlocks", "trace_block", "anvil_mine")
        for method in methods:
            error = (await post(session, f"http://{url}", method))["error"]
            assert error == {
                "code": -32601,
                "message": f"the method {method} does not exist/is not available",
            }
        async with session.ws_connect(f"ws://{url}") as socket:
            for method in methods:
                await socket.send_json(request(method))
                assert (await socket.receive_json())["error"]["code"] == -32601

    with_endpoints(made, check)
