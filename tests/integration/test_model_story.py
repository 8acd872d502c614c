"""A model's whole life by `cvm model`, against a development node: from plain ONNX to retired."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from eth_account import Account
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner, Result

from models_registry.cli.registration import ACTIVATE_GAS, COMMIT_GAS, REGISTER_GAS
from node.cli.app import build_app
from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    SECOND_ACCOUNT,
    NodeProcess,
    dev_node,
    wait_until,
)

pytestmark = pytest.mark.network
APP = build_app(None)
CHAIN_ID = 31_337
TWIN = "0x" + "00" * 18 + "0c00"
ROW = [0.5, -1.25, 2.0, 3.5]
SENT = struct.pack(">8f", *ROW, *reversed(ROW))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with dev_node(tmp_path_factory.mktemp("dev")) as node:
        yield node


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("author")


def plain_model() -> bytes:
    """Return an opset 13 classifier of 600 kB with a symbolic batch, as a framework exports it."""
    rng = np.random.default_rng(7)
    first = rng.standard_normal((4, 3_000)).astype(np.float32)
    second = rng.standard_normal((3_000, 50)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w2"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 50])],
        [numpy_helper.from_array(first, "w1"), numpy_helper.from_array(second, "w2")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    assert isinstance(model, onnx.ModelProto)
    return bytes(model.SerializeToString())


def run(*arguments: object) -> Result:
    """Run a command in this process, which spares the imports."""
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def model(node: NodeProcess, command: str, *arguments: object) -> Any:
    """Run a command of `cvm model` that must succeed, and return what it says."""
    done = run("model", command, *arguments, "--rpc", node.url, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def send_inference(node: NodeProcess, model_id: str) -> str:
    """Send a transaction that runs the model on two items, and wait until it is included."""
    transaction = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": int(node.result("eth_getTransactionCount", DEV_ACCOUNT, "latest"), 16),
        "to": TWIN,
        "value": 0,
        "data": model_id + SENT.hex(),
        "gas": 3_000_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 0,
    }
    raw = Account.sign_transaction(transaction, DEV_KEY).raw_transaction
    tx_hash = node.result("eth_sendRawTransaction", f"0x{raw.hex()}")
    wait_until(lambda: node.result("eth_getTransactionReceipt", tx_hash) is not None)
    assert node.result("eth_getTransactionReceipt", tx_hash)["status"] == "0x1"
    return str(tx_hash)


def wait_for_block(node: NodeProcess, height: int) -> None:
    wait_until(lambda: int(node.result("eth_blockNumber"), 16) >= height)


def test_a_models_whole_life(node: NodeProcess, folder: Path) -> None:
    (folder / "plain.onnx").write_bytes(plain_model())
    strict = folder / "strict.onnx"
    registered = model(
        node, "register", folder / "plain.onnx", "--account", "dev", "--royalty", "100",
        "-o", strict,
    )  # fmt: skip
    model_id = registered["modelId"]
    assert registered["status"] == "active"
    assert list(registered["transactions"]) == ["commit", "register", "activate"]
    check_gas_that_was_told(node, registered["transactions"])

    status = model(node, "status", model_id)
    assert [stage["done"] for stage in status["stages"]] == [True] * 4

    answer = model(node, "infer", model_id, "--input", json.dumps([ROW, ROW[::-1]]))
    local = json.loads(run("infer", strict, "--input", saved_rows(folder), "--json").stdout)
    assert answer["outputs"] == local["outputs"]
    assert answer["outputHash"] == "0x" + local["output_sha256"]
    assert answer["gas"]["royalty"] == 200

    tx_hash = send_inference(node, model_id)
    check_the_past(node, folder, tx_hash, model_id)

    pulled = model(node, "pull", model_id, "-o", folder / "pulled.onnx")
    assert pulled["chunks"] == pulled["fetched"] == 3
    assert (folder / "pulled.onnx").read_bytes() == strict.read_bytes()

    royalty = model(node, "royalty", model_id, "300", "--account", "dev")
    wait_for_block(node, royalty["royaltyHeight"])
    assert model(node, "royalty", model_id)["royaltyGas"] == 300

    check_the_last_owner(node, folder, model_id)


def check_gas_that_was_told(node: NodeProcess, transactions: dict[str, str]) -> None:
    """Check that no transaction took more gas than what a person was told beforehand."""
    told = {"commit": COMMIT_GAS, "register": REGISTER_GAS, "activate": ACTIVATE_GAS}
    for name, tx_hash in transactions.items():
        used = int(node.result("eth_getTransactionReceipt", tx_hash)["gasUsed"], 16)
        assert told[name] // 2 < used <= told[name], name


def saved_rows(folder: Path) -> str:
    path = folder / "rows.npy"
    np.save(path, np.array([ROW, ROW[::-1]], np.float32))
    return str(path)


def check_the_past(node: NodeProcess, folder: Path, tx_hash: str, model_id: str) -> None:
    """Check that what a transaction inferred is the same here, node by node."""
    verified = model(
        node, "verify", tx_hash, "--nodes", "--backend", "reference",
        "--model", folder / "strict.onnx",
    )  # fmt: skip
    (inference,) = verified["inferences"]
    assert verified["same"]
    assert inference["modelId"] == model_id
    assert inference["owner"] == DEV_ACCOUNT.lower()
    assert [compared["name"] for compared in inference["compared"]] == [
        "input", "answered", "output", "gas", "nodes",
    ]  # fmt: skip
    receipt = node.result("eth_getTransactionReceipt", tx_hash)
    paid = 200 * int(receipt["effectiveGasPrice"], 16)
    assert inference["royaltyPaid"] == paid
    (trace,) = node.result("cvm_traceInference", tx_hash)["inferences"]
    assert trace["input"] == f"0x{SENT.hex()}"


def check_the_last_owner(node: NodeProcess, folder: Path, model_id: str) -> None:
    """Give the model away, retire it as its new owner, and be paid its deposit."""
    keystore, password = second_keystore(folder)
    second = ("--keystore", keystore, "--password-file", password)
    moved = model(node, "transfer", model_id, SECOND_ACCOUNT, "--account", "dev", "--yes")
    assert moved["owner"] == SECOND_ACCOUNT.lower()
    refused = run("model", "retire", model_id, "--account", "dev", "--yes", "--rpc", node.url)
    assert refused.exit_code == 1
    assert f"belongs to {SECOND_ACCOUNT.lower()}" in refused.stderr
    retired = model(node, "retire", model_id, *second, "--yes")
    size = (folder / "strict.onnx").stat().st_size
    assert retired["refundWei"] == size * 10 * 10**9
    to = "0x" + "5a" * 20
    assert model(node, "withdraw", *second, "--to", to)["paidWei"] == retired["refundWei"]
    assert int(node.result("eth_getBalance", to, "latest"), 16) == retired["refundWei"]
    wait_for_block(node, retired["retirementHeight"])
    gone = run("model", "infer", model_id, "--input", json.dumps(ROW), "--rpc", node.url)
    assert gone.exit_code == 1
    assert "the model is not ACTIVE" in gone.stderr
    assert model(node, "status", model_id)["status"] == "retired"


def second_keystore(folder: Path) -> tuple[Path, Path]:
    """Write the second development account's key as a keystore file with its password."""
    key = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"  # public TEST key
    keystore, password = folder / "second.json", folder / "password"
    keystore.write_text(
        json.dumps(Account.encrypt(bytes.fromhex(key), "secret", kdf="pbkdf2", iterations=1_000))
    )
    password.write_text("secret\n")
    return keystore, password


def test_nothing_of_this_left_a_traceback_in_the_log(node: NodeProcess) -> None:
    assert "Traceback" not in node.log.read_text()
