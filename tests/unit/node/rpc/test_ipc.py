"""The socket in the data directory: values one after the other, for its owner, with all methods."""

import asyncio
import json
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from node.rpc.caller import LOCAL_NAMESPACES, RpcNode, rpc_node
from node.rpc.events import ChainEvents, NewHead
from node.rpc.ipc import IpcServer, close
from node.rpc.server import CannotListen
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import request

pytestmark = pytest.mark.network

TIMEOUT_S = 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def with_socket(
    folder: Path, check: Callable[[RpcNode, Path], Awaitable[None]], namespaces: str = ""
) -> None:
    async def run() -> None:
        node = rpc_node(small_chain(), lambda: 0.0, ChainEvents())
        allowed = frozenset(namespaces.split()) or LOCAL_NAMESPACES
        async with (
            asyncio.timeout(TIMEOUT_S),
            IpcServer(node, folder / "cvm.ipc", allowed) as server,
        ):
            await check(node, server.path)

    asyncio.run(run())


async def read_json(reader: asyncio.StreamReader) -> dict[str, object]:
    value = json.loads(await reader.readline())
    assert isinstance(value, dict)
    return value


def test_requests_follow_each_other_with_and_without_line_ends(tmp_path: Path) -> None:
    async def check(_node: RpcNode, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        text = json.dumps(request("eth_chainId"))
        for piece in (text, text + "\n", text[:9], text[9:] + text):
            writer.write(piece.encode())
            await writer.drain()
        results = [(await read_json(reader))["result"] for _ in range(4)]
        assert results == ["0x539"] * 4
        await close(writer)

    with_socket(tmp_path, check)


def test_what_was_asked_before_the_end_is_answered(tmp_path: Path) -> None:
    async def check(_node: RpcNode, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps(request("eth_blockNumber")).encode())
        writer.write_eof()
        assert json.loads(await reader.read()) == {"jsonrpc": "2.0", "id": 1, "result": "0x3"}
        await close(writer)

    with_socket(tmp_path, check)


def test_it_pushes_too(tmp_path: Path) -> None:
    async def check(node: RpcNode, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps(request("eth_subscribe", "newHeads")).encode())
        subscription = (await read_json(reader))["result"]
        node.events.new_head(NewHead(node.chain.head(), (), ()))
        params = (await read_json(reader))["params"]
        assert isinstance(params, dict)
        assert (params["subscription"], params["result"]["number"]) == (subscription, "0x3")
        await close(writer)

    with_socket(tmp_path, check)


def test_a_namespace_that_is_off_is_not_there(tmp_path: Path) -> None:
    async def check(_node: RpcNode, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps(request("eth_chainId")).encode())
        assert (await read_json(reader))["error"] == {
            "code": -32601,
            "message": "the method eth_chainId does not exist/is not available",
        }
        await close(writer)

    with_socket(tmp_path, check, "net")


def test_the_socket_is_its_owners_and_goes_with_the_server(tmp_path: Path) -> None:
    modes = []

    async def check(_node: RpcNode, path: Path) -> None:
        modes.append(stat.S_IMODE((await asyncio.to_thread(path.stat)).st_mode))

    with_socket(tmp_path, check)
    assert modes == [0o600]
    assert not (tmp_path / "cvm.ipc").exists()


def test_a_socket_that_nobody_listens_on_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "cvm.ipc"))
    left.close()

    async def check(_node: RpcNode, path: Path) -> None:
        _reader, writer = await asyncio.open_unix_connection(path)
        await close(writer)

    with_socket(tmp_path, check)


def test_the_socket_of_another_node_is_left_alone(tmp_path: Path) -> None:
    async def check(node: RpcNode, path: Path) -> None:
        with pytest.raises(CannotListen, match="another node listens there"):
            await IpcServer(node, path, LOCAL_NAMESPACES).open()
        _reader, writer = await asyncio.open_unix_connection(path)
        await close(writer)

    with_socket(tmp_path, check)
