"""trace_*: calls in Parity's form, of blocks, transactions, messages and ranges."""

from collections.abc import Iterator
from typing import Any

import pytest

from node.rpc.schemas.components import COMPONENTS
from node.rpc.schemas.trace_results import TRACE_RESULTS
from tests.json_schema import mismatch
from tests.unit.node.rpc.rpc_caller import error, result
from tests.unit.node.rpc.traced_world import NOBODY, REASON, SENDER, TracedWorld

CALLDATA_GAS = 5 * 16  # EIP-2028: five bytes that are not zero
INTRINSIC = 21_000 + CALLDATA_GAS


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedWorld]:
    world = TracedWorld(tmp_path_factory.mktemp("traced"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def mixed(traced: TracedWorld) -> tuple[bytes, bytes, str]:
    return traced.mixed()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def ask(traced: TracedWorld, method: str, *params: object) -> Any:
    found = result(traced.view, method, *params)
    assert mismatch(found, TRACE_RESULTS[method], COMPONENTS) is None
    return found


def test_a_transaction_gives_its_calls_with_their_places(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    outer, failed, sent = ask(traced, "trace_transaction", tx_hash)
    assert outer["action"] == {
        "callType": "call",
        "from": hexed(SENDER),
        "to": hexed(contract),
        "gas": hex(2_000_000 - INTRINSIC),
        "input": "0xaabbccdd01",
        "value": "0x9",
    }
    assert (outer["subtraces"], outer["traceAddress"]) == (2, [])
    assert (failed["error"], failed["traceAddress"]) == ("Reverted", [0])
    assert failed["result"]["output"] == hexed(REASON)
    assert failed["action"]["to"] == hexed(reverter)
    assert (sent["action"]["value"], sent["traceAddress"]) == ("0x5", [1])
    assert (sent["transactionHash"], sent["transactionPosition"]) == (tx_hash, 0)
    assert ask(traced, "trace_get", tx_hash, ["0x1"]) == sent
    assert ask(traced, "trace_get", tx_hash, ["0x2"]) is None
    assert ask(traced, "trace_block", hex(sent["blockNumber"])) == [outer, failed, sent]


def test_what_is_not_there_is_null_and_genesis_is_empty(traced: TracedWorld) -> None:
    assert ask(traced, "trace_transaction", "0x" + 64 * "1") is None
    assert ask(traced, "trace_block", "0xffff") is None
    assert ask(traced, "trace_block", "0x0") == []


def test_a_message_gives_output_and_calls(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    message = {"from": hexed(SENDER), "to": hexed(mixed[1])}
    found = ask(traced, "trace_call", message, ["trace"])
    assert found["output"] == hexed(REASON)
    assert [call["error"] for call in found["trace"]] == ["Reverted"]
    assert "blockHash" not in found["trace"][0]
    code, words = error(traced.view, "trace_call", message, ["vmTrace"])
    assert (code, "vmTrace" in words) == (-32602, True)


def test_a_range_gives_the_calls_from_and_to_what_is_named(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    to_nobody = ask(traced, "trace_filter", {"toAddress": [hexed(NOBODY)]})
    assert [call["transactionHash"] for call in to_nobody] == [tx_hash]
    from_contract = ask(traced, "trace_filter", {"fromAddress": [hexed(contract)]})
    assert [call["action"]["to"] for call in from_contract] == [hexed(reverter), hexed(NOBODY)]
    second = {"fromAddress": [hexed(contract)], "after": 1, "count": 1}
    assert ask(traced, "trace_filter", second) == from_contract[1:]
