"""The pool of a running node, from outside: order of arrival, subscriptions, a restart."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from node.chain import Chain
from node.config import NodeConfig
from node.rpc.rpc_config import HttpConfig, WebSocketConfig
from node.rpc.server import RpcServer
from node.service import run_node
from tests.chain_world import USER, ChainWorld, address_of, genesis_document, signed

pytestmark = pytest.mark.network

GENESIS = json.dumps(genesis_document()).encode()
TIMEOUT_S = 180
"""The first node on a machine compiles its kernels."""
RECIPIENT = b"\xee" * 20
SENDER = "0x" + address_of(USER).hex()
Scene = Callable[[ClientWebSocketResponse], Awaitable[None]]


def run(folder: Path, scene: Scene) -> None:
    """Play a scene with a node that follows its chain, and stop the node."""
    namespaces = ("eth", "txpool")
    config = NodeConfig(
        datadir=folder,
        http=HttpConfig(port=0, namespaces=namespaces),
        websocket=WebSocketConfig(port=0, namespaces=namespaces),
        backend="reference",
        validator_key=None,
        instant=True,
        idle_blocks=False,
    )

    async def play() -> None:
        ready: asyncio.Future[RpcServer] = asyncio.get_running_loop().create_future()

        def answers(_chain: Chain, server: RpcServer | None) -> None:
            assert server is not None
            ready.set_result(server)

        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            node = tasks.create_task(run_node(config, answers))
            server = await ready
            async with ClientSession() as session, session.ws_connect(server.ws_url) as socket:
                await scene(socket)
            os.kill(os.getpid(), signal.SIGTERM)
            await node

    asyncio.run(play())


async def ask(socket: ClientWebSocketResponse, method: str, *params: object) -> Any:
    """Return the result of a request; what is pushed meanwhile is not looked for."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    await socket.send_str(json.dumps(request))
    response = await socket.receive_json()
    return response["result"]


async def send(socket: ClientWebSocketResponse, nonce: int) -> str:
    raw = signed(USER, nonce, to=RECIPIENT, gas=21_000)
    return str(await ask(socket, "eth_sendRawTransaction", "0x" + raw.hex()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a data directory with a genesis block."""
    ChainWorld(tmp_path, GENESIS).close()
    return tmp_path


def test_a_gap_is_filled_and_all_of_it_is_there_after_a_restart(folder: Path) -> None:
    hashes: list[str] = []

    async def before(socket: ClientWebSocketResponse) -> None:
        hashes.append(await send(socket, 1))
        assert await ask(socket, "txpool_status") == {"pending": "0x0", "queued": "0x1"}
        assert await ask(socket, "eth_getTransactionCount", SENDER, "pending") == "0x0"
        waiting = await ask(socket, "eth_getTransactionByHash", hashes[0])
        assert (waiting["nonce"], waiting["blockHash"]) == ("0x1", None)
        hashes.insert(0, await send(socket, 0))
        await hold(socket)

    async def hold(socket: ClientWebSocketResponse) -> None:
        assert await ask(socket, "txpool_status") == {"pending": "0x2", "queued": "0x0"}
        assert await ask(socket, "eth_getTransactionCount", SENDER, "pending") == "0x2"
        assert await ask(socket, "eth_getTransactionCount", SENDER, "latest") == "0x0"
        content = await ask(socket, "txpool_contentFrom", SENDER)
        assert [tx["hash"] for tx in content["pending"].values()] == hashes

    run(folder, before)
    run(folder, hold)


def test_subscribers_hear_of_a_transaction_when_it_can_run(folder: Path) -> None:
    async def scene(socket: ClientWebSocketResponse) -> None:
        subscription = await ask(socket, "eth_subscribe", "newPendingTransactions")
        second = await send(socket, 1)
        raw = signed(USER, 0, to=RECIPIENT, gas=21_000)
        request = {"id": 9, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
        await socket.send_str(json.dumps({"jsonrpc": "2.0", **request}))
        messages = [await socket.receive_json() for _ in range(3)]
        [first] = [message["result"] for message in messages if "id" in message]
        pushed = [message["params"] for message in messages if "id" not in message]
        assert pushed == [
            {"subscription": subscription, "result": each} for each in (first, second)
        ]

    run(folder, scene)
