"""The methods of a development chain: what they take, what they give, and where they are."""

import asyncio
from dataclasses import replace

import pytest

from node.rpc.caller import DEV_NAMESPACES, LOCAL_NAMESPACES, Caller
from node.rpc.methods import METHODS
from node.rpc.rpc_config import NAMESPACES
from tests.unit.node.rpc.fake_chain import ALICE, CHAIN_ID, small_chain
from tests.unit.node.rpc.fake_dev import SENT, FakeDev
from tests.unit.node.rpc.fake_node import fake_self
from tests.unit.node.rpc.rpc_caller import JsonObject, call, error_of, shared_node

SOMEBODY = "0x" + "11" * 20
WORD = "0x" + "00" * 31 + "07"
DEV_METHODS = sorted(name for name in METHODS if name.partition("_")[0] in DEV_NAMESPACES)


def asked(dev: FakeDev | None, method: str, *params: object) -> JsonObject:
    """Return the response of a node, which may have a development chain."""
    node = shared_node(small_chain(), replace(fake_self(), dev=dev))
    return asyncio.run(call(Caller(node, frozenset(NAMESPACES)), method, *params))


@pytest.mark.parametrize("method", DEV_METHODS)
def test_other_chains_have_none_of_them_even_where_they_are_switched_on(method: str) -> None:
    code, message = error_of(asked(None, method))
    assert (code, message) == (-32601, f"the method {method} does not exist/is not available")


def test_there_are_49_of_them() -> None:
    assert len(DEV_METHODS) == 49


def test_the_local_socket_of_a_development_chain_answers_them() -> None:
    assert LOCAL_NAMESPACES >= DEV_NAMESPACES


