"""The Solidity libraries on the real opcodes: MODELINFO's fields, what a call costs, INFERARRAY."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from models_registry.artifact import load_artifact
from models_registry.record import ModelRecord
from models_registry.selectors import selector
from opcodes import gas
from tests.documents import ROOT, section, table_rows
from tests.evm_world import MODEL_ID, OWNER, RECORD, Ran, World
from tests.unit.opcodes.test_infer_array import array_storage, doubled

UNKNOWN = b"\x66" * 32
PROBE = b"\xbb" * 20
TARGET = b"\xaa" * 20
ACTIVATION_HEIGHT = 9
ROYALTY_GAS = 300
INFER_ARRAY_CODE = bytes.fromhex("5f5f6020355f35c13d5f5f3e6012573d5ffd5b3d5ff3")
NOT_BATCHABLE = replace(RECORD, batchable=False)
ODD_SIZES = replace(RECORD, input_bytes=33, output_bytes=1)
FLOATS = bytes.fromhex("3f8000003dcccccd") * 400


def call(world: World, signature: str, types: str, *arguments: Any) -> Ran:
    data = encode(types.split(",") if types else [], arguments)
    return world.run(to=PROBE, data=selector(f"{signature}({types})") + data)


def world_with(contract: str, record: ModelRecord = RECORD) -> World:
    world = World()
    world.register(record, activation_height=ACTIVATION_HEIGHT, royalty_gas=ROYALTY_GAS)
    world.put_code(PROBE, load_artifact(contract).deployed_bytecode)
    return world


def number(ran: Ran) -> int:
    assert ran.is_success, ran.output.hex()
    return int.from_bytes(ran.output, "big")


@pytest.mark.parametrize(
    ("function", "value"),
    [
        pytest.param("status", 2, id="status"),
        pytest.param("isActive", 1, id="is active"),
        pytest.param("ownerOf", int.from_bytes(OWNER, "big"), id="owner"),
        pytest.param("inputBytes", 4, id="input bytes"),
        pytest.param("outputBytes", 8, id="output bytes"),
    ],
)
def test_a_fact_has_a_function(function: str, value: int) -> None:
    world = world_with("CVMProbe")
    assert number(call(world, function, "bytes32", MODEL_ID)) == value
    assert number(call(world, function, "bytes32", UNKNOWN)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (1, gas.compute_gas(RECORD.cost)),
        (2, 200),
        (6, ROYALTY_GAS),
        (7, 1),
        (8, 1),
        (9, ACTIVATION_HEIGHT),
    ],
)
def test_every_field_has_a_number(field: int, value: int) -> None:
    assert number(call(world_with("CVMProbe"), "info", "bytes32,uint256", MODEL_ID, field)) == value


def test_a_field_that_does_not_exist_reverts_by_its_name() -> None:
    ran = call(world_with("CVMProbe"), "info", "bytes32,uint256", MODEL_ID, 10)
    assert (ran.is_success, ran.output) == (False, selector("BadField()"))


@pytest.mark.parametrize("record", [RECORD, ODD_SIZES], ids=["even", "odd sizes"])
@pytest.mark.parametrize("batch", [1, 2, 7, 4_096])
def test_the_gas_of_a_call_is_what_infer_charges(record: ModelRecord, batch: int) -> None:
    told = number(call(world_with("CVMProbe", record), "gasOf", "bytes32,uint256", MODEL_ID, batch))
    charged = gas.inference_gas(
        record.cost,
        size_bytes=record.size_bytes,
        batch=batch,
        item_input_bytes=record.input_bytes,
        item_output_bytes=record.output_bytes,
        registered_royalty=ROYALTY_GAS,
        first_touch=True,
    )
    assert told == charged.total


@pytest.mark.parametrize(
    ("record", "model", "batch", "error"),
    [
        pytest.param(RECORD, UNKNOWN, 1, "ModelNotActive()", id="unknown model"),
        pytest.param(RECORD, MODEL_ID, 0, "BadInputSize()", id="no item"),
        pytest.param(RECORD, MODEL_ID, 4_097, "BadInputSize()", id="too many items"),
        pytest.param(NOT_BATCHABLE, MODEL_ID, 2, "BadInputSize()", id="not batchable"),
    ],
)
def test_there_is_no_gas_for_a_call_that_infer_refuses(
    record: ModelRecord, model: bytes, batch: int, error: str
) -> None:
    ran = call(world_with("CVMProbe", record), "gasOf", "bytes32,uint256", model, batch)
    assert (ran.is_success, ran.output) == (False, selector(error))


def test_one_item_of_a_model_without_batches_has_its_gas() -> None:
    world = world_with("CVMProbe", NOT_BATCHABLE)
    assert number(call(world, "gasOf", "bytes32,uint256", MODEL_ID, 1)) > gas.INFER_BASE


def infer_stored(data: bytes, code: bytes = INFER_ARRAY_CODE, model: bytes = MODEL_ID) -> Ran:
    """Run a model on the probe's storage through an account with some code."""
    world = world_with("TensorProbe")
    world.state.put(PROBE, nonce=1, storage=array_storage(data, slot=0))
    world.put_code(TARGET, code)
    return call(world, "inferStored", "address,bytes32", "0x" + TARGET.hex(), model)


