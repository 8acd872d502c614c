"""What a node tells of itself: rules, reach, peers, backends, and what it refuses to tell."""

import asyncio

import pytest

from node.rpc.caller import Caller
from node.rpc.node_facts import NodeSelf
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.fake_node import FakeAdmin, FakeFacts, fake_self
from tests.unit.node.rpc.rpc_caller import call, local_caller, shared_node


def ask(method: str, *params: object, itself: NodeSelf | None = None) -> dict[str, object]:
    caller = local_caller(small_chain(), itself or fake_self())
    return asyncio.run(call(caller, method, *params))


def test_config_tells_the_rules_that_hold() -> None:
    assert ask("eth_config")["result"] == {
        "current": {
            "activationTime": 0,
            "blobSchedule": {"baseFeeUpdateFraction": 5_007_716, "max": 9, "target": 6},
            "chainId": "0x539",
            "forkId": "0x0badf00d",
            "precompiles": {
                "ECREC": "0x0000000000000000000000000000000000000001",
                "SHA256": "0x0000000000000000000000000000000000000002",
            },
            "systemContracts": {"HISTORY_STORAGE_ADDRESS": "0x" + "35" * 20},
        },
        "next": None,
        "last": None,
    }


def test_capabilities_tell_how_far_back_a_node_answers() -> None:
    blocks = {"disabled": False, "oldestBlock": "0x1"}
    window = {"type": "window", "retentionBlocks": "0x80"}
    states = {"disabled": False, "oldestBlock": "0x3", "deleteStrategy": window}
    head = small_chain().head()
    assert ask("eth_capabilities")["result"] == {
        "head": {"number": "0x3", "hash": "0x" + head.hash.hex()},
        "state": states,
        "tx": blocks,
        "logs": blocks,
        "receipts": blocks,
        "blocks": blocks,
        "stateproofs": states,
    }


def test_an_archive_answers_from_genesis_on() -> None:
    found = ask("eth_capabilities", itself=NodeSelf())["result"]
    assert isinstance(found, dict)
    assert found["state"] == {"disabled": False, "oldestBlock": "0x0"}


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        pytest.param(FakeFacts(), ("result", "0x" + "c0" * 20), id="validator"),
        pytest.param(
            FakeFacts(address=None),
            ("error", {"code": -32000, "message": "etherbase must be explicitly specified"}),
            id="follower",
        ),
    ],
)
def test_the_coinbase_is_a_validators_address(facts: FakeFacts, answer: tuple[str, object]) -> None:
    key, value = answer
    assert ask("eth_coinbase", itself=NodeSelf(facts))[key] == value


@pytest.mark.parametrize(
    ("block", "answer"),
    [
        pytest.param("0x9", ("result", None), id="unknown"),
        pytest.param(
            "latest",
            (
                "error",
                {
                    "code": -32001,
                    "message": "Resource not found: this block is of a fork before Amsterdam",
                },
            ),
            id="before-amsterdam",
        ),
    ],
)
def test_no_block_has_an_access_list_yet(block: str, answer: tuple[str, object]) -> None:
    key, value = answer
    assert ask("eth_getBlockAccessList", block)[key] == value


def test_node_info_names_the_node_and_its_chain() -> None:
    found = ask("admin_nodeInfo")["result"]
    chain = {"network": 1337, "genesis": "0x" + "01" * 32, "head": "0x" + "02" * 32}
    assert found == {
        "id": "6a0c7f9d2f05e9d2da5f4138a0249dfa73690faa1a5eeadf6bd6ad8c519c6be7",
        "name": "cvm/v1",
        "enode": f"enode://{'55' * 64}@10.0.0.9:30303",
        "ip": "10.0.0.9",
        "ports": {"discovery": 30303, "listener": 30303},
        "listenAddr": "10.0.0.9:30303",
        "protocols": {"cvm": chain, "eth": chain},
    }


