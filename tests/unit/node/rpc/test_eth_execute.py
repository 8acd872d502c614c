"""eth_call and eth_estimateGas: what reaches the chain, and what comes back when it fails."""

import json
from collections.abc import Mapping

import pytest

from cvm.faults import ModelDataMissing
from node.execution.call_request import CallRequest, CallResult
from node.rpc.revert_reason import revert_reason
from tests.unit.node.rpc.fake_chain import GWEI, FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import ask, error, request, result

CONTRACT_HEX = "0x" + "cc" * 20
CALL = {"to": CONTRACT_HEX, "input": "0xff01"}
USER_ERROR = (
    "08c379a0"
    "0000000000000000000000000000000000000000000000000000000000000020"
    "000000000000000000000000000000000000000000000000000000000000000a"
    "75736572206572726f7200000000000000000000000000000000000000000000"
)


def sent(chain: FakeChain, call: Mapping[str, object]) -> CallRequest:
    result(chain, "eth_call", call, "latest")
    return chain.requests[-1]


def test_a_call_returns_the_output() -> None:
    assert result(small_chain(), "eth_call", CALL, "latest") == "0xffee"


def test_an_estimate_returns_the_gas() -> None:
    assert result(small_chain(), "eth_estimateGas", CALL) == "0x5208"


def test_a_call_reaches_the_chain_whole() -> None:
    call = {
        "from": "0x" + "0a" * 20,
        "to": CONTRACT_HEX,
        "gas": "0x5208",
        "value": "0x7",
        "data": "0xff01",
        "input": "0xff01",
        "accessList": [{"address": CONTRACT_HEX, "storageKeys": ["0x" + "0" * 63 + "5"]}],
        "chainId": "0x539",
        "nonce": "0x0",
    }
    assert sent(small_chain(), call) == CallRequest(
        sender=b"\x0a" * 20,
        to=b"\xcc" * 20,
        gas=21_000,
        gas_price=0,
        value=7,
        data=b"\xff\x01",
        access_list=((b"\xcc" * 20, (5,)),),
    )


@pytest.mark.parametrize(
    ("fees", "price"),
    [
        pytest.param({}, 0, id="no-price"),
        pytest.param({"gasPrice": "0x0"}, 0, id="free"),
        pytest.param({"gasPrice": hex(2 * GWEI)}, 2 * GWEI, id="gas-price"),
        pytest.param({"maxFeePerGas": hex(3 * GWEI)}, GWEI, id="cap-alone-pays-the-base-fee"),
        pytest.param(
            {"maxFeePerGas": hex(3 * GWEI), "maxPriorityFeePerGas": "0x5"}, GWEI + 5, id="tip"
        ),
        pytest.param(
            {"maxFeePerGas": hex(GWEI + 2), "maxPriorityFeePerGas": "0x5"}, GWEI + 2, id="capped"
        ),
    ],
)
def test_the_price_is_the_effective_one(fees: dict[str, object], price: int) -> None:
    assert sent(small_chain(), {**CALL, **fees}).gas_price == price


def test_a_price_below_the_base_fee_is_refused() -> None:
    assert error(small_chain(), "eth_call", {**CALL, "gasPrice": "0x1"}) == (
        -32000,
        "max fee per gas less than block base fee: maxFeePerGas: 1, baseFee: 1000000000",
    )


def test_a_call_for_another_chain_is_refused() -> None:
    assert error(small_chain(), "eth_call", {**CALL, "chainId": "0x1"}) == (
        -32000,
        "chainId does not match node's (have=1, want=1337)",
    )


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_revert_carries_reason_and_data(method: str) -> None:
    failed = CallResult(bytes.fromhex(USER_ERROR), 30_000, "execution reverted", reverted=True)
    chain = small_chain()
    chain.call_result = chain.estimate = failed
    assert ask(chain, json.dumps(request(method, CALL))) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {
            "code": 3,
            "message": "execution reverted: user error",
            "data": "0x" + USER_ERROR,
        },
    }


def test_a_revert_without_data_says_so() -> None:
    chain = small_chain()
    chain.call_result = CallResult(b"", 30_000, "execution reverted", reverted=True)
    response = ask(chain, json.dumps(request("eth_call", CALL)))
    assert isinstance(response, dict)
    assert response["error"] == {"code": 3, "message": "execution reverted", "data": "0x"}


def test_an_exceptional_halt_is_named() -> None:
    chain = small_chain()
    chain.call_result = CallResult(b"", 30_000, "out of gas")
    assert error(chain, "eth_call", CALL) == (-32000, "out of gas")


@pytest.mark.parametrize(
    ("gas", "supplied"),
    [
        pytest.param({}, 50_000_000, id="no-gas-named"),
        pytest.param({"gas": "0x4e20"}, 20_000, id="named"),
        pytest.param({"gas": "0xffffffff"}, 50_000_000, id="more-than-is-given"),
    ],
)
def test_a_call_that_cannot_start_says_what_gas_it_had(
    gas: dict[str, object], supplied: int
) -> None:
    chain = small_chain()
    chain.call_result = CallResult(b"", 0, "insufficient funds")
    words = f"err: insufficient funds (supplied gas {supplied})"
    assert error(chain, "eth_call", {**CALL, **gas}) == (-32000, words)


def test_a_missing_model_is_told_apart() -> None:
    chain = small_chain()
    chain.fault = ModelDataMissing(b"\xaa" * 32)
    code, message = error(chain, "eth_estimateGas", CALL)
    assert (code, message[:24]) == (-32010, "model data not available")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("08c379a0", None, id="selector-alone"),
        pytest.param(USER_ERROR, "user error", id="error-string"),
        pytest.param("08c379a0" + "ff" * 64, None, id="offset-out-of-range"),
        pytest.param("08c379a0" + "00" * 31 + "20" + "ff" * 32, None, id="length-out-of-range"),
        pytest.param(
            "08c379a0" + "00" * 31 + "20" + "00" * 31 + "01" + "ff", "\ufffd", id="not-utf8"
        ),
        pytest.param("4e487b71" + "00" * 31 + "11", "arithmetic underflow or overflow", id="panic"),
        pytest.param("4e487b71" + "00" * 31 + "99", "unknown panic code: 0x99", id="new-panic"),
        pytest.param("4e487b71" + "11", None, id="short-panic"),
        pytest.param("deadbeef", None, id="custom-error"),
    ],
)
def test_a_reason_is_read_from_hostile_bytes(output: str, reason: str | None) -> None:
    assert revert_reason(bytes.fromhex(output)) == reason
