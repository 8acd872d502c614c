"""web3.py and cast drive a development node as they drive any EVM node."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_account import Account

from models_registry.artifact import load_artifact
from node.sample_models import sample_model_path
from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    ROOT,
    SECOND_ACCOUNT,
    NodeProcess,
    dev_node,
    register_digits,
)

pytestmark = pytest.mark.network
web3_package = pytest.importorskip("web3", reason="web3.py is not installed: pip install web3")
CAST_PACKAGE = "@foundry-rs/cast"
DEV_CHAIN_ID = 31_337
ETHER = 10**18
IMAGES = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
LABELS = np.load(sample_model_path("digits_100_labels.npy"), allow_pickle=False)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A node with the digit model ACTIVE, and the contract that web3.py deployed."""

    node: NodeProcess
    w3: Any  # web3 is typed only in part
    contract: Any
    deployment: Any
    model_id: str


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with dev_node(tmp_path_factory.mktemp("dev")) as node:
        model_id = register_digits(node)
        w3 = web3_package.Web3(web3_package.Web3.HTTPProvider(node.url))
        artifact = load_artifact("DigitClassifier")
        factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = send(w3, factory.constructor(bytes.fromhex(model_id[2:])))
        contract = w3.eth.contract(address=receipt["contractAddress"], abi=artifact.abi)
        yield Deployed(node, w3, contract, receipt, model_id)


def send(w3: Any, call: Any) -> Any:
    """Build, sign, send and await a call, as web3.py's own documentation does."""
    transaction = call.build_transaction(
        {"from": DEV_ACCOUNT, "nonce": w3.eth.get_transaction_count(DEV_ACCOUNT, "pending")}
    )
    return send_fields(w3, transaction)


def send_fields(w3: Any, transaction: Any) -> Any:
    signed = Account.sign_transaction(transaction, DEV_KEY)
    tx_hash = w3.eth.send_raw_transaction(signed.raw_transaction)
    return w3.eth.wait_for_transaction_receipt(tx_hash, timeout=60, poll_latency=0.05)


def image(index: int) -> bytes:
    return bytes(IMAGES[index].tobytes())


def test_web3_reads_the_chain(deployed: Deployed) -> None:
    w3 = deployed.w3
    assert w3.is_connected()
    assert w3.eth.chain_id == DEV_CHAIN_ID
    assert w3.net.version == str(DEV_CHAIN_ID)
    assert w3.client_version.startswith("cvm/v")
    assert 9_990 * ETHER < w3.eth.get_balance(DEV_ACCOUNT) < 10_000 * ETHER
    assert w3.eth.get_balance(SECOND_ACCOUNT) >= 10_000 * ETHER
    block = w3.eth.get_block("latest", full_transactions=True)
    assert block["number"] >= deployed.deployment["blockNumber"]
    assert w3.eth.get_block(block["hash"])["hash"] == block["hash"]
    assert w3.eth.get_block(0)["number"] == 0


def test_web3_sends_ether(deployed: Deployed) -> None:
    w3 = deployed.w3
    before = w3.eth.get_balance(SECOND_ACCOUNT)
    receipt = send_fields(
        w3,
        {
            "type": 2,
            "chainId": w3.eth.chain_id,
            "nonce": w3.eth.get_transaction_count(DEV_ACCOUNT, "pending"),
            "to": SECOND_ACCOUNT,
            "value": ETHER,
            "gas": w3.eth.estimate_gas({"from": DEV_ACCOUNT, "to": SECOND_ACCOUNT, "value": ETHER}),
            "maxFeePerGas": 2 * w3.eth.gas_price,
            "maxPriorityFeePerGas": w3.eth.max_priority_fee,
        },
    )
    assert (receipt["status"], receipt["gasUsed"]) == (1, 21_000)
    assert w3.eth.get_balance(SECOND_ACCOUNT) == before + ETHER
    found = w3.eth.get_transaction(receipt["transactionHash"])
    assert (found["from"], found["value"]) == (DEV_ACCOUNT, ETHER)


def test_web3_deploys_a_contract(deployed: Deployed) -> None:
    assert deployed.deployment["status"] == 1
    code = deployed.w3.eth.get_code(deployed.contract.address)
    assert len(code) > 100
    assert deployed.w3.eth.get_storage_at(deployed.contract.address, 5) == bytes(32)


