"""debug_trace*: what each tracer shows of transactions whose doings are known."""

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cvm.evm.creation_address import creation_address
from models_registry.addresses import MODEL_REGISTRY
from node.execution.trace_budget import parse_timeout
from node.rpc.schemas.components import COMPONENTS
from node.rpc.schemas.trace_results import STRUCT_TRACE
from opcodes import gas
from opcodes.table import INFER_ADDRESS
from tests.chain_world import USER
from tests.chain_world import signed as signed_bytes
from tests.evm_world import push
from tests.json_schema import mismatch
from tests.unit.node.rpc.rpc_caller import error, result
from tests.unit.node.rpc.traced_world import (
    CREATE,
    NOBODY,
    POP,
    REASON,
    SENDER,
    TOPIC,
    TracedWorld,
    call_code,
    image,
    inferring,
)

INTRINSIC = 21_000
ZERO_HASH = "0x" + 32 * "00"


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


def trace(traced: TracedWorld, tx_hash: str, tracer: str | None = None, **config: object) -> Any:
    options: Mapping[str, object] = (
        config if tracer is None else {"tracer": tracer, "tracerConfig": config}
    )
    return result(traced.view, "debug_traceTransaction", tx_hash, options)


def test_struct_logs_show_price_stack_storage_and_refund(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    found = trace(traced, mixed[2])
    steps = found["structLogs"]
    assert mismatch(found, STRUCT_TRACE, COMPONENTS) is None
    assert (found["failed"], found["returnValue"]) == (False, "0x")
    assert [step["op"] for step in steps[:5]] == ["PUSH1", "PUSH1", "SSTORE", "PUSH1", "SLOAD"]
    assert steps[2]["stack"] == ["0x7", "0x3"]
    assert steps[2]["gasCost"] == 22_100  # EIP-2929: a cold slot from zero
    assert steps[2]["storage"] == {"0x" + f"{3:064x}": "0x" + f"{7:064x}"}
    assert steps[4]["gasCost"] == 100
    assert {step["depth"] for step in steps} == {1, 2}
    assert "memory" not in steps[-1]
    assert "storage" not in steps[3]
    for step, following in pairwise(steps):
        if step["depth"] == following["depth"] and step["op"] != "CALL":
            assert step["gas"] - step["gasCost"] == following["gas"]


def test_a_call_costs_what_it_passes_on_but_for_the_stipend(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    calls = [s for s in trace(traced, mixed[2])["structLogs"] if s["op"] == "CALL"]
    assert [call["gasCost"] for call in calls] == [2_600 + 50_000, 2_600 + 9_000 + 25_000 + 50_000]


def test_options_of_the_struct_logger_change_what_a_step_shows(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    options: dict[str, Any] = {"enableMemory": True, "disableStack": True, "disableStorage": True}
    steps = trace(traced, mixed[2], enableReturnData=True, limit=35, **options)["structLogs"]
    assert len(steps) == 35
    assert not any("stack" in step or "storage" in step for step in steps)
    assert steps[9]["memory"] == ["0x" + f"{0xAB:064x}"]
    after_revert = next(step for step in steps if "returnData" in step)
    assert after_revert["returnData"] == hexed(REASON)


def test_a_halt_names_its_opcode_and_uses_all_gas(traced: TracedWorld) -> None:
    contract = traced.deploy(b"\x60\x01\xc3")
    found = trace(traced, traced.include(contract, gas=50_000))
    assert (found["failed"], found["gas"], found["returnValue"]) == (True, 50_000, "0x")
    assert found["structLogs"][-1]["op"] == "opcode 0xc3 not defined"
    assert found["structLogs"][-1]["error"] == "invalid opcode: opcode 0xc3 not defined"


def test_the_call_tracer_shows_the_tree_with_reasons_and_logs(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    found = trace(traced, tx_hash, "callTracer", withLog=True)
    assert (found["type"], found["from"], found["to"]) == ("CALL", hexed(SENDER), hexed(contract))
    assert (found["value"], found["input"]) == ("0x9", "0xaabbccdd01")
    assert found["gas"] == hex(2_000_000)
    assert found["logs"] == [
        {
            "address": hexed(contract),
            "topics": [hexed(TOPIC)],
            "data": "0x00ab",
            "index": "0x0",
            "position": "0x0",
        }
    ]
    failed, sent = found["calls"]
    assert (failed["to"], failed["error"]) == (hexed(reverter), "execution reverted")
    assert (failed["revertReason"], failed["output"]) == ("why", hexed(REASON))
    assert failed["gas"] == hex(50_000)
    assert (sent["to"], sent["value"], sent["gasUsed"]) == (hexed(NOBODY), "0x5", "0x0")
    assert sent["gas"] == hex(50_000 + 2_300)
    assert "calls" not in trace(traced, tx_hash, "callTracer", onlyTopCall=True)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("fe", "invalid opcode: INVALID", id="INVALID"),
        pytest.param("c3", "invalid opcode: opcode 0xc3 not defined", id="no opcode"),
    ],
)
def test_a_frame_names_the_byte_at_which_it_halted(
    traced: TracedWorld, code: str, words: str
) -> None:
    tx_hash = traced.include(traced.deploy(bytes.fromhex(code)), gas=50_000)
    assert trace(traced, tx_hash, "callTracer")["error"] == words
    (flat,) = trace(traced, tx_hash, "flatCallTracer")
    assert flat["error"] == words
    (flat,) = trace(traced, tx_hash, "flatCallTracer", convertParityErrors=True)
    assert flat["error"] == "Bad instruction"
    assert trace(traced, tx_hash)["structLogs"][-1]["error"] == words


def test_geths_flat_form_leaves_out_calls_and_static_calls_of_precompiles(
    traced: TracedWorld,
) -> None:
    identity = (4).to_bytes(20, "big")
    delegating = push(0) * 4 + push(identity) + push(50_000) + b"\xf4" + POP
    static = push(0) * 4 + push(identity) + push(50_000) + b"\xfa" + POP
    contract = traced.deploy(call_code(identity, value=1) + delegating + static)
    tx_hash = traced.include(contract, value=2)
    _outer, *shown = trace(traced, tx_hash, "flatCallTracer")
    assert [call["action"]["callType"] for call in shown] == ["delegatecall"]
    _outer, *all_of_them = trace(traced, tx_hash, "flatCallTracer", includePrecompiles=True)
    assert len(all_of_them) == 3


@pytest.mark.parametrize("is_twin", [False, True], ids=["opcode", "twin"])
def test_who_is_paid_a_royalty_is_touched(tmp_path: Path, is_twin: bool) -> None:
    traced = TracedWorld(tmp_path)
    model = traced.world.register_model(royalty_gas=10)
    owner = b"\xab" * 20
    passed_on = bytes.fromhex("23b872dd") + bytes(12) + SENDER + bytes(12) + owner + model
    traced.world.send(MODEL_REGISTRY, passed_on)
    caller = INFER_ADDRESS if is_twin else traced.deploy(inferring(model))
    tx_hash = traced.include(caller, model + image() if is_twin else image())
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", tx_hash)
    diff = trace(traced, tx_hash, "prestateTracer", diffMode=True)
    paid = 10 * int(receipt["effectiveGasPrice"], 16)
    assert diff["post"][hexed(owner)] == {"balance": hex(paid)}
    assert hexed(owner) not in diff["pre"]
    traced.close()


def test_a_slot_that_is_cleared_is_in_the_state_before_alone(traced: TracedWorld) -> None:
    contract = traced.deploy(bytes.fromhex("365f55"))  # the size of the calldata into slot 0
    traced.include(contract, b"\1")
    diff = trace(traced, traced.include(contract), "prestateTracer", diffMode=True)
    assert diff["post"][hexed(contract)] == {}
    assert diff["pre"][hexed(contract)]["storage"] == {ZERO_HASH: "0x" + f"{1:064x}"}


def test_a_creation_that_destroys_itself_is_two_frames(traced: TracedWorld) -> None:
    initcode = bytes.fromhex("33ff")
    code = push(initcode) + push(0) + b"\x52" + push(2) + push(30) + push(4) + CREATE + POP
    contract = traced.deploy(code)
    tx_hash = traced.include(contract, value=4)
    (made,) = trace(traced, tx_hash, "callTracer")["calls"]
    address = hexed(creation_address(contract, 1))
    assert (made["type"], made["to"], made["input"]) == ("CREATE", address, hexed(initcode))
    (gone,) = made["calls"]
    assert gone == {
        "type": "SELFDESTRUCT",
        "from": address,
        "to": hexed(contract),
        "value": "0x4",
        "gas": "0x0",
        "gasUsed": "0x0",
        "input": "0x",
    }
    flat = trace(traced, tx_hash, "flatCallTracer")
    assert [call["type"] for call in flat] == ["call", "create", "suicide"]
    assert [call["traceAddress"] for call in flat] == [[], [0], [0, 0]]
    assert flat[2]["action"]["refundAddress"] == hexed(contract)
    assert flat[0]["transactionHash"] == tx_hash


def test_an_inference_is_a_frame_and_a_step(traced: TracedWorld) -> None:
    model_id = traced.world.register_model()
    contract = traced.deploy(inferring(model_id))
    tx_hash = traced.include(contract, image())
    (frame,) = trace(traced, tx_hash, "callTracer")["calls"]
    steps = {s["op"]: s for s in trace(traced, tx_hash)["structLogs"]}
    assert (frame["type"], frame["modelId"]) == ("INFER", hexed(model_id))
    assert (frame["from"], frame["input"]) == (hexed(contract), hexed(image()))
    assert len(frame["output"]) > 2
    assert "to" not in frame
    assert frame["gas"] == frame["gasUsed"] == hex(steps["INFER"]["gasCost"])
    assert steps["INFER"]["gasCost"] > gas.INFER_BASE
    assert steps["MODELINFO"]["gasCost"] == gas.MODELINFO


def test_an_inference_that_is_refused_shows_the_selector(traced: TracedWorld) -> None:
    contract = traced.deploy(inferring(b"\x99" * 32))
    tx_hash = traced.include(contract, b"1234")
    (frame,) = trace(traced, tx_hash, "callTracer")["calls"]
    assert (frame["error"], len(frame["output"])) == ("model error", 2 + 2 * 4)
    assert frame["gasUsed"] == hex(gas.INFER_BASE)


def test_the_prestate_is_what_was_there_and_the_difference_what_changed(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    before = trace(traced, tx_hash, "prestateTracer")
    assert before[hexed(contract)]["storage"] == {"0x" + f"{3:064x}": ZERO_HASH}
    assert before[hexed(contract)]["balance"] == "0x0"
    assert before[hexed(reverter)]["nonce"] == 1
    assert hexed(NOBODY) not in before
    changed = trace(traced, tx_hash, "prestateTracer", diffMode=True)
    assert hexed(reverter) not in changed["pre"]
    assert "storage" not in changed["pre"][hexed(contract)]
    assert changed["post"][hexed(contract)] == {
        "balance": "0x4",
        "storage": {"0x" + f"{3:064x}": "0x" + f"{7:064x}"},
    }
    assert changed["post"][hexed(NOBODY)] == {"balance": "0x5"}
    assert changed["post"][hexed(SENDER)]["nonce"] == before[hexed(SENDER)]["nonce"] + 1


def test_selectors_are_counted_with_the_size_behind_them(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    assert trace(traced, mixed[2], "4byteTracer") == {"0xaabbccdd-1": 1}


def test_several_tracers_and_none_answer_by_name(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    found = trace(traced, mixed[2], "muxTracer", **{"4byteTracer": None, "noopTracer": {}})
    assert found == {"4byteTracer": {"0xaabbccdd-1": 1}, "noopTracer": {}}


def test_a_block_gives_a_trace_for_each_transaction(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", mixed[2])
    config = {"tracer": "4byteTracer"}
    expected = [{"txHash": mixed[2], "result": {"0xaabbccdd-1": 1}}]
    by_number = result(traced.view, "debug_traceBlockByNumber", receipt["blockNumber"], config)
    by_hash = result(traced.view, "debug_traceBlockByHash", receipt["blockHash"], config)
    assert by_number == by_hash == expected


def test_a_message_is_traced_without_being_sent(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    message = {"from": hexed(SENDER), "to": hexed(mixed[1])}
    found: Any = result(traced.view, "debug_traceCall", message, "latest", {"tracer": "callTracer"})
    assert (found["error"], found["revertReason"]) == ("execution reverted", "why")
    steps: Any = result(traced.view, "debug_traceCall", message)
    assert (steps["failed"], steps["returnValue"]) == (True, hexed(REASON))


@pytest.mark.parametrize(
    ("method", "params", "code", "words"),
    [
        pytest.param("debug_traceTransaction", ["0x" + 64 * "1"], -32000, "not found", id="hash"),
        pytest.param("debug_traceBlockByNumber", ["0x0"], -32000, "genesis", id="genesis"),
        pytest.param(
            "debug_traceBlockByNumber",
            ["3"],
            -32602,
            "invalid argument 0: hex string without 0x prefix",
            id="prefix",
        ),
        pytest.param(
            "debug_traceBlockByNumber", ["0x1", {"tracer": "x"}], -32602, "tracer not", id="tracer"
        ),
        pytest.param(
            "debug_traceBlockByNumber", ["0x1", {"timeout": "5"}], -32602, "duration", id="timeout"
        ),
        pytest.param(
            "debug_traceCall",
            [{}, "latest", {"stateOverrides": {"0x1": {}}}],
            -32602,
            "invalid argument 2: stateOverrides: ",
            id="state",
        ),
        pytest.param(
            "debug_traceCall",
            [{"to": hexed(NOBODY)}, "0x1", {"txIndex": "0x1"}],
            -32000,
            "transaction index 1 out of range for block 0x",
            id="txIndex",
        ),
    ],
)
def test_what_cannot_be_traced_is_refused(
    traced: TracedWorld, method: str, params: list[object], code: int, words: str
) -> None:
    found, message = error(traced.view, method, *params)
    assert found == code
    assert words in message


def test_a_traced_message_sees_what_is_set_of_accounts_and_block(traced: TracedWorld) -> None:
    code = "0x435f525f5460205260405ff3"  # NUMBER and slot 0
    overrides = {
        "stateOverrides": {
            hexed(NOBODY): {
                "code": code,
                "balance": "0x64",
                "state": {ZERO_HASH: "0x" + f"{0x77:064x}"},
            }
        },
        "blockOverrides": {"number": "0x4242"},
    }
    message = {"from": hexed(SENDER), "to": hexed(NOBODY)}
    found: Any = result(traced.view, "debug_traceCall", message, "latest", overrides)
    assert found["returnValue"] == "0x" + f"{0x4242:064x}{0x77:064x}"
    options = {"tracer": "prestateTracer", **overrides}
    before: Any = result(traced.view, "debug_traceCall", message, "latest", options)
    assert before[hexed(NOBODY)] == {
        "balance": "0x64",
        "code": code,
        "storage": {ZERO_HASH: "0x" + f"{0x77:064x}"},
    }


def test_a_message_is_traced_between_the_transactions_of_a_block(traced: TracedWorld) -> None:
    counting = traced.deploy(bytes.fromhex("5f546001015f55"))  # one more in slot 0
    world = traced.world
    raw = [signed_bytes(USER, world.nonce + i, to=counting, gas=100_000) for i in range(3)]
    checked, left_out = world.propose(raw)
    assert left_out == ()
    world.nonce += 3
    number = hex(checked.block.number)
    reading = {hexed(counting): {"code": "0x5f545f5260205ff3"}}

    def slot(**place: object) -> int:
        config = {"stateOverrides": reading, **place}
        message = {"to": hexed(counting)}
        found: Any = result(traced.view, "debug_traceCall", message, number, config)
        return int(found["returnValue"], 16)

    assert [slot(txIndex=hex(index)) for index in range(3)] == [0, 1, 2]
    assert slot() == 3


def test_a_trace_ends_at_its_time(traced: TracedWorld) -> None:
    endless = traced.deploy(bytes.fromhex("5b5f56"))
    message = {"from": hexed(SENDER), "to": hexed(endless), "gas": hex(10_000_000)}
    config = {"tracer": "noopTracer", "timeout": "50ms"}
    assert error(traced.view, "debug_traceCall", message, "latest", config) == (
        -32000,
        "execution aborted (timeout = 0.05s)",
    )


def test_raw_forms_are_those_that_the_chain_has(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", mixed[2])
    number = receipt["blockNumber"]
    block_hash = bytes.fromhex(receipt["blockHash"][2:])
    stored = traced.world.database.block_bytes(block_hash)
    assert stored is not None
    header = result(traced.view, "debug_getRawHeader", number)
    assert result(traced.view, "debug_getRawBlock", number) == hexed(stored)
    assert str(header)[2:] in stored.hex()
    raw = result(traced.view, "debug_getRawTransaction", mixed[2])
    assert str(raw)[2:] in stored.hex()
    assert result(traced.view, "debug_getRawTransaction", ZERO_HASH) == "0x"
    assert len(json.dumps(result(traced.view, "debug_getRawReceipts", number))) > 512


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("5s", 5.0, id="seconds"),
        pytest.param("300ms", 0.3, id="milliseconds"),
        pytest.param("1m30s", 90.0, id="minutes and seconds"),
    ],
)
def test_time_limits_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse_timeout(text) == pytest.approx(seconds)
