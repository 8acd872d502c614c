"""Malformed bodies and requests get geth's codes, and nothing inside the node shows."""

import json

import pytest
from structlog.testing import capture_logs

from consensus.faults import InvalidTransaction
from cvm.faults import DeviceFault, ModelDataMissing
from node.rpc.dispatcher import Limits
from tests.unit.node.rpc.fake_chain import FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import ask, error, error_of, request

UNKNOWN_METHOD = "the method eth_nothing does not exist/is not available"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param("", -32700, "parse error: Expecting value at character 0", id="empty"),
        pytest.param("{", -32700, "parse error", id="cut-off"),
        pytest.param(b"\xff\xfe", -32700, "parse error: byte 0 is not UTF-8", id="not-utf8"),
        pytest.param("[" * 100_000, -32700, "parse error: nested deeper", id="open-brackets"),
        pytest.param(
            "[" * 70 + "]" * 70, -32700, "parse error: nested deeper than 64 levels", id="deep"
        ),
        pytest.param('{"id": NaN}', -32700, "parse error: a number is not finite", id="nan"),
        pytest.param('{"id": 1e999}', -32700, "parse error: a number is not finite", id="infinite"),
        pytest.param('{"id": ' + "9" * 5000 + "}", -32700, "too many digits", id="huge-int"),
        pytest.param(
            '{"id": -' + "9" * 5000 + "}", -32700, "too many digits", id="huge-negative-int"
        ),
        pytest.param("{" + '"a":{' * 70, -32700, "nested deeper", id="open-objects"),
        pytest.param('["' + "[" * 100 + '"', -32700, "parse error", id="brackets-in-a-string"),
        pytest.param(
            "[" + "[]," * 87_381 + "[]]", -32600, "too many values: want at most 262144", id="lists"
        ),
        pytest.param("]" * 300_000, -32600, "too many values", id="closing-brackets"),
        pytest.param('"' + r"\n" * 262_143 + '"', -32600, "too many values", id="escapes"),
        pytest.param(b'"\xed\xa0\x80"', -32700, "byte 1 is not UTF-8", id="surrogate-in-utf8"),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x'
            + "f" * 100_000
            + '",false]}',
            -32602,
            "invalid argument 0",
            id="huge-quantity",
        ),
        pytest.param("7", -32600, "invalid request: 7 is not an object", id="number"),
        pytest.param("[]", -32600, "empty batch", id="empty-batch"),
        pytest.param("{}", -32600, 'jsonrpc is null; want "2.0"', id="empty-object"),
        pytest.param(
            '{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600, 'is "1.0"', id="version-1"
        ),
        pytest.param('{"jsonrpc":"2.0","id":1}', -32600, "method is null", id="no-method"),
        pytest.param('{"jsonrpc":"2.0","id":1,"method":5}', -32600, "method is 5", id="bad-method"),
        pytest.param(
            '{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600, "id is not", id="object-id"
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32601, UNKNOWN_METHOD, id="unknown"
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}',
            -32602,
            "non-array args: params is an object; want an array",
            id="named-params",
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}',
            -32602,
            "too many arguments, want at most 0",
            id="too-many",
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]}',
            -32602,
            "missing value for required argument 0",
            id="missing",
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByHash","params":["0x1",null]}',
            -32602,
            "invalid argument 0: json: cannot unmarshal hex string of odd length "
            "into Go value of type common.Hash",
            id="odd-hex",
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x1",null]}',
            -32602,
            "missing value for required argument 1",
            id="null-for-required",
        ),
    ],
)
def test_malformed_request(body: str | bytes, code: int, message: str) -> None:
    found_code, found_message = error_of(ask(small_chain(), body))
    assert found_code == code
    assert message in found_message


@pytest.mark.parametrize("request_id", ["a", 7, 0, -1, 1.5, None, "", 10**40])
def test_the_answer_carries_the_id_of_the_request(request_id: object) -> None:
    body = {"jsonrpc": "2.0", "id": request_id, "method": "eth_chainId"}
    response = ask(small_chain(), json.dumps(body))
    assert response == {"jsonrpc": "2.0", "id": request_id, "result": "0x539"}


