"""Answers have the forms that execution-apis publishes: schemas, and the keys of examples."""

import json
import tarfile
from pathlib import Path

import pytest

from tests.json_schema import mismatch
from tests.unit.node.rpc.fake_chain import (
    ALICE,
    GWEI,
    FakeChain,
    access_list_tx,
    dynamic_fee_tx,
    legacy_tx,
    set_code_tx,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import result

ARCHIVE = Path(__file__).parents[5] / "shared" / "conformance" / "rpc-compat.tar.xz"
SOURCE = "public source: https://github.com/ethereum/execution-apis, its tests and openrpc.json"

ALICE_HEX = "0x" + ALICE.hex()
CALL = {"to": "0x" + "cc" * 20}
FIRST_BLOCK = small_chain().blocks[1]
BLOCK_HASH = "0x" + FIRST_BLOCK.header.hash.hex()
TX_HASHES = ["0x" + tx.hash.hex() for tx in small_chain().blocks[2].transactions]


@pytest.fixture(scope="module")
def published() -> dict[str, str]:
    """Return the published texts by path."""
    if not ARCHIVE.exists():
        pytest.skip(f"rpc-compat.tar.xz is not beside the repository; {SOURCE}")
    texts = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith((".io", "openrpc.json")):
                texts[member.name.split("rpc/", 1)[-1]] = content.read().decode()
    return texts


def waiting_chain() -> FakeChain:
    """Return the small chain with two transactions pending and two queued."""
    chain = small_chain()
    chain.pool = [legacy_tx(6, GWEI), dynamic_fee_tx(7, GWEI)]
    chain.queue = [access_list_tx(9, GWEI), set_code_tx(12)]
    return chain


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("eth_accounts", (), id="accounts"),
        pytest.param("eth_baseFee", (), id="base-fee"),
        pytest.param("eth_blobBaseFee", (), id="blob-base-fee"),
        pytest.param("eth_blockNumber", (), id="height"),
        pytest.param("eth_call", (CALL, "latest"), id="call"),
        pytest.param("eth_chainId", (), id="chain-id"),
        pytest.param("eth_estimateGas", (CALL,), id="estimate"),
        pytest.param("eth_feeHistory", ("0x4", "latest", [5, 95]), id="fee-history"),
        pytest.param("eth_feeHistory", ("0x0", "latest", []), id="no-fee-history"),
        pytest.param("eth_gasPrice", (), id="gas-price"),
        pytest.param("eth_getBalance", (ALICE_HEX, "latest"), id="balance"),
        pytest.param("eth_getBlockByHash", (BLOCK_HASH, False), id="block-by-hash"),
        pytest.param("eth_getBlockByNumber", ("0x0", True), id="genesis"),
        pytest.param("eth_getBlockByNumber", ("0x1", True), id="full-block"),
        pytest.param("eth_getBlockByNumber", ("0x2", True), id="full-block-of-later-types"),
        pytest.param("eth_getBlockByNumber", ("0x9", True), id="no-block"),
        pytest.param("eth_getBlockReceipts", ("0x1",), id="receipts-with-logs"),
        pytest.param("eth_getBlockReceipts", ("0x2",), id="receipts-of-later-types"),
        pytest.param("eth_getBlockTransactionCountByHash", (BLOCK_HASH,), id="count-by-hash"),
        pytest.param("eth_getBlockTransactionCountByNumber", ("0x1",), id="count-by-number"),
        pytest.param("eth_getCode", (ALICE_HEX, "latest"), id="code"),
        pytest.param("eth_getLogs", ({"fromBlock": "0x0"},), id="logs"),
        pytest.param("eth_getStorageAt", (ALICE_HEX, "0x0", "latest"), id="storage"),
        pytest.param("eth_getTransactionByBlockHashAndIndex", (BLOCK_HASH, "0x0"), id="legacy"),
        pytest.param("eth_getTransactionByBlockNumberAndIndex", ("0x1", "0x1"), id="access-list"),
        pytest.param("eth_getTransactionByHash", (TX_HASHES[0],), id="creation"),
        pytest.param("eth_getTransactionByHash", (TX_HASHES[1],), id="set-code"),
        pytest.param("eth_getTransactionCount", (ALICE_HEX, "pending"), id="nonce"),
        pytest.param("eth_getTransactionReceipt", (TX_HASHES[2],), id="blob-receipt"),
        pytest.param("eth_maxPriorityFeePerGas", (), id="tip"),
        pytest.param("eth_sendRawTransaction", ("0x02",), id="send"),
        pytest.param("eth_syncing", (), id="syncing"),
        pytest.param("net_version", (), id="network"),
        pytest.param("txpool_content", (), id="pool"),
        pytest.param("txpool_contentFrom", (ALICE_HEX,), id="pool-of-one"),
        pytest.param("txpool_status", (), id="pool-status"),
    ],
)
def test_an_answer_fits_its_schema(
    published: dict[str, str], method: str, params: tuple[object, ...]
) -> None:
    specification = json.loads(published["openrpc.json"])
    schemas = {entry["name"]: entry["result"]["schema"] for entry in specification["methods"]}
    answer = result(waiting_chain(), method, *params)
    assert mismatch(answer, schemas[method], specification["components"]["schemas"]) is None


@pytest.mark.parametrize(
    ("example", "method", "params"),
    [
        pytest.param(
            "eth_getTransactionByHash/get-access-list.io",
            "eth_getTransactionByBlockNumberAndIndex",
            ("0x1", "0x1"),
            id="access-list-transaction",
        ),
        pytest.param(
            "eth_getTransactionByHash/get-blob-tx.io",
            "eth_getTransactionByHash",
            (TX_HASHES[2],),
            id="blob-transaction",
        ),
        pytest.param(
            "eth_getTransactionReceipt/get-blob-tx.io",
            "eth_getTransactionReceipt",
            (TX_HASHES[2],),
            id="blob-receipt",
        ),
        pytest.param(
            "eth_getBlockByNumber/get-finalized.io",
            "eth_getBlockByNumber",
            ("0x1", True),
            id="prague-block",
        ),
        pytest.param(
            "eth_feeHistory/fee-history.io",
            "eth_feeHistory",
            ("0x1", "0x1", [95, 99]),
            id="fee-history",
        ),
        pytest.param("eth_syncing/check-syncing.io", "eth_syncing", (), id="syncing"),
        pytest.param("txpool_status/get-status.io", "txpool_status", (), id="pool-status"),
        pytest.param(
            "txpool_contentFrom/get-content-from-address.io",
            "txpool_contentFrom",
            ("0x" + "00" * 20,),
            id="pool-of-nobody",
        ),
    ],
)
def test_an_answer_has_the_keys_of_the_example(
    published: dict[str, str], example: str, method: str, params: tuple[object, ...]
) -> None:
    line = next(line for line in published[example].splitlines() if line.startswith("<< "))
    expected = json.loads(line.removeprefix("<< "))["result"]
    answer = result(small_chain(), method, *params)
    assert type(answer) is type(expected)
    if isinstance(expected, dict):
        assert isinstance(answer, dict)
        assert set(answer) == set(expected)
