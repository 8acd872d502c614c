"""trace_*: calls in Parity's form, of blocks, transactions, messages and ranges."""

from collections.abc import Iterator
from typing import Any

import pytest

from cvm.evm.creation_address import creation_address
from cvm.evm.keccak import keccak256
from models_registry.addresses import MODEL_REGISTRY
from node.rpc.schemas.components import COMPONENTS
from node.rpc.schemas.trace_results import TRACE_RESULTS
from opcodes.table import INFER_ADDRESS
from tests.chain_world import USER, signed
from tests.evm_world import push
from tests.json_schema import mismatch
from tests.unit.node.rpc.rpc_caller import error, result
from tests.unit.node.rpc.traced_world import NOBODY, REASON, SENDER, TracedWorld, image

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


def test_a_replay_gives_output_and_calls_without_their_block(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, _reverter, tx_hash = mixed
    calls = ask(traced, "trace_transaction", tx_hash)
    placed = ("blockHash", "blockNumber", "transactionHash", "transactionPosition")
    bare = [{key: call[key] for key in call if key not in placed} for call in calls]
    replay = ask(traced, "trace_replayTransaction", tx_hash, ["trace"])
    assert replay == {"output": "0x", "stateDiff": None, "trace": bare, "vmTrace": None}
    number = hex(calls[0]["blockNumber"])
    (again,) = ask(traced, "trace_replayBlockTransactions", number, ["trace"])
    assert again == {**replay, "transactionHash": tx_hash}
    assert bare[0]["action"]["to"] == hexed(contract)
    assert ask(traced, "trace_replayTransaction", "0x" + 64 * "1", ["trace"]) is None
    assert ask(traced, "trace_replayBlockTransactions", "0xffff", ["trace"]) is None


def test_a_replay_shows_what_changed_where_that_is_asked_for(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    replay = ask(traced, "trace_replayTransaction", tx_hash, ["stateDiff"])
    assert replay["trace"] == []
    found = replay["stateDiff"]
    slot, old, new = (f"0x{value:064x}" for value in (3, 0, 7))
    assert found[hexed(contract)] == {
        "balance": {"*": {"from": "0x0", "to": "0x4"}},
        "code": "=",
        "nonce": "=",
        "storage": {slot: {"*": {"from": old, "to": new}}},
    }
    assert found[hexed(NOBODY)] == {
        "balance": {"+": "0x5"},
        "code": {"+": "0x"},
        "nonce": {"+": "0x0"},
        "storage": {},
    }
    assert hexed(reverter) not in found
    both = ask(traced, "trace_replayTransaction", tx_hash, ["trace", "stateDiff"])
    assert (both["stateDiff"], len(both["trace"])) == (found, 3)


def test_each_of_many_messages_finds_what_those_before_it_left(traced: TracedWorld) -> None:
    counter = traced.deploy(bytes.fromhex("5f54600101805f555f5260205ff3"))
    message = {"from": hexed(SENDER), "to": hexed(counter)}
    found = ask(traced, "trace_callMany", [[message, ["trace"]]] * 3)
    assert [int(each["output"], 16) for each in found] == [1, 2, 3]
    made = {"from": hexed(SENDER), "data": "0x5f5ff3"}
    pair = ask(traced, "trace_callMany", [[made, ["trace"]], [made, ["trace"]]])
    first, second = (each["trace"][0]["result"]["address"] for each in pair)
    assert first == hexed(creation_address(SENDER, traced.world.nonce))
    assert second == hexed(creation_address(SENDER, traced.world.nonce + 1))


def test_a_message_finds_the_royalties_that_one_before_it_paid(traced: TracedWorld) -> None:
    model = traced.world.register_model(royalty_gas=10)
    owner = b"\xab" * 20
    passed_on = b"".join(part.rjust(32, b"\0") for part in (SENDER, owner, model))
    traced.world.send(MODEL_REGISTRY, bytes.fromhex("23b872dd") + passed_on)
    reading = traced.deploy(push(owner) + bytes.fromhex("315f5260205ff3"))
    price = 10**10
    infer = {"from": hexed(SENDER), "to": hexed(INFER_ADDRESS), "input": hexed(model + image())}
    infer |= {"gasPrice": hex(price), "gas": hex(10**6)}
    read = {"from": hexed(SENDER), "to": hexed(reading)}
    ran, seen = ask(traced, "trace_callMany", [[infer, ["stateDiff"]], [read, ["trace"]]])
    assert int(seen["output"], 16) == 10 * price
    assert ran["stateDiff"][hexed(owner)]["balance"] == {"+": hex(10 * price)}


def test_a_signed_transaction_is_traced_without_being_sent(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    raw = signed(USER, traced.world.nonce, to=mixed[1], value=3)
    found = ask(traced, "trace_rawTransaction", hexed(raw), ["trace"])
    assert found["output"] == hexed(REASON)
    assert found["trace"][0]["action"]["value"] == "0x3"
    assert traced.view.transaction_location(keccak256(raw)) is None


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        pytest.param("trace_callMany", [[[{}]]], "is not a message with its kinds", id="pair"),
        pytest.param(
            "trace_callMany", [[[{}, ["trace"]]] * 101], "want at most 100", id="too many"
        ),
        pytest.param(
            "trace_replayTransaction",
            ["0x" + 64 * "1", ["vmTrace"]],
            '"vmTrace" is not available; want trace or stateDiff',
            id="kind",
        ),
    ],
)
def test_what_is_asked_wrongly_is_refused(
    traced: TracedWorld, method: str, params: list[object], words: str
) -> None:
    code, message = error(traced.view, method, *params)
    assert (code, words in message) == (-32602, True), message


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
