"""A development node that pushes: heads and transactions over WebSocket; its local socket."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.integration.node_process import DEV_ACCOUNT, SECOND_ACCOUNT, NodeProcess, dev_node

pytestmark = pytest.mark.network
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with dev_node(tmp_path_factory.mktemp("pushing")) as node:
        yield node


async def ask(socket: ClientWebSocketResponse, method: str, *params: object) -> object:
    """Return the result of a call; what is pushed meanwhile is left out."""
    await socket.send_json({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    while (message := await socket.receive_json()).get("id") != 7:
        continue
    assert "result" in message, message
    return message["result"]


def test_a_transaction_is_pushed_when_it_waits_and_its_block_when_it_is_made(
    node: NodeProcess,
) -> None:
    async def run() -> None:
        async with (
            asyncio.timeout(TIMEOUT_S),
            ClientSession() as session,
            session.ws_connect(node.url) as heads,
            session.ws_connect(node.url) as pending,
        ):
            await ask(heads, "eth_subscribe", "newHeads")
            await ask(pending, "eth_subscribe", "newPendingTransactions")
            wish = {"from": DEV_ACCOUNT, "to": SECOND_ACCOUNT, "value": "0x1"}
            tx_hash = await asyncio.to_thread(node.result, "eth_sendTransaction", wish)
            while (await pending.receive_json())["params"]["result"] != tx_hash:
                continue  # the validator sends one by itself
            pushed = []
            while True:
                pushed.append((await heads.receive_json())["params"]["result"]["hash"])
                receipt = await asyncio.to_thread(node.result, "eth_getTransactionReceipt", tx_hash)
                if receipt is not None and receipt["blockHash"] in pushed:
                    break
            assert receipt["status"] == "0x1"

    asyncio.run(run())


def test_a_transaction_is_sent_and_its_receipt_awaited_in_one_call(node: NodeProcess) -> None:
    wish = {"from": SECOND_ACCOUNT, "to": DEV_ACCOUNT, "value": "0x1", "gas": "0x5208"}
    filled = node.result("eth_fillTransaction", wish)["tx"]
    wish |= {"nonce": filled["nonce"], "maxFeePerGas": filled["maxFeePerGas"]}
    wish["maxPriorityFeePerGas"] = filled["maxPriorityFeePerGas"]
    raw = node.result("eth_signTransaction", wish)["raw"]
    receipt = node.result("eth_sendRawTransactionSync", raw)
    assert (receipt["status"], receipt["gasUsed"]) == ("0x1", "0x5208")


def test_the_socket_in_the_folder_answers_what_http_does_not(node: NodeProcess) -> None:
    path = node.log.parent / "data" / "cvm.ipc"

    async def run() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(path)
            body = {"jsonrpc": "2.0", "id": 1, "method": "admin_datadir", "params": []}
            writer.write(json.dumps(body).encode())
            assert json.loads(await reader.readline())["result"] == str(path.parent)
            writer.close()
            await writer.wait_closed()

    asyncio.run(run())
    assert node.ask("admin_datadir")["error"]["code"] == -32601


def test_the_rules_of_the_chain_are_told(node: NodeProcess) -> None:
    current = node.result("eth_config")["current"]
    assert (current["activationTime"], current["chainId"]) == (0, "0x7a69")
    assert current["precompiles"]["P256VERIFY"] == "0x0000000000000000000000000000000000000100"
    reach = node.result("eth_capabilities")
    assert reach["state"] == {"disabled": False, "oldestBlock": "0x0"}
