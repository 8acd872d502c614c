"""A stopped or killed node goes on where it was: head, balances, models."""

import signal
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    SECOND_ACCOUNT,
    NodeProcess,
    cvm,
    dev_node,
    register_digits,
    wait_until,
)

pytestmark = pytest.mark.network


def send_ether(node: NodeProcess) -> str:
    """Send one wei, wait for the receipt, and return the transaction's hash."""
    nonce = int(node.result("eth_getTransactionCount", DEV_ACCOUNT, "pending"), 16)
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": 31_337,
        "nonce": nonce,
        "to": SECOND_ACCOUNT,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
    }
    signed = Account.sign_transaction(fields, DEV_KEY).raw_transaction
    tx_hash = str(node.result("eth_sendRawTransaction", f"0x{signed.hex()}"))
    wait_until(lambda: node.result("eth_getTransactionReceipt", tx_hash) is not None)
    return tx_hash


def head_of(node: NodeProcess) -> tuple[int, str]:
    block = node.result("eth_getBlockByNumber", "latest", False)
    return int(block["number"], 16), str(block["hash"])


def check_goes_on(
    node: NodeProcess, head: tuple[int, str], tx_hash: str, model_id: str, balance: str
) -> None:
    """Check that everything from before is there, and that the chain takes transactions."""
    number, block_hash = head
    assert head_of(node)[0] >= number
    assert node.result("eth_getBlockByNumber", hex(number), False)["hash"] == block_hash
    assert node.result("eth_getTransactionReceipt", tx_hash)["status"] == "0x1"
    assert node.result("eth_getBalance", SECOND_ACCOUNT, "latest") == balance
    assert node.result("cvm_getModel", model_id)["status"] == "active"
    assert node.result("cvm_modelStatus", model_id)["hasBytes"] is True
    send_ether(node)
    assert int(node.result("eth_getBalance", SECOND_ACCOUNT, "latest"), 16) == int(balance, 16) + 1


def test_a_node_goes_on_after_sigterm_and_after_sigkill(tmp_path: Path) -> None:
    with dev_node(tmp_path) as node:
        model_id = register_digits(node)
        tx_hash = send_ether(node)
        head, balance = head_of(node), node.result("eth_getBalance", SECOND_ACCOUNT, "latest")
        assert node.stop(signal.SIGTERM) == 0
        assert "Traceback" not in node.log.read_text()
    with dev_node(tmp_path) as node:
        check_goes_on(node, head, tx_hash, model_id, balance)
        tx_hash = send_ether(node)
        head, balance = head_of(node), node.result("eth_getBalance", SECOND_ACCOUNT, "latest")
        assert node.stop(signal.SIGKILL) == -signal.SIGKILL
    with dev_node(tmp_path) as node:
        check_goes_on(node, head, tx_hash, model_id, balance)


def test_a_second_node_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with dev_node(tmp_path) as node:
        data = str(tmp_path / "data")
        second = cvm("dev", "--datadir", data, "--http.port", "0", "--backend", "reference")
        assert (second.returncode, second.stdout) == (3, "")
        assert second.stderr == (
            f"error: the data directory {data} is in use by another process: "
            "stop it, or use another --datadir\n"
        )
        send_ether(node)
