"""The cvm_ methods: shapes, chunks, and prices that add up."""

import pytest

from tests.unit.node.rpc.fake_chain import RECORD, small_chain
from tests.unit.node.rpc.rpc_caller import error, result, result_object

ACTIVE = "0x" + "aa" * 32
PENDING = "0x" + "bb" * 32
UNKNOWN = "0x" + "cc" * 32

ACTIVE_OBJECT = {
    "modelId": ACTIVE,
    "owner": "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a",
    "size": "0x4e200",
    "status": "active",
    "engine": "0x1",
    "inputBytes": "0x310",
    "outputBytes": "0x28",
    "batchable": True,
    "royaltyGas": "0x64",
    "nextRoyaltyGas": "0x78",
    "royaltyHeight": "0x9",
    "uri": "ipfs://digits",
    "deposit": "0xb5e620f480000",
    "activationHeight": "0x2",
    "retirementHeight": None,
    "recordHash": "0x" + RECORD.hash.hex(),
    "cost": {
        "float32Macs": "0xf4240",
        "int8Macs": "0x0",
        "elementwise": "0x1388",
        "transcendental": "0xa",
        "bytesMoved": "0x4e20",
        "nodes": "0x7",
        "weightBytes": "0x4e200",
        "peakBytes": "0xfa00",
    },
}
NULL_WHILE_PENDING = {
    "activationHeight", "batchable", "cost", "engine", "gasPerItem", "inputBytes", "loadGas",
    "outputBytes", "recordHash", "retirementHeight", "royaltyHeight",
}  # fmt: skip


def test_an_active_model_shows_its_record() -> None:
    found = dict(result_object(small_chain(), "cvm_getModel", ACTIVE))
    prices = {key: int(str(found.pop(key)), 16) for key in ("gasPerItem", "loadGas")}
    assert found == ACTIVE_OBJECT
    assert all(price > 0 for price in prices.values())


def test_a_pending_model_has_nulls_for_what_its_record_will_tell() -> None:
    found = result_object(small_chain(), "cvm_getModel", PENDING)
    assert found["status"] == "pending"
    assert {key for key, value in found.items() if value is None} == NULL_WHILE_PENDING


def test_models_are_listed_in_order_of_registration() -> None:
    chain = small_chain()
    listed = result(chain, "cvm_listModels")
    assert listed == [result(chain, "cvm_getModel", ACTIVE), result(chain, "cvm_getModel", PENDING)]


def test_the_status_of_an_active_model_has_record_and_signatures() -> None:
    assert result(small_chain(), "cvm_modelStatus", ACTIVE) == {
        "status": "active",
        "hasBytes": True,
        "missingChunks": [],
        "record": "0x" + RECORD.encode().hex(),
        "recordHash": "0x" + RECORD.hash.hex(),
        "refusal": None,
        "attestations": ["0x" + "65" * 65],
        "activationHeight": "0x2",
    }


def test_the_status_of_an_unknown_model_counts_chunks_by_the_size_given() -> None:
    chain = small_chain()
    assert result(chain, "cvm_modelStatus", UNKNOWN, "0x500000") == {
        "status": "none",
        "hasBytes": False,
        "missingChunks": ["0x0", "0x11"],
        "record": None,
        "recordHash": None,
        "refusal": "too many nodes: 3000 > 2048",
        "attestations": [],
        "activationHeight": None,
    }
    assert chain.sizes_asked == [5 * 2**20]


def test_a_size_that_differs_from_the_registered_one_is_refused() -> None:
    code, message = error(small_chain(), "cvm_modelStatus", PENDING, "0x3e9")
    assert code == -32602
    assert message.startswith("invalid argument 1: size 1001, but model 0xbbbb")
    assert message.endswith("is registered with 1000 bytes")


@pytest.mark.parametrize("batch", [1, 3])
def test_an_estimate_adds_up(batch: int) -> None:
    chain = small_chain()
    model = result_object(chain, "cvm_getModel", ACTIVE)
    quote = {
        name: int(str(value), 16)
        for name, value in result_object(chain, "cvm_estimateInference", ACTIVE, hex(batch)).items()
    }
    assert set(quote) == {"base", "load", "compute", "royalty", "bytes", "total"}
    assert quote.pop("total") == sum(quote.values())
    assert quote["compute"] == batch * int(str(model["gasPerItem"]), 16)
    assert quote["royalty"] == batch * 100
    assert quote["load"] == int(str(model["loadGas"]), 16)


@pytest.mark.parametrize(
    ("model", "batch", "code", "message"),
    [
        pytest.param(
            UNKNOWN,
            "0x1",
            -32000,
            f"model {UNKNOWN} is not registered; see cvm_listModels",
            id="no",
        ),
        pytest.param(
            PENDING,
            "0x1",
            -32000,
            f"model {PENDING} is pending, not active; see cvm_modelStatus",
            id="pending",
        ),
        pytest.param(
            ACTIVE,
            "0x0",
            -32602,
            "invalid argument 1: batch 0; this model takes 1 to 4096",
            id="empty-batch",
        ),
        pytest.param(
            ACTIVE,
            "0x1001",
            -32602,
            "invalid argument 1: batch 4097; this model takes 1 to 4096",
            id="large-batch",
        ),
    ],
)
def test_an_estimate_is_refused(model: str, batch: str, code: int, message: str) -> None:
    assert error(small_chain(), "cvm_estimateInference", model, batch) == (code, message)


def test_the_interface_names_inputs_and_outputs_in_order() -> None:
    assert result(small_chain(), "cvm_modelInterface", ACTIVE) == {
        "inputs": [{"name": "image", "dtype": "uint8", "shape": ["0x1", "0x1", "0x1c", "0x1c"]}],
        "outputs": [{"name": "scores", "dtype": "float32", "shape": ["0x1", "0xa"]}],
        "batchable": True,
    }


def test_the_interface_of_a_model_that_is_not_here_is_not_available() -> None:
    code, message = error(small_chain(), "cvm_modelInterface", UNKNOWN)
    assert (code, message) == (-32010, f"model data not available: {UNKNOWN}")
