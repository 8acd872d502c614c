"""Signing for callers: what is filled in, what a node without keys answers, and who signed."""

import asyncio
import json
from collections.abc import Callable
from typing import cast

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from cvm.evm.transaction_decoding import decode_transaction
from node.rpc.node_facts import NodeSelf
from tests.unit.node.rpc.fake_chain import ALICE, GWEI, FakeChain, small_chain
from tests.unit.node.rpc.fake_node import fake_self
from tests.unit.node.rpc.rpc_caller import call, local_caller

ALICE_HEX = "0x" + ALICE.hex()
BOB_HEX = "0x" + "b0" * 20
UNKNOWN = {"code": -32000, "message": "unknown account"}


def ask(
    method: str, *params: object, chain: FakeChain | None = None, itself: NodeSelf | None = None
) -> dict[str, object]:
    caller = local_caller(chain or small_chain(), itself or fake_self())
    return asyncio.run(call(caller, method, *params))


def result(method: str, *params: object, chain: FakeChain | None = None) -> dict[str, object]:
    response = ask(method, *params, chain=chain)
    assert "result" in response, response
    return cast(dict[str, object], response["result"])


def test_a_message_is_signed_as_wallets_do() -> None:
    signature = ask("eth_sign", ALICE_HEX, "0x" + b"hello".hex())["result"]
    signer = Account.recover_message(encode_defunct(b"hello"), signature=signature)
    assert bytes.fromhex(signer[2:]) == ALICE


def test_pages_name_the_message_before_the_account() -> None:
    signature = ask("personal_sign", "0x" + b"hello".hex(), ALICE_HEX)["result"]
    assert signature == ask("eth_sign", ALICE_HEX, "0x" + b"hello".hex())["result"]


@pytest.mark.parametrize("form", [json.dumps, dict], ids=["as text", "as an object"])
def test_typed_data_is_signed_as_wallets_do(form: Callable[[object], object]) -> None:
    typed = {
        "types": {
            "EIP712Domain": [{"name": "chainId", "type": "uint256"}],
            "Note": [{"name": "text", "type": "string"}],
        },
        "primaryType": "Note",
        "domain": {"chainId": 31_337},
        "message": {"text": "hello"},
    }
    signature = ask("eth_signTypedData_v4", ALICE_HEX, form(typed))["result"]
    signer = Account.recover_message(encode_typed_data(full_message=typed), signature=signature)
    assert bytes.fromhex(signer[2:]) == ALICE


def test_a_transaction_is_filled_in_with_nonce_gas_and_fees() -> None:
    filled = result("eth_fillTransaction", {"from": ALICE_HEX, "to": BOB_HEX, "value": "0x7"})
    assert filled["tx"] == {
        "type": "0x2",
        "chainId": "0x539",
        "nonce": "0x6",
        "to": BOB_HEX,
        "gas": "0x5208",
        "gasPrice": hex(3 * GWEI),
        "maxFeePerGas": hex(3 * GWEI),
        "maxPriorityFeePerGas": hex(GWEI),
        "value": "0x7",
        "input": "0x",
        "accessList": [],
    }
    assert str(filled["raw"]).startswith("0x02")
    assert str(filled["raw"]).endswith("c0808080")


@pytest.mark.parametrize(
    ("extra", "type_id"),
    [
        pytest.param({}, "0x0", id="legacy"),
        pytest.param(
            {"accessList": [{"address": BOB_HEX, "storageKeys": []}]}, "0x1", id="access-list"
        ),
    ],
)
def test_a_gas_price_makes_an_older_type(extra: dict[str, object], type_id: str) -> None:
    wish = {"from": ALICE_HEX, "to": BOB_HEX, "gasPrice": hex(2 * GWEI), **extra}
    tx = cast(dict[str, object], result("eth_fillTransaction", wish)["tx"])
    assert (tx["type"], tx["gasPrice"]) == (type_id, hex(2 * GWEI))
    assert "maxFeePerGas" not in tx


def test_a_transaction_is_signed_by_its_sender() -> None:
    wish = {
        "from": ALICE_HEX,
        "to": BOB_HEX,
        "gas": "0x5208",
        "maxFeePerGas": hex(4 * GWEI),
        "maxPriorityFeePerGas": "0x1",
        "nonce": "0x9",
    }
    signed = result("eth_signTransaction", wish)
    tx = decode_transaction(bytes.fromhex(str(signed["raw"])[2:]))
    assert (tx.sender, tx.nonce, tx.gas, tx.max_fee_per_gas) == (ALICE, 9, 21_000, 4 * GWEI)
    assert cast(dict[str, object], signed["tx"])["hash"] == "0x" + tx.hash.hex()


def test_a_transaction_is_signed_and_sent() -> None:
    chain = small_chain()
    wish = {"from": ALICE_HEX, "data": "0x6000", "value": "0x1"}
    assert ask("eth_sendTransaction", wish, chain=chain)["result"] == "0x" + "99" * 32
    tx = decode_transaction(chain.submitted[0])
    assert (tx.sender, tx.nonce, tx.to, tx.data) == (ALICE, 6, b"", b"\x60\x00")


FULL = {"to": BOB_HEX, "gas": "0x5208", "gasPrice": hex(2 * GWEI), "nonce": "0x0"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("eth_sign", (BOB_HEX, "0x00"), id="message"),
        pytest.param("personal_sign", ("0x00", BOB_HEX), id="a page's message"),
        pytest.param("eth_signTransaction", ({"from": BOB_HEX, **FULL},), id="transaction"),
        pytest.param("eth_sendTransaction", ({"from": BOB_HEX, **FULL},), id="sending"),
    ],
)
def test_a_node_signs_for_nobody_whose_key_it_lacks(
    method: str, params: tuple[object, ...]
) -> None:
    assert ask(method, *params)["error"] == UNKNOWN


def test_a_node_without_keys_names_no_accounts() -> None:
    assert ask("eth_accounts", itself=NodeSelf())["result"] == []
    assert ask("eth_accounts")["result"] == [ALICE_HEX]


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        pytest.param("gas", "not specify Gas", id="gas"),
        pytest.param(
            "gasPrice", "missing gasPrice or maxFeePerGas/maxPriorityFeePerGas", id="price"
        ),
        pytest.param("nonce", "nonce not specified", id="nonce"),
    ],
)
def test_signing_wants_gas_price_and_nonce(left_out: str, message: str) -> None:
    wish = {"from": ALICE_HEX, **FULL}
    del wish[left_out]
    error = ask("eth_signTransaction", wish)["error"]
    assert error == {"code": -32000, "message": message}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        pytest.param({}, "contract creation without any data provided", id="nothing"),
        pytest.param(
            {"to": BOB_HEX, "chainId": "0x1"},
            "chainId does not match node's (have=1, want=1337)",
            id="other-chain",
        ),
        pytest.param(
            {"to": BOB_HEX, "maxFeePerGas": "0x5"},
            "maxFeePerGas (5) < maxPriorityFeePerGas (1000000000)",
            id="cap-below-the-tip",
        ),
    ],
)
def test_a_wish_that_cannot_be_filled_in_is_refused(wish: dict[str, str], message: str) -> None:
    error = ask("eth_fillTransaction", {"from": ALICE_HEX, **wish})["error"]
    assert error == {"code": -32000, "message": message}