def test_a_notification_gets_no_answer() -> None:
    assert ask(small_chain(), '{"jsonrpc":"2.0","method":"eth_chainId"}') is None
    assert ask(small_chain(), '{"jsonrpc":"2.0","method":"eth_nothing"}') is None


def test_a_notification_runs() -> None:
    chain = small_chain()
    body = {"jsonrpc": "2.0", "method": "eth_sendRawTransaction", "params": ["0x01"]}
    ask(chain, json.dumps(body))
    assert chain.submitted == [b"\x01"]


def test_a_batch_is_answered_in_order_without_its_notifications() -> None:
    batch = [
        request("eth_chainId"),
        {"jsonrpc": "2.0", "method": "net_version"},
        5,
        {**request("net_version"), "id": "b"},
    ]
    response = ask(small_chain(), json.dumps(batch))
    assert isinstance(response, list)
    assert [item.get("result") for item in response] == ["0x539", None, "1337"]
    assert [item["id"] for item in response] == [1, None, "b"]
    assert response[1]["error"]["code"] == -32600


def test_a_batch_of_notifications_gets_no_answer() -> None:
    assert ask(small_chain(), '[{"jsonrpc":"2.0","method":"eth_chainId"}]') is None


def test_a_batch_may_not_hold_too_many_requests() -> None:
    body = json.dumps([request("eth_chainId")] * 3)
    assert error_of(ask(small_chain(), body, Limits(max_batch_items=2))) == (
        -32600,
        "batch too large: 3 requests, want at most 2",
    )


def test_answers_past_the_size_bound_of_a_batch_are_errors() -> None:
    batch = [request("web3_clientVersion") for _ in range(3)]
    response = ask(small_chain(), json.dumps(batch), Limits(max_batch_response_bytes=80))
    assert isinstance(response, list)
    assert [item.get("error", {}).get("code") for item in response] == [None, -32003, -32003]


def test_a_request_past_its_time_is_told_so() -> None:
    body = json.dumps(request("eth_chainId"))
    response = ask(small_chain(), body, Limits(request_timeout_s=0))
    assert error_of(response) == (-32002, "request timed out")


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        pytest.param(
            InvalidTransaction("nonce too low: next nonce 5, tx nonce 3"),
            -32000,
            "nonce too low: next nonce 5, tx nonce 3",
            id="invalid-transaction",
        ),
        pytest.param(
            ModelDataMissing(b"\xaa" * 32),
            -32010,
            "model data not available: 0x" + "aa" * 32,
            id="model-data-missing",
        ),
        pytest.param(
            DeviceFault("cuda", "out of memory"),
            -32000,
            "backend 'cuda' failed: out of memory",
            id="local-fault",
        ),
    ],
)
def test_a_known_fault_keeps_its_words(fault: Exception, code: int, message: str) -> None:
    assert error(FakeChain(fault=fault), "eth_sendRawTransaction", "0x01") == (code, message)


@pytest.mark.parametrize("fault", [KeyError("secret"), TimeoutError("secret"), ValueError()])
def test_an_unforeseen_fault_is_logged_and_answered_without_its_words(fault: Exception) -> None:
    with capture_logs() as logs:
        found = error(FakeChain(fault=fault), "eth_sendRawTransaction", "0x01")
    assert found == (-32603, "internal error")
    assert [(entry["event"], entry["method"]) for entry in logs] == [
        ("rpc.internal_error", "eth_sendRawTransaction")
    ]


def test_a_long_body_of_few_values_is_parsed() -> None:
    code, message = error(small_chain(), "eth_getBlockByHash", "0x" + "00" * 2_000_000, False)
    assert code == -32602
    assert message.startswith("invalid argument 0: hex string has length 4000000, want 64")


def test_a_request_of_a_lone_surrogate_is_answered_in_ascii() -> None:
    answer = ask(small_chain(), rb'{"jsonrpc":"2.0","id":"\ud800","method":"eth_\udfff"}')
    assert isinstance(answer, dict)
    assert answer["id"] == "\ud800"
    assert error_of(answer)[0] == -32601
