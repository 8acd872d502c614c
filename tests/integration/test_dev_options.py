"""`cvm dev` with options: accounts, sample models, a state from a file, blocks in time."""

import json
from pathlib import Path

import pytest

from models_registry.addresses import MODEL_REGISTRY
from tests.integration.node_process import (
    SECOND_ACCOUNT,
    NodeProcess,
    cvm,
    register_digits,
    running,
    wait_until,
)

pytestmark = pytest.mark.network
NOBODY = "0x" + "11" * 20
ETHER = 10**18


def dev(folder: Path, *options: str) -> tuple[str, ...]:
    return ("dev", "--datadir", str(folder), "--backend", "reference", *options)


def statuses(node: NodeProcess) -> list[str]:
    return [model["status"] for model in node.result("cvm_listModels")]


def test_it_begins_with_the_accounts_and_the_models_that_were_asked_for(tmp_path: Path) -> None:
    options = ("--accounts", "2", "--balance", "77", "--models", "--no-idle-blocks")
    with running(tmp_path / "log", *dev(tmp_path / "data", *options)) as node:
        assert len(node.result("eth_accounts")) == 2
        assert node.result("eth_getBalance", SECOND_ACCOUNT, "latest") == hex(77 * ETHER)
        assert statuses(node) == ["active", "active"]
        assert {"anvil", "evm", "hardhat"} <= set(node.result("rpc_modules"))


def test_a_snapshot_is_forked_changed_and_then_refused_by_other_commands(tmp_path: Path) -> None:
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "state.cvm"
    with running(tmp_path / "log1", *dev(first, "--models", "--no-idle-blocks")) as node:
        node.result("anvil_mine", 10)
        height = node.result("eth_blockNumber")
    exported = cvm("snapshot", "export", str(file), "--datadir", str(first))
    assert exported.returncode == 0, exported.stderr
    options = ("--fork", str(file), "--no-idle-blocks")
    with running(tmp_path / "log2", *dev(second, *options)) as node:
        assert node.result("eth_blockNumber") == height
        assert statuses(node) == ["active", "active"]
        assert node.result("eth_getCode", f"0x{MODEL_REGISTRY.hex()}", "latest") != "0x"
        node.result("anvil_setBalance", NOBODY, "0x5")
        node.result("evm_mine")
    with running(tmp_path / "log3", *dev(second, "--no-idle-blocks")) as node:
        assert node.result("eth_getBalance", NOBODY, "latest") == "0x5"
    refused = cvm("export", str(tmp_path / "blocks"), "--datadir", str(second))
    assert refused.returncode == 3
    assert "only `cvm dev` opens it" in refused.stderr


def test_accounts_of_a_geth_file_are_there(tmp_path: Path) -> None:
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps({"alloc": {NOBODY: {"balance": "0x5", "code": "0x6001"}}}))
    options = ("--fork", str(file), "--block-time", "1")
    with running(tmp_path / "log", *dev(tmp_path / "data", *options)) as node:
        assert node.result("eth_getCode", NOBODY, "0x0") == "0x6001"
        assert node.result("anvil_getIntervalMining") == 1
        wait_until(lambda: int(node.result("eth_blockNumber"), 16) >= 2)


def test_a_changed_state_is_seen_by_the_process_that_runs_calls(tmp_path: Path) -> None:
    returns_slot_0 = "0x5f545f5260205ff3"
    with running(tmp_path / "log", *dev(tmp_path / "data", "--no-idle-blocks")) as node:
        node.result("anvil_setCode", NOBODY, returns_slot_0)
        for value in (7, 8):
            word = f"0x{value:064x}"
            node.result("anvil_setStorageAt", NOBODY, "0x0", word)
            assert node.result("eth_call", {"to": NOBODY}, "latest") == word


def test_a_transaction_without_a_key_can_be_traced(tmp_path: Path) -> None:
    with running(tmp_path / "log", *dev(tmp_path / "data", "--no-idle-blocks")) as node:
        node.result("anvil_setCode", NOBODY, "0x00")
        node.result("anvil_setBalance", NOBODY, hex(ETHER))
        node.result("anvil_impersonateAccount", NOBODY)
        wish = {"from": NOBODY, "to": SECOND_ACCOUNT, "value": "0x7", "gas": "0x5208"}
        tx_hash = node.result("eth_sendTransaction", wish)
        wait_until(lambda: node.result("eth_getTransactionReceipt", tx_hash) is not None)
        traced = node.result("debug_traceTransaction", tx_hash, {"tracer": "callTracer"})
        assert (traced["from"], traced["value"]) == (NOBODY, "0x7")


def test_a_model_whose_registration_was_taken_back_can_be_registered_again(tmp_path: Path) -> None:
    with running(tmp_path / "log", *dev(tmp_path / "data")) as node:
        snapshot = node.result("evm_snapshot")
        first = register_digits(node)
        assert node.result("evm_revert", snapshot) is True
        assert node.result("cvm_listModels") == []
        assert register_digits(node) == first
        assert statuses(node) == ["active"]
        assert node.result("cvm_infer", first, "0x" + "00" * 784)
