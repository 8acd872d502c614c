"""What callers check: commit certificates, inferences run again, and a search for inferences."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from opcodes.gas import InferenceGas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace
from tests.unit.node.rpc.fake_chain import (
    ACTIVE_MODEL,
    ALICE,
    ENTRIES,
    PENDING_MODEL,
    RECORD,
    FakeChain,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import error, result, result_list, result_object

GAS = InferenceGas(3000, 5, 80, 20, 6)
RUN = InferenceCall(ACTIVE_MODEL, ALICE, True, GAS, b"\1\2", b"\7")
WRONG = replace(RUN, output=b"\xff")
REFUSED = InferenceCall(
    PENDING_MODEL, b"", False, InferenceGas(3000, 0, 0, 0, 0), b"", b"\xea\xba\x31\x1e"
)


def chain_with(*calls: InferenceCall) -> tuple[FakeChain, str]:
    chain = small_chain()
    chain.traces = tuple(InferenceTrace(i, each) for i, each in enumerate(calls))
    return chain, "0x" + chain.blocks[1].transactions[0].hash.hex()


def test_a_certificate_names_each_seal_and_its_signer() -> None:
    chain = small_chain()
    found = result_object(chain, "cvm_getCommitCertificate", "0x2")
    certificate = chain.certificate(2)
    assert certificate is not None
    seals = found["seals"]
    assert isinstance(seals, list)
    assert [seal["index"] for seal in seals] == ["0x0", "0x1", "0x3"]
    assert {key: found[key] for key in ("height", "round", "blockHash", "signers", "hash")} == {
        "height": "0x2",
        "round": "0x1",
        "blockHash": "0x" + chain.blocks[2].header.hash.hex(),
        "signers": "0xb",
        "hash": "0x" + certificate.hash.hex(),
    }


def test_genesis_has_no_certificate() -> None:
    assert result(small_chain(), "cvm_getCommitCertificate", "0x0") is None


@pytest.mark.parametrize(
    ("call", "agrees", "compared"),
    [
        pytest.param(RUN, True, 1, id="same-bits"),
        pytest.param(WRONG, False, 1, id="other-bits"),
        pytest.param(REFUSED, None, 0, id="did-not-run"),
    ],
)
def test_an_inference_is_compared_with_the_definition(
    call: InferenceCall, agrees: bool | None, compared: int
) -> None:
    chain, tx_hash = chain_with(RUN, call)
    found = result_object(chain, "cvm_verifyInference", tx_hash, "0x1")
    assert (found["agrees"], found["index"], len(chain.compared)) == (agrees, "0x1", compared)
    assert found["modelId"] == "0x" + call.model_id.hex()


@pytest.mark.parametrize(
    ("index", "message"),
    [pytest.param("0x1", "has no inference 1", id="index")],
)
def test_an_inference_that_is_not_there_is_named(index: str, message: str) -> None:
    chain, tx_hash = chain_with(RUN)
    code, said = error(chain, "cvm_verifyInference", tx_hash, index)
    assert (code, said) == (-32000, f"transaction {tx_hash} {message}")


def test_a_transaction_that_is_not_there_is_named() -> None:
    code, said = error(small_chain(), "cvm_verifyInference", "0x" + "77" * 32)
    assert (code, said) == (-32000, f"transaction 0x{'77' * 32} not found")


def test_a_model_too_large_for_the_definition_is_refused() -> None:
    chain, tx_hash = chain_with(RUN)
    large = replace(RECORD, cost=replace(RECORD.cost, float32_macs=1 << 28))
    chain.entries = (replace(ENTRIES[0], record=large), *ENTRIES[1:])
    code, said = error(chain, "cvm_verifyInference", tx_hash)
    assert code == -32005
    assert said.startswith("the model has 268435456 multiplications an item")
    assert chain.compared == []


def searched(chain: FakeChain, **wanted: object) -> Sequence[tuple[object, object]]:
    chain.block_traces = {
        chain.blocks[1].header.hash: [(0, InferenceTrace(0, RUN)), (2, InferenceTrace(0, REFUSED))],
        chain.blocks[2].header.hash: [(1, InferenceTrace(0, RUN)), (1, InferenceTrace(1, WRONG))],
    }
    found = result_list(chain, "cvm_getInferences", {"fromBlock": "0x0", **wanted})
    return [(each["blockNumber"], each["modelId"]) for each in found]


ACTIVE, PENDING = "0x" + "aa" * 32, "0x" + "bb" * 32
ALL = [("0x1", ACTIVE), ("0x1", PENDING), ("0x2", ACTIVE), ("0x2", ACTIVE)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({}, ALL, id="all"),
        pytest.param({"modelId": PENDING}, [ALL[1]], id="model"),
        pytest.param({"owner": "0x" + ALICE.hex()}, [ALL[0], *ALL[2:]], id="owner"),
        pytest.param({"fromBlock": "0x2", "toBlock": "0x2"}, ALL[2:], id="range"),
        pytest.param({"from": "0x" + "77" * 20}, [], id="nobodys-transactions"),
    ],
)
def test_inferences_are_found_by_what_is_known_of_them(
    wanted: dict[str, object], found: list[tuple[str, str]]
) -> None:
    assert searched(small_chain(), **wanted) == found


def test_blocks_that_cannot_hold_one_do_not_run_again() -> None:
    chain = small_chain()
    searched(chain, to="0x" + "b0" * 20)
    assert chain.replayed == [chain.blocks[1].header.hash, chain.blocks[2].header.hash]
    chain.replayed.clear()
    searched(chain, **{"from": "0x" + "77" * 20})
    assert chain.replayed == []


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        pytest.param(
            {"model": ACTIVE},
            -32602,
            'invalid argument 0: unknown option "model"; '
            "want some of fromBlock, toBlock, modelId, owner, from, to",
            id="unknown-option",
        ),
        pytest.param(
            {"toBlock": "0x9"},
            -32602,
            "block range extends beyond current head block: requested 9, head 3",
            id="beyond-the-head",
        ),
    ],
)
def test_a_search_that_cannot_be_is_refused(
    wanted: dict[str, object], code: int, message: str
) -> None:
    assert error(small_chain(), "cvm_getInferences", wanted) == (code, message)