@pytest.mark.parametrize("size", [4, 28, 32, 400])
def test_infer_array_reads_the_callers_storage(size: int) -> None:
    data = bytes(range(1, 101)) * 4
    ran = infer_stored(data[:size])
    assert ran.is_success
    assert decode(["bytes"], ran.output) == (doubled(data[:size]),)


@pytest.mark.parametrize(
    ("data", "model", "error"),
    [
        pytest.param(b"abc", MODEL_ID, "BadInputSize()", id="no whole item"),
        pytest.param(b"abcd", UNKNOWN, "ModelNotActive()", id="unknown model"),
    ],
)
def test_infer_array_passes_the_reason_on(data: bytes, model: bytes, error: str) -> None:
    ran = infer_stored(data, model=model)
    assert (ran.is_success, ran.output) == (False, selector(error))


def test_infer_array_names_a_slot_that_holds_no_bytes() -> None:
    world = world_with("TensorProbe")
    world.state.put(PROBE, nonce=1, storage={0: 2 * 31 + 1})  # 31 bytes, written as more than 31
    world.put_code(TARGET, INFER_ARRAY_CODE)
    ran = call(world, "inferStored", "address,bytes32", "0x" + TARGET.hex(), MODEL_ID)
    assert (ran.is_success, ran.output) == (False, selector("BadStorageArray()"))


def test_no_other_code_is_lent_the_storage() -> None:
    for code in (INFER_ARRAY_CODE + b"\0", b"", INFER_ARRAY_CODE.replace(b"\xc1", b"\xc0")):
        ran = infer_stored(b"abcd", code)
        refused = selector("NotInferArray(address)") + encode(["address"], ["0x" + TARGET.hex()])
        assert (ran.is_success, ran.output) == (False, refused)


def measured() -> dict[str, int]:
    """Return the gas of the library's functions, by how the document names them."""
    world = world_with("GasProbe")

    def of(function: str, types: str, *arguments: Any) -> int:
        return number(call(world, function, types, *arguments))

    data = "bytes,uint256"
    used = {
        f"CVM.{name}": of(name, data, FLOATS, 2) for name in ("toInt64", "toBool", "toFloat32Bits")
    }
    for name in ("toInt64Array", "toInt8Array", "toFloat32BitsArray", "argmaxInt64"):
        used[f"CVM.{name}, 100 elements"] = of(name, data, FLOATS, 100)
    used["CVM.toBoolArray, 100 elements"] = of("toBoolArray", data, b"\1\0" * 50, 100)
    for name in ("argmaxUint8", "argmaxFloat32"):
        used[f"CVM.{name}, 100 elements"] = of(name, data, FLOATS, 100)
    used["CVM.slice, 784 bytes"] = of("slice", data, FLOATS, 784)
    for name in ("fromInt64", "fromUint8", "fromFloat32Bits"):
        used[f"CVMInput.{name}, 100 elements"] = of(name, data, FLOATS, 100)
    used["CVMInput.join, 10 parts of 784 bytes"] = of("join", data, FLOATS[:784], 10)
    used["Float32.toWad"] = of("toWad", "uint32", 0x3DCCCCCD)
    used["Float32.fromFixed"] = of("fromFixed", "int256,uint256", 10**17, 10**18)
    used["CVM.status"] = of("status", "bytes32", MODEL_ID)
    used["CVM.gasOf"] = of("gasOf", "bytes32,uint256", MODEL_ID, 10)
    told = number(call(world_with("CVMProbe"), "gasOf", "bytes32,uint256", MODEL_ID, 1))
    used["CVM.infer, above what INFER charges"] = (
        of("infer", "bytes32,bytes", MODEL_ID, b"abcd") - told
    )
    return used


def test_the_document_states_what_each_function_costs() -> None:
    text = (ROOT / "models-registry" / "contracts" / "README.md").read_text(encoding="utf-8")
    rows = table_rows(section(text, "What the library costs"))
    assert {name: int(value.replace(",", "")) for name, value in rows} == measured()