def test_peers_are_listed_in_geths_form() -> None:
    found = ask("admin_peers")["result"]
    assert isinstance(found, list)
    del found[0]["id"]
    assert found == [
        {
            "enode": f"enode://{'44' * 64}@10.1.2.3:30303",
            "name": "cvm/v9",
            "caps": ["cvm/1", "eth/69"],
            "network": {
                "remoteAddress": "10.1.2.3:30303",
                "inbound": True,
                "trusted": False,
                "static": False,
            },
            "protocols": {"cvm": {"version": 1}, "eth": {"version": 69}},
        }
    ]


def test_peers_are_added_and_removed() -> None:
    admin = FakeAdmin()
    itself = NodeSelf(admin=admin)
    assert ask("admin_addPeer", "enode://a", itself=itself)["result"] is True
    assert ask("admin_removePeer", "enode://b", itself=itself)["result"] is True
    assert (admin.added, admin.removed) == (["enode://a"], ["enode://b"])
    assert ask("admin_addPeer", "a", itself=itself)["error"] == {
        "code": -32000,
        "message": "invalid enode: 'a' does not start with enode://",
    }


def test_the_data_directory_is_told_to_who_may_ask() -> None:
    assert ask("admin_datadir")["result"] == "/var/lib/cvm"


def test_bad_blocks_come_with_their_bytes() -> None:
    found = ask("debug_getBadBlocks")["result"]
    assert isinstance(found, list)
    assert [(bad["rlp"], bad["block"]["number"], bad["hash"]) for bad in found] == [
        ("0xc0", "0x0", found[0]["block"]["hash"])
    ]


def test_backends_are_listed() -> None:
    assert ask("cvm_backends")["result"] == [
        {"name": "reference", "active": True, "quarantined": False},
        {"name": "cpu", "active": False, "quarantined": True},
    ]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("admin_peers", (), id="admin"),
        pytest.param("debug_getBadBlocks", (), id="debug"),
    ],
)
def test_a_public_endpoint_tells_nothing_of_a_namespace_that_is_off(
    method: str, params: tuple[object, ...]
) -> None:
    caller = Caller(shared_node(small_chain(), fake_self()))
    assert asyncio.run(call(caller, method, *params))["error"] == {
        "code": -32601,
        "message": f"the method {method} does not exist/is not available",
    }


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("admin_nodeInfo", id="admin"),
        pytest.param("eth_config", id="config"),
        pytest.param("cvm_backends", id="backends"),
    ],
)
def test_what_a_node_cannot_tell_is_not_available(method: str) -> None:
    assert ask(method, itself=NodeSelf())["error"] == {
        "code": -32601,
        "message": f"the method {method} does not exist/is not available",
    }


def test_modules_are_those_that_the_endpoint_answers() -> None:
    caller = Caller(shared_node(small_chain()), frozenset({"eth", "net"}))
    response = asyncio.run(call(caller, "rpc_modules"))
    assert response["result"] == {"eth": "1.0", "net": "1.0", "rpc": "1.0"}


def test_account_info_has_balance_nonce_and_code() -> None:
    assert ask("eth_getAccountInfo", "0x" + "cc" * 20, "latest")["result"] == {
        "balance": "0x0",
        "nonce": "0x0",
        "code": "0x6000",
    }


def test_storage_values_of_many_accounts_come_by_account() -> None:
    contract, other = "0x" + "CC" * 20, "0x" + "b0" * 20
    found = ask("eth_getStorageValues", {contract: ["0x1", "0x2"], other: ["0x0"]}, "latest")
    zero = "0x" + "00" * 32
    assert found["result"] == {contract: ["0x" + "00" * 31 + "2a", zero], other: [zero]}


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        pytest.param({}, "empty request", id="none"),
        pytest.param({"0x" + "cc" * 20: ["0x0"] * 1_025}, "too many slots (max 1024)", id="many"),
        pytest.param(
            {"0xcc": ["0x0"]},
            "invalid argument 0: 0xcc: hex string has length 2, want 40 for common.Address",
            id="no-address",
        ),
    ],
)
def test_a_storage_request_that_cannot_be_answered_is_refused(
    requests: object, message: str
) -> None:
    error = ask("eth_getStorageValues", requests, "latest")["error"]
    assert error == {"code": -32602, "message": message}