def test_web3_previews_and_classifies_a_digit(deployed: Deployed) -> None:
    call = deployed.contract.functions.classify(image(3))
    assert call.call({"from": DEV_ACCOUNT}) == LABELS[3]
    estimate = call.estimate_gas({"from": DEV_ACCOUNT})
    receipt = send(deployed.w3, call)
    assert receipt["status"] == 1
    assert receipt["gasUsed"] <= estimate <= receipt["gasUsed"] * 102 // 100
    [event] = deployed.contract.events.Classified().process_receipt(receipt)
    assert event["args"]["label"] == LABELS[3]


def test_web3_finds_the_logs(deployed: Deployed) -> None:
    receipt = send(deployed.w3, deployed.contract.functions.classify(image(5)))
    number = receipt["blockNumber"]
    logs = deployed.contract.events.Classified().get_logs(from_block=number, to_block=number)
    assert [log["args"]["label"] for log in logs] == [LABELS[5]]
    by_hash = deployed.w3.eth.get_logs({"blockHash": receipt["blockHash"]})
    assert [log["transactionHash"] for log in by_hash] == [receipt["transactionHash"]]


def test_web3_sees_why_a_call_reverts(deployed: Deployed) -> None:
    with pytest.raises(web3_package.exceptions.ContractLogicError):
        deployed.contract.functions.classify(b"not an image").call({"from": DEV_ACCOUNT})


def test_web3_reads_the_fee_history(deployed: Deployed) -> None:
    history = deployed.w3.eth.fee_history(4, "latest", [25, 75])
    assert len(history["baseFeePerGas"]) == 5
    assert len(history["gasUsedRatio"]) == 4
    assert all(0 <= ratio <= 1 for ratio in history["gasUsedRatio"])


def cast_path() -> str | None:
    """Return where cast is: on PATH, or in the node_modules of the environment or repository."""
    folders = [os.environ.get("CVM_NODE_MODULES"), str(ROOT / "node_modules")]
    places = [str(Path(folder) / ".bin" / "cast") for folder in folders if folder]
    return shutil.which("cast") or next(filter(os.path.exists, places), None)


@pytest.fixture(scope="module")
def cast(deployed: Deployed) -> "Cast":
    path = cast_path()
    if path is None:
        pytest.skip(
            f"no cast on PATH: `npm install {CAST_PACKAGE}` and set CVM_NODE_MODULES to the "
            "node_modules folder"
        )
    return Cast(path, deployed.node.url)


@dataclass(frozen=True, slots=True)
class Cast:
    """Foundry's command line client."""

    path: str
    url: str

    def __call__(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            [self.path, command, *arguments, "--rpc-url", self.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def test_cast_reads_balances_and_blocks(cast: Cast) -> None:
    assert int(cast("chain-id")) == DEV_CHAIN_ID
    assert int(cast("balance", SECOND_ACCOUNT)) >= 10_000 * ETHER
    block = json.loads(cast("block", "latest", "--json"))
    assert int(block["number"], 16) <= int(cast("block-number"))
    assert int(cast("block", "0", "--field", "number")) == 0
    assert int(cast("nonce", SECOND_ACCOUNT)) == 0


def test_cast_sends_ether_and_shows_the_receipt(cast: Cast) -> None:
    sent = json.loads(
        cast("send", SECOND_ACCOUNT, "--value", "1gwei", "--private-key", DEV_KEY, "--json")
    )
    assert sent["status"] == "0x1"
    receipt = json.loads(cast("receipt", sent["transactionHash"], "--json"))
    assert (receipt["gasUsed"], receipt["to"]) == ("0x5208", SECOND_ACCOUNT.lower())
    assert cast("tx", sent["transactionHash"], "value") == str(10**9)


def test_cast_calls_estimates_sends_and_finds_logs(cast: Cast, deployed: Deployed) -> None:
    contract, digit = deployed.contract.address, f"0x{image(7).hex()}"
    signature = "classify(bytes)(uint256)"
    assert cast("call", contract, signature, digit) == str(LABELS[7])
    estimate = int(cast("estimate", contract, "classify(bytes)", digit, "--from", DEV_ACCOUNT))
    sent = json.loads(
        cast("send", contract, "classify(bytes)", digit, "--private-key", DEV_KEY, "--json")
    )
    used = int(sent["gasUsed"], 16)
    assert sent["status"] == "0x1"
    assert used <= estimate <= used * 102 // 100
    number = str(int(sent["blockNumber"], 16))
    logs = cast("logs", "--from-block", number, "--to-block", number, "--address", contract)
    assert re.search(rf"transactionHash: {sent['transactionHash']}", logs)


def test_cast_shows_the_code(cast: Cast, deployed: Deployed) -> None:
    code = cast("code", deployed.contract.address)
    assert bytes.fromhex(code[2:]) == deployed.w3.eth.get_code(deployed.contract.address)
