"""WebSocket: requests and answers, what is pushed to whom, and which clients are let in or go."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from socket import SO_LINGER, SOL_SOCKET

import pytest
import uvloop
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from cvm.evm.log import Log
from cvm.evm.transaction import Transaction
from node.rpc.caller import RpcNode, rpc_node
from node.rpc.chain_view import BlockView, SyncProgress
from node.rpc.dispatcher import Limits
from node.rpc.events import ChainEvents, NewHead
from node.rpc.server import RpcServer, RpcSettings, start_rpc_server
from tests.p2p_cuts import LINGER_NOT
from tests.unit.node.rpc.fake_chain import (
    BOB,
    CONTRACT,
    GWEI,
    TOPIC,
    FakeChain,
    legacy_tx,
    receipt,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import request

pytestmark = pytest.mark.network

SETTINGS = RpcSettings(ws_namespaces=frozenset({"eth"}))
TIMEOUT_S = 20


class Node:
    """A chain in memory that a test makes blocks of, with the server before it."""

    def __init__(self) -> None:
        self.chain: FakeChain = small_chain()
        self.events = ChainEvents()
        self.shared: RpcNode = rpc_node(self.chain, lambda: 0.0, self.events)

    def add_block(self, *logs: Log) -> BlockView:
        nonce = 6 + len(self.chain.blocks)
        tx = legacy_tx(nonce, 2 * GWEI)
        receipts = [receipt(tx, 21_000, logs)]
        block = self.chain.add_block([tx], receipts)
        self.events.new_head(NewHead(block.header, (tx,), receipts))
        return block

    def add_pending(self, tx: Transaction) -> None:
        self.chain.pool.append(tx)
        self.events.new_pending(tx)


Check = Callable[[Node, RpcServer, ClientSession], Awaitable[None]]


def with_node(check: Check, settings: RpcSettings = SETTINGS) -> None:
    async def run() -> None:
        node = Node()
        async with (
            asyncio.timeout(TIMEOUT_S),
            await start_rpc_server(node.shared, port=0, settings=settings) as server,
            ClientSession() as session,
        ):
            await check(node, server, session)

    uvloop.run(run())  # as a node does


async def call(socket: ClientWebSocketResponse, method: str, *params: object) -> object:
    await socket.send_str(json.dumps(request(method, *params)))
    response = await socket.receive_json()
    return response.get("result", response.get("error"))


async def pushed(socket: ClientWebSocketResponse) -> tuple[str, object]:
    """Return the subscription and the result of the next notification."""
    message = await socket.receive_json()
    assert (message["jsonrpc"], message["method"]) == ("2.0", "eth_subscription")
    return message["params"]["subscription"], message["params"]["result"]


async def several(
    socket: ClientWebSocketResponse, count: int
) -> AsyncIterator[tuple[str, dict[str, object]]]:
    for _ in range(count):
        subscription, result = await pushed(socket)
        assert isinstance(result, dict)
        yield subscription, result


def test_requests_are_answered_as_over_http() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            assert await call(socket, "eth_chainId") == "0x539"
            await socket.send_str(json.dumps([request("eth_chainId"), request("eth_blockNumber")]))
            answers = await socket.receive_json()
            assert [answer["result"] for answer in answers] == ["0x539", "0x3"]
            await socket.send_str("{")
            assert (await socket.receive_json())["error"]["code"] == -32700
            assert await call(socket, "web3_sha3", "0x") == {
                "code": -32601,
                "message": "the method web3_sha3 does not exist/is not available",
            }

    with_node(check)


def test_new_heads_are_pushed_to_all_and_end_with_their_subscription() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with (
            session.ws_connect(server.ws_url) as first,
            session.ws_connect(server.ws_url) as second,
        ):
            ids = [await call(each, "eth_subscribe", "newHeads") for each in (first, second)]
            assert ids[0] != ids[1]
            header = node.add_block().header
            for socket, subscription in zip((first, second), ids, strict=True):
                found, head = await pushed(socket)
                assert found == subscription
                assert isinstance(head, dict)
                assert head["hash"] == "0x" + header.hash.hex()
                assert (head["number"], head["baseFeePerGas"]) == ("0x4", hex(GWEI))
                assert "transactions" not in head
            assert await call(first, "eth_unsubscribe", ids[0]) is True
            assert await call(first, "eth_unsubscribe", ids[0]) == {
                "code": -32000,
                "message": "subscription not found",
            }
            node.add_block()
            assert (await pushed(second))[0] == ids[1]
            assert await call(first, "eth_blockNumber") == "0x5"

    with_node(check)


def test_a_client_ends_only_its_own_subscriptions() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with (
            session.ws_connect(server.ws_url) as first,
            session.ws_connect(server.ws_url) as second,
        ):
            subscription = await call(first, "eth_subscribe", "newHeads")
            refused = await call(second, "eth_unsubscribe", subscription)
            assert refused == {"code": -32000, "message": "subscription not found"}
            assert await call(first, "eth_unsubscribe", subscription) is True

    with_node(check)


def test_logs_are_pushed_to_those_whose_filter_lets_them_through() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            wanted = {"address": "0x" + CONTRACT.hex(), "topics": [["0x" + TOPIC.hex()]]}
            narrow = await call(socket, "eth_subscribe", "logs", wanted)
            wide = await call(socket, "eth_subscribe", "logs")
            node.add_block(Log(BOB, (TOPIC,), b"\x01"), Log(CONTRACT, (TOPIC,), b"\x02"))
            found = [await pushed(socket) for _ in range(3)]
            read = [
                (each, log["data"], log["logIndex"]) for each, log in found if isinstance(log, dict)
            ]
            assert read == [(narrow, "0x02", "0x1"), (wide, "0x01", "0x0"), (wide, "0x02", "0x1")]

    with_node(check)


def test_waiting_transactions_are_pushed_as_hashes_or_whole() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            hashes = await call(socket, "eth_subscribe", "newPendingTransactions")
            whole = await call(socket, "eth_subscribe", "newPendingTransactions", True)
            tx = legacy_tx(6, 2 * GWEI)
            node.add_pending(tx)
            assert await pushed(socket) == (hashes, "0x" + tx.hash.hex())
            subscription, result = await pushed(socket)
            assert subscription == whole
            assert isinstance(result, dict)
            assert (result["hash"], result["blockHash"]) == ("0x" + tx.hash.hex(), None)

    with_node(check)


def test_catching_up_is_told_when_it_begins_and_when_it_ends() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            subscription = await call(socket, "eth_subscribe", "syncing")
            node.chain.progress = SyncProgress(3, 4, 900)
            node.add_block()
            node.add_block()
            status = {"startingBlock": "0x3", "currentBlock": "0x4", "highestBlock": "0x384"}
            assert await pushed(socket) == (subscription, {"syncing": True, "status": status})
            node.chain.progress = None
            node.add_block()
            assert await pushed(socket) == (subscription, False)

    with_node(check)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        pytest.param(
            ("newBlocks",), (-32601, 'no "newBlocks" subscription in eth namespace'), id="no-such"
        ),
        pytest.param((), (-32602, "missing value for required argument 0"), id="no-name"),
        pytest.param(
            (7,),
            (-32602, "invalid argument 0: expected subscription name as first argument"),
            id="name-that-is-a-number",
        ),
        pytest.param(
            ("logs", {"toBlock": "0x1"}), (-32602, "invalid block range params"), id="past-logs"
        ),
        pytest.param(
            ("logs", 5), (-32602, "invalid argument 1: 5 is not an object"), id="no-filter"
        ),
        pytest.param(
            ("newPendingTransactions", 1),
            (
                -32602,
                "invalid argument 1: json: cannot unmarshal number into Go value of type bool",
            ),
            id="no-flag",
        ),
        pytest.param(
            ("newHeads", {}), (-32602, "too many arguments, want at most 1"), id="heads-of-what"
        ),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(
    params: tuple[object, ...], error: tuple[int, str]
) -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            found = await call(socket, "eth_subscribe", *params)
            assert found == {"code": error[0], "message": error[1]}

    with_node(check)


def test_a_client_has_a_bounded_number_of_subscriptions() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            for _ in range(128):
                assert isinstance(await call(socket, "eth_subscribe", "newHeads"), str)
            assert await call(socket, "eth_subscribe", "newHeads") == {
                "code": -32005,
                "message": "a client may have 128 subscriptions",
            }

    with_node(check)


def test_http_pushes_nothing() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.post(server.url, json=request("eth_subscribe", "newHeads")) as response:
            assert (await response.json())["error"] == {
                "code": -32601,
                "message": "notifications not supported",
            }

    with_node(check)


def test_messages_of_every_length_arrive_in_order() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            await call(socket, "eth_subscribe", "logs")
            sizes = [0, 1, 200, 40_000, 3]
            node.add_block(*(Log(BOB, (), bytes(size)) for size in sizes))
            found = [result async for _, result in several(socket, len(sizes))]
            assert [len(str(log["data"])) // 2 - 1 for log in found] == sizes

    with_node(check)


def test_a_client_that_does_not_read_is_told_why_it_is_disconnected() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            await call(socket, "eth_subscribe", "newHeads")
            for _ in range(25_000):  # more than sockets and the outbox hold
                node.events.new_head(NewHead(node.chain.head(), (), ()))
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                continue
            assert message.type is WSMsgType.CLOSE
            assert (message.data, str(message.extra).split(":")[0]) == (1008, "too slow")

    with_node(check)


def test_a_client_whose_connection_is_reset_ends_without_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def check(node: Node, server: RpcServer, _session: ClientSession) -> None:
        ended = asyncio.Event()

        def remove(subscription: object) -> None:
            ended.set()

        node.shared.subscriptions.remove = remove  # type: ignore[method-assign]
        async with ClientSession() as leaving:
            socket = await leaving.ws_connect(server.ws_url)
            await call(socket, "eth_subscribe", "newHeads")
            socket.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, LINGER_NOT)
        while not ended.is_set():
            for _ in range(20):
                node.events.new_head(NewHead(node.chain.head(), (), ()))
            await asyncio.sleep(0)

    with_node(check)
    assert caplog.records == []


def test_a_subscription_ends_with_its_connection() -> None:
    async def check(node: Node, server: RpcServer, session: ClientSession) -> None:
        ended = asyncio.Event()
        removed = node.shared.subscriptions.remove

        def remove(subscription: object) -> None:
            removed(subscription)  # type: ignore[arg-type]
            ended.set()

        node.shared.subscriptions.remove = remove  # type: ignore[method-assign]
        async with session.ws_connect(server.ws_url) as socket:
            await call(socket, "eth_subscribe", "newHeads")
        await ended.wait()

    with_node(check)


def test_a_message_over_the_bound_closes_the_connection() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            await socket.send_str(json.dumps(request("web3_sha3", "0x" + "00" * 500)))
            message = await socket.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)

    with_node(check, replace(SETTINGS, ws_limits=Limits(max_body_bytes=1_000)))


PAGE = "https://wallet.example"
WITH_PAGE = replace(SETTINGS, ws_origins=(PAGE,))


@pytest.mark.parametrize(
    "origin", [pytest.param(None, id="no-browser"), pytest.param(PAGE, id="listed-page")]
)
def test_programs_and_listed_web_pages_connect(origin: str | None) -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url, origin=origin) as socket:
            assert await call(socket, "eth_chainId") == "0x539"

    with_node(check, WITH_PAGE)


def test_a_web_page_that_is_not_listed_is_refused() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(server.ws_url, origin="https://other.example")
        assert refused.value.status == 403

    with_node(check, WITH_PAGE)


def test_a_listener_for_websockets_alone_answers_no_post() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.post(server.url, json=request("eth_chainId")) as response:
            assert response.status == 426
        async with session.ws_connect(server.ws_url) as socket:
            assert await call(socket, "eth_chainId") == "0x539"

    with_node(check, replace(SETTINGS, http_namespaces=None))


def test_http_alone_opens_no_websocket() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(server.ws_url)
        assert refused.value.status == 405

    with_node(check, RpcSettings())


def test_clients_are_told_when_the_server_stops() -> None:
    async def check(_node: Node, server: RpcServer, session: ClientSession) -> None:
        async with session.ws_connect(server.ws_url) as socket:
            await call(socket, "eth_chainId")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.close())
                message = await socket.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)

    with_node(check)