@pytest.mark.parametrize(
    ("params", "told"),
    [
        pytest.param([], ("mine", 1, None, None), id="nothing"),
        pytest.param([{}], ("mine", 1, None, None), id="an empty object"),
        pytest.param([1_000], ("mine", 1, None, 1_000), id="a time"),
        pytest.param(["0x3e8"], ("mine", 1, None, 1_000), id="a time in hex"),
        pytest.param(["1000"], ("mine", 1, None, 1_000), id="a time in decimals"),
        pytest.param([{"timestamp": "0x03e8"}], ("mine", 1, None, 1_000), id="a field"),
        pytest.param([{"blocks": 3}], ("mine", 3, None, None), id="ganache's blocks"),
        pytest.param([{"timestamp": 9, "blocks": "0x2"}], ("mine", 2, None, 9), id="both"),
    ],
)
def test_evm_mine_takes_every_tools_form(params: list[object], told: tuple[object, ...]) -> None:
    dev = FakeDev()
    assert asked(dev, "evm_mine", *params)["result"] == "0x0"
    assert dev.told == [told]


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        pytest.param("anvil_mine", ["0x2", "0x3c"], ("mine", 2, 60, None), id="mine"),
        pytest.param("hardhat_mine", [], ("mine", 1, None, None), id="mine one"),
        pytest.param("hardhat_mine", ["0x0"], ("mine", 0, None, None), id="mine none"),
        pytest.param(
            "anvil_setBalance", [SOMEBODY, "0x05"], ("balance", b"\x11" * 20, 5), id="hex"
        ),
        pytest.param("hardhat_setBalance", [SOMEBODY, 5], ("balance", b"\x11" * 20, 5), id="int"),
        pytest.param("anvil_addBalance", [SOMEBODY, "5"], ("more", b"\x11" * 20, 5), id="text"),
        pytest.param(
            "evm_setAccountNonce", [SOMEBODY, "0x9"], ("nonce", b"\x11" * 20, 9), id="nonce"
        ),
        pytest.param(
            "anvil_setCode", [SOMEBODY, "6001"], ("code", b"\x11" * 20, b"\x60\1"), id="bare"
        ),
        pytest.param(
            "hardhat_setCode", [SOMEBODY, "0x"], ("code", b"\x11" * 20, b""), id="no code"
        ),
        pytest.param(
            "hardhat_setStorageAt",
            [SOMEBODY, "0x02", WORD],
            ("storage", b"\x11" * 20, 2, 7),
            id="a word",
        ),
        pytest.param("anvil_reset", [{}], ("restart",), id="reset"),
        pytest.param("evm_setAutomine", [False], ("automine", False), id="automine"),
        pytest.param("evm_setIntervalMining", [0], ("interval", 0), id="interval"),
        pytest.param("anvil_removeBlockTimestampInterval", [], ("step", None), id="no step"),
    ],
)
def test_a_change_reaches_the_chain(
    method: str, params: list[object], told: tuple[object, ...]
) -> None:
    dev = FakeDev()
    assert "error" not in asked(dev, method, *params)
    assert dev.told == [told]


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        pytest.param("anvil_setBalance", [SOMEBODY, "0x"], '"0x" is not a number', id="no digits"),
        pytest.param("anvil_setBalance", [SOMEBODY, "0xg1"], "is not a number", id="no hex"),
        pytest.param("anvil_setBalance", [SOMEBODY, 1.5], "is not a number", id="a fraction"),
        pytest.param("anvil_setBalance", [SOMEBODY, True], "is not a number", id="a flag"),
        pytest.param("anvil_setBalance", [SOMEBODY, "0x_1"], "is not a number", id="underscore"),
        pytest.param("anvil_setBalance", [SOMEBODY, "\u00b2"], "is not a number", id="superscript"),
        pytest.param("anvil_setBalance", [SOMEBODY, -1], "outside 0 to 2**256", id="negative"),
        pytest.param("anvil_setBalance", [SOMEBODY, "0x1" + "0" * 64], "outside", id="257 bits"),
        pytest.param("anvil_setBalance", [SOMEBODY, "9" * 81], "is not a number", id="81 digits"),
        pytest.param("anvil_setNonce", [SOMEBODY, 2**64], "outside 0 to 2**64", id="65 bits"),
        pytest.param("anvil_mine", [10_001], "at most 10000 in one call", id="many blocks"),
        pytest.param("evm_mine", [{"blockz": 1}], 'unknown field "blockz"', id="unknown field"),
        pytest.param(
            "anvil_setStorageAt", [SOMEBODY, 0, "0x" + "00" * 33], "a word has 32", id="33"
        ),
    ],
)
def test_what_is_not_understood_is_refused(method: str, params: list[object], words: str) -> None:
    dev = FakeDev()
    code, message = error_of(asked(dev, method, *params))
    assert code == -32602
    assert words in message
    assert dev.told == []


def test_accounts_are_those_with_keys_then_the_impersonated() -> None:
    assert asked(FakeDev(), "eth_accounts")["result"] == [f"0x{ALICE.hex()}", SOMEBODY]


def test_a_transaction_of_an_impersonated_account_is_sent_without_a_key() -> None:
    dev = FakeDev()
    wish = {"from": SOMEBODY, "to": SOMEBODY, "gas": "0x5208", "gasPrice": "0x1"}
    assert asked(dev, "eth_sendTransaction", wish)["result"] == f"0x{SENT.hex()}"
    assert [each[:2] for each in dev.told] == [("send", b"\x11" * 20)]


def test_an_account_with_a_key_signs_for_itself() -> None:
    dev = FakeDev()
    wish = {"from": f"0x{ALICE.hex()}", "to": SOMEBODY, "gas": "0x5208", "gasPrice": "0x1"}
    assert "error" not in asked(dev, "eth_sendTransaction", wish)
    assert dev.told == []


def test_metadata_lists_the_snapshots() -> None:
    found = asked(FakeDev(), "hardhat_metadata")["result"]
    assert isinstance(found, dict)
    assert found["chainId"] == CHAIN_ID
    assert found["snapshots"] == {"0x3": [7, "0x" + "77" * 32]}
