"""A development node from outside: what it says at start, and its answer to bad requests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account

from cvm.evm.transaction import BLOB
from cvm.evm.transaction_signing import UnsignedTransaction
from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import GENESIS_HASH_SLOT
from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    SECOND_ACCOUNT,
    NodeProcess,
    cvm,
    dev_node,
    wait_until,
)

pytestmark = pytest.mark.network
DEV_CHAIN_ID = 31_337
UNKNOWN = "0x" + "99" * 32


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with dev_node(tmp_path_factory.mktemp("dev")) as node:
        yield node


def signed(nonce: int = 0, chain_id: int = DEV_CHAIN_ID, **fields: Any) -> str:
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "to": SECOND_ACCOUNT,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
    } | fields
    raw = bytes(Account.sign_transaction(transaction, DEV_KEY).raw_transaction)
    return f"0x{raw.hex()}"


def blob() -> str:
    transaction = UnsignedTransaction(
        type_id=BLOB,
        chain_id=DEV_CHAIN_ID,
        nonce=0,
        max_fee_per_gas=10**11,
        to=bytes.fromhex(SECOND_ACCOUNT[2:]),
        max_fee_per_blob_gas=1,
        blob_versioned_hashes=(b"\1" + bytes(31),),
    )
    return f"0x{transaction.sign(bytes.fromhex(DEV_KEY.removeprefix('0x'))).raw.hex()}"


def error_of(node: NodeProcess, method: str, *params: object) -> tuple[int, str]:
    error = node.ask(method, *params)["error"]
    assert "Traceback" not in error["message"]
    return error["code"], error["message"]


def test_accounts_are_funded_as_anvils(node: NodeProcess) -> None:
    assert node.result("eth_getBalance", DEV_ACCOUNT, "0x0") == hex(10_000 * 10**18)
    assert node.result("eth_chainId") == hex(DEV_CHAIN_ID)


def test_an_idle_node_makes_blocks(node: NodeProcess) -> None:
    first = int(node.result("eth_blockNumber"), 16)
    wait_until(lambda: int(node.result("eth_blockNumber"), 16) > first)


def test_the_contract_keeps_block_0s_hash_without_being_asked_to(node: NodeProcess) -> None:
    slot = (f"0x{VALIDATOR_SET.hex()}", hex(GENESIS_HASH_SLOT), "latest")
    wait_until(lambda: int(node.result("eth_getStorageAt", *slot), 16) != 0)
    assert (
        node.result("eth_getStorageAt", *slot)
        == node.result("eth_getBlockByNumber", "0x0", False)["hash"]
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param("0x", "cannot decode transaction: no bytes", id="nothing"),
        pytest.param("0xc0", "cannot decode transaction", id="an empty list"),
        pytest.param("0xf8", "cannot decode transaction: the length", id="bad RLP"),
        pytest.param("0x02" + "c1" * 9_000, "cannot decode transaction", id="nested RLP"),
        pytest.param(blob(), "type not supported: received type 3", id="a blob transaction"),
        pytest.param(signed(chain_id=1), "have 1 want 31337", id="wrong chain id"),
        pytest.param(signed(gas=20_000), "intrinsic gas too low: have 20000", id="little gas"),
        pytest.param(signed(value=10**30), "insufficient funds", id="no funds"),
        pytest.param("0x" + "00" * 140_000, "transaction size 140000", id="too large"),
    ],
)
def test_a_bad_transaction_is_refused_with_the_rule(
    node: NodeProcess, raw: str, words: str
) -> None:
    code, message = error_of(node, "eth_sendRawTransaction", raw)
    assert code == -32000
    assert words in message
    assert node.result("eth_getTransactionCount", DEV_ACCOUNT, "pending") == "0x0"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        pytest.param("eth_getBalance", ["0x12", "latest"], -32602, id="short hex"),
        pytest.param("eth_getBalance", ["f39F", "latest"], -32602, id="hex without 0x"),
        pytest.param("eth_sendRawTransaction", ["0xabc"], -32602, id="half a byte"),
        pytest.param("eth_getBalance", [], -32602, id="no parameter"),
        pytest.param("eth_getBlockByNumber", ["0x01", False], -32602, id="a leading zero"),
        pytest.param("eth_noSuchMethod", [], -32601, id="no method"),
        pytest.param("cvm_getModel", ["0x99"], -32602, id="a short model id"),
        pytest.param("cvm_estimateInference", [UNKNOWN, "0x1"], -32000, id="no such model"),
    ],
)
def test_a_bad_request_has_a_code(
    node: NodeProcess, method: str, params: list[object], code: int
) -> None:
    assert error_of(node, method, *params)[0] == code


def test_an_unregistered_model_is_null(node: NodeProcess) -> None:
    assert node.result("cvm_getModel", UNKNOWN) is None
    assert node.result("cvm_listModels") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 50_000, b"\xff", b"5", b"[]"])
def test_a_body_that_is_no_request_is_answered(node: NodeProcess, body: bytes) -> None:
    answer = node.post(body)
    assert answer["error"]["code"] in (-32700, -32600)


def test_a_gap_is_filled_by_the_missing_nonce(node: NodeProcess) -> None:
    second = node.result("eth_sendRawTransaction", signed(nonce=1))
    assert node.result("txpool_status") == {"pending": "0x0", "queued": "0x1"}
    assert node.result("eth_getTransactionCount", DEV_ACCOUNT, "pending") == "0x0"
    first = node.result("eth_sendRawTransaction", signed(nonce=0))
    wait_until(lambda: node.result("eth_getTransactionReceipt", second) is not None)
    for tx_hash, nonce in ((first, "0x0"), (second, "0x1")):
        included = node.result("eth_getTransactionByHash", tx_hash)
        assert (included["nonce"], included["blockHash"] is None) == (nonce, False)
    assert node.result("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_a_chain_can_be_exported_while_it_runs(
    node: NodeProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("copy")
    data = str(node.log.parent / "data")
    genesis = cvm("genesis-of", "--datadir", data)
    assert genesis.returncode == 0, genesis.stderr
    (folder / "genesis.json").write_text(genesis.stdout)
    exported = cvm("export", str(folder / "chain.cvm"), "--datadir", data)
    assert exported.returncode == 0, exported.stderr
    copy = str(folder / "data")
    assert cvm("init", str(folder / "genesis.json"), "--datadir", copy).returncode == 0
    imported = cvm(
        "import", str(folder / "chain.cvm"), "--datadir", copy, "--backend", "reference", "--json"
    )
    assert imported.returncode == 0, imported.stderr
    report = json.loads(imported.stdout)
    block = node.result("eth_getBlockByNumber", hex(report["head"]), False)
    assert (block["hash"], block["stateRoot"]) == (report["headHash"], report["stateRoot"])


def test_nothing_of_this_left_a_traceback_in_the_log(node: NodeProcess) -> None:
    assert "Traceback" not in node.log.read_text()
