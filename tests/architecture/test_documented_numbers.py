"""Numbers and code in documents are those of the program."""

import json
from typing import Any

import numpy as np

from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from node.pool.limits import DEFAULT_LIMITS, MAX_TX_BYTES, SLOT_BYTES
from opcodes import errors, gas, table
from opcodes.inference_host import InferenceLog
from opcodes.model_record import mapped
from tests.documents import ROOT, code_blocks, section, table_rows


class NoModels:
    """An `InferenceHost` that is never asked."""

    def run(self, model_id: bytes, data: bytes) -> bytes:
        raise AssertionError(f"ran {model_id.hex()} on {len(data)} bytes")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def gas_constants() -> dict[str, int]:
    """Return every constant of `opcodes/gas.py` by name, one per price."""
    constants: dict[str, Any] = {name: value for name, value in vars(gas).items() if name.isupper()}
    prices = constants.pop("COMPUTE_PRICES")
    for name in prices.__dataclass_fields__:
        constants[f"COMPUTE_PRICES.{name}"] = getattr(prices, name)
    return constants


def test_solidity_example_is_the_committed_contract() -> None:
    (block,) = code_blocks(text_of("README.md"), "solidity")
    shown = [line for line in block.splitlines() if line]
    source = iter(text_of("models-registry/contracts/examples/DigitClassifier.sol").splitlines())
    assert [line for line in shown if line not in source] == []
    assert any("CVM.infer" in line for line in shown)


def test_gas_table_is_that_of_the_code() -> None:
    rows = table_rows(section(text_of("opcodes/README.md"), "Gas"))
    stated = {name: int(value.replace(",", "")) for name, value, _of_what in rows}
    assert stated == gas_constants()


def test_error_selectors_are_those_of_the_code() -> None:
    rows = table_rows(section(text_of("opcodes/README.md"), "INFER"))
    assert {name: selector for name, selector, _when in rows} == {
        "ModelNotActive()": f"0x{errors.MODEL_NOT_ACTIVE.hex()}",
        "BadInputSize()": f"0x{errors.BAD_INPUT_SIZE.hex()}",
        "BadStorageArray()": f"0x{errors.BAD_STORAGE_ARRAY.hex()}",
        "BadField()": f"0x{errors.BAD_FIELD.hex()}",
        "InputOutOfRange()": f"0x{errors.INPUT_OUT_OF_RANGE.hex()}",
    }


def test_opcode_table_is_that_of_the_code() -> None:
    rows = [row for row in table_rows(text_of("opcodes/README.md")) if row[0].startswith("0x")]
    additions = table.ai_additions(NoModels(), InferenceLog())
    twins = sorted(int.from_bytes(address, "big") for address in additions.precompiles)
    assert [int(row[0], 16) for row in rows] == sorted(additions.opcodes)
    assert [int(row[1], 16) for row in rows if row[1] != "none"] == twins


def test_gas_example_is_what_the_code_charges() -> None:
    model = next(
        model
        for model in json.loads(text_of("models-registry/models/manifest.json"))["models"]
        if model["file"] == "digits_int8.onnx"
    )
    parts = [
        gas.INFER_BASE,
        gas.load_gas(model["size_bytes"]),
        100 * 2_193,
        gas.io_gas(78_400) + gas.io_gas(4_800),
    ]
    shown = " + ".join(f"{part:,}" for part in parts) + f" = {sum(parts):,}"
    assert shown in " ".join(text_of("opcodes/README.md").split())


def test_mapping_of_the_test_input_is_that_of_the_code() -> None:
    rows = table_rows(section(text_of("opcodes/README.md"), "The record's testHash"))
    drawn = np.array([0, 129, 255], np.uint8)
    stated = {dtype: row[2:] for row in rows for dtype in row[0].split(", ")}
    assert sorted(stated) == ["bool", "float32", "int32", "int64", "int8", "uint8"]
    for dtype, cells in stated.items():
        assert mapped(drawn, dtype).astype(np.float64).tolist() == list(map(float, cells)), dtype


def test_genesis_tables_are_those_of_the_code() -> None:
    rows = table_rows(section(text_of("consensus/README.md"), "The genesis file"))
    stated = {row[0]: row[1] for row in rows}
    defaults = ChainParameters(chain_id=1)
    for name in ("period_s", "block_gas_limit", "block_inference_gas", "block_reward_gwei"):
        number = stated[f"config.cvm.{name}"].rsplit("; ", 1)[1].replace(",", "")
        assert int(number) == getattr(defaults, name)
    addresses = {name.lower() for name in stated if name.startswith("0x")}
    assert addresses == set(new_genesis(defaults, [b"\x01" * 20], {}, 0)["alloc"])


def test_pool_table_is_that_of_the_code() -> None:
    rows = dict(table_rows(section(text_of("node/README.md"), "Pool")))
    limits = DEFAULT_LIMITS
    assert rows["size"] == f"{MAX_TX_BYTES >> 10} KiB; a slot is {SLOT_BYTES >> 10} KiB"
    assert rows["pending in all"].startswith(f"{limits.global_slots:,} slots")
    assert rows["safe for each sender"].startswith(f"{limits.account_slots} pending slots")
    assert rows["queued in all, and of one sender"].startswith(
        f"{limits.global_queue:,} slots, and {limits.account_queue} transactions"
    )
    assert rows["queued for"].startswith(f"{limits.lifetime_s // 3_600} hours")
    assert rows["replacing one"].startswith(f"{limits.price_bump_percent} % ")


def test_accuracy_is_that_of_the_manifest() -> None:
    manifest = json.loads(text_of("models-registry/models/manifest.json"))
    right = {model["file"]: model["accuracy"]["correct"] for model in manifest["models"]}
    changes = text_of("CHANGELOG.md")
    assert f"{right['digits_float32.onnx']:,} (float32)" in changes
    assert f"{right['digits_int8.onnx']:,} (int8)" in changes
