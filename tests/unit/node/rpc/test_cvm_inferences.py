"""cvm_traceInference: what it shows of each call, how much of it, and what it refuses."""

from hashlib import sha256

import pytest

from cvm.inference.engine import NodeTrace
from node.rpc import cvm_inferences
from node.rpc.chain_view import TraceRequest
from opcodes.gas import InferenceGas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace
from tests.unit.node.rpc.fake_chain import ACTIVE_MODEL, ALICE, FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import error, result_object

RUN = InferenceCall(ACTIVE_MODEL, ALICE, True, InferenceGas(3000, 5, 80, 20, 6), b"\1\2", b"\7")
FAILED = InferenceCall(
    ACTIVE_MODEL, ALICE, False, InferenceGas(3000, 0, 80, 20, 6), b"\3", b"\xce\x7c\xdb\x65"
)
REFUSED = InferenceCall(
    ACTIVE_MODEL, b"", False, InferenceGas(3000, 0, 0, 0, 0), b"", b"\xea\xba\x31\x1e"
)


def inferences(chain: FakeChain, tx_hash: str, *options: object) -> list[dict[str, object]]:
    listed = result_object(chain, "cvm_traceInference", tx_hash, *options)["inferences"]
    assert isinstance(listed, list)
    return listed


def tracing(*traces: InferenceTrace) -> tuple[FakeChain, str]:
    """Return a chain that gives these traces, and a transaction whose gas costs 2 gwei."""
    chain = small_chain()
    chain.traces = traces
    return chain, "0x" + chain.blocks[1].transactions[0].hash.hex()


def test_a_call_shows_model_owner_gas_bytes_and_what_its_owner_was_paid() -> None:
    chain, tx_hash = tracing(InferenceTrace(0, RUN))
    found = result_object(chain, "cvm_traceInference", tx_hash)
    assert found == {
        "transactionHash": tx_hash,
        "blockHash": "0x" + chain.blocks[1].header.hash.hex(),
        "blockNumber": "0x1",
        "transactionIndex": "0x0",
        "inferences": [
            {
                "index": "0x0",
                "modelId": "0x" + "aa" * 32,
                "owner": "0x" + ALICE.hex(),
                "ok": True,
                "hasRun": True,
                "gas": {
                    "base": "0xbb8",
                    "load": "0x5",
                    "compute": "0x50",
                    "royalty": "0x14",
                    "bytes": "0x6",
                    "total": "0xc27",
                },
                "royaltyPaid": hex(20 * 2 * 10**9),
                "inputSize": "0x2",
                "inputHash": "0x" + sha256(b"\1\2").hexdigest(),
                "input": "0x0102",
                "outputSize": "0x1",
                "outputHash": "0x" + sha256(b"\7").hexdigest(),
                "output": "0x07",
                "nodes": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("call", "has_run", "owner", "output"),
    [
        pytest.param(FAILED, True, "0x" + ALICE.hex(), "0xce7cdb65", id="out of range"),
        pytest.param(REFUSED, False, None, "0xeaba311e", id="not active"),
    ],
)
def test_a_call_that_failed_pays_no_royalty_and_shows_its_selector(
    call: InferenceCall, has_run: bool, owner: str | None, output: str
) -> None:
    chain, tx_hash = tracing(InferenceTrace(0, call))
    (found,) = inferences(chain, tx_hash)
    shown = (found["ok"], found["hasRun"], found["owner"], found["output"], found["royaltyPaid"])
    assert shown == (False, has_run, owner, output, "0x0")


def test_nodes_and_index_are_handed_on_and_nodes_are_shown() -> None:
    chain, tx_hash = tracing(InferenceTrace(3, RUN, (NodeTrace("relu", "Relu", "ab" * 32),)))
    options = {"nodes": True, "index": "0x3"}
    (found,) = inferences(chain, tx_hash, options)
    assert found["index"] == "0x3"
    assert found["nodes"] == [{"name": "relu", "opType": "Relu", "outputHash": "0x" + "ab" * 32}]
    assert [request for _place, request in chain.traces_asked] == [TraceRequest(True, 3)]


def test_bytes_over_the_bound_are_null_and_keep_their_hashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cvm_inferences, "MAX_SHOWN_BYTES", 5)
    chain, tx_hash = tracing(InferenceTrace(0, RUN), InferenceTrace(1, RUN))
    first, second = inferences(chain, tx_hash)
    assert (first["input"], first["output"]) == ("0x0102", "0x07")
    assert (second["input"], second["output"]) == (None, None)
    assert second["inputHash"] == first["inputHash"]


UNKNOWN = "0x" + "99" * 32


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        pytest.param((), -32000, f"transaction {UNKNOWN} not found", id="unknown transaction"),
        pytest.param(({"node": True},), -32602, 'unknown option "node"', id="unknown option"),
        pytest.param(({"nodes": 1},), -32602, "cannot unmarshal number", id="nodes"),
        pytest.param(({"index": 1},), -32602, "cannot unmarshal non-string", id="index"),
        pytest.param((5,), -32602, "5 is not an object", id="options"),
    ],
)
def test_a_bad_question_is_refused(options: tuple[object, ...], code: int, words: str) -> None:
    found = error(small_chain(), "cvm_traceInference", UNKNOWN, *options)
    assert found[0] == code
    assert words in found[1]
