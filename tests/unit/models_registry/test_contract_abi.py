"""Calldata, results, events and errors by the names of a contract's ABI."""

import pytest
from eth_abi.abi import encode

from models_registry.artifact import load_artifact
from models_registry.contract_abi import ContractAbi, NotInAbi, type_name
from models_registry.selectors import selector, topic

DATASETS = ContractAbi("DatasetRegistry")


def test_calldata_is_selector_and_arguments() -> None:
    types = ["bytes32", "uint64", "uint32", "uint8", "string"]
    values = [b"\x01" * 32, 2, 3, 1, "uri"]
    expected = selector("register(bytes32,uint64,uint32,uint8,string)") + encode(types, values)
    assert DATASETS.calldata("register", *values) == expected


def test_a_struct_is_the_tuple_of_its_fields() -> None:
    fields = [{"type": "uint8"}, {"type": "tuple", "components": [{"type": "bytes"}]}]
    assert type_name({"type": "tuple[2]", "components": fields}) == "(uint8,(bytes))[2]"


def test_a_single_result_stands_alone() -> None:
    assert DATASETS.result("datasetCount", encode(["uint256"], [5])) == 5
    several = encode(["bytes32", "uint256", "uint256", "uint8"], [bytes(32), 1, 2, 0])
    assert DATASETS.result("shape", several) == (bytes(32), 1, 2, 0)


def test_an_event_has_its_arguments_in_order() -> None:
    name = "DatasetRegistered(bytes32,address,bytes32,uint64,uint32,uint8,string)"
    assert DATASETS.event_topic("DatasetRegistered") == topic(name)
    topics = [topic(name), b"\x01" * 32, bytes(12) + b"\x02" * 20, b"\x03" * 32]
    data = encode(["uint64", "uint32", "uint8", "string"], [4, 5, 1, "u"])
    assert DATASETS.event("DatasetRegistered", topics, data) == (
        b"\x01" * 32,
        "0x" + "02" * 20,
        b"\x03" * 32,
        4,
        5,
        1,
        "u",
    )


def test_an_error_is_told_by_its_selector() -> None:
    data = DATASETS.error("NoDatasetAt", 1, 2)
    assert data == selector("NoDatasetAt(uint256,uint256)") + encode(["uint256"] * 2, [1, 2])
    assert DATASETS.error_name(data) == "NoDatasetAt"
    assert DATASETS.error_name(b"\x00" * 4) is None


def test_a_creation_ends_with_the_arguments() -> None:
    assert DATASETS.creation() == load_artifact("DatasetRegistry").bytecode
    created = ContractAbi("Evaluator").creation(b"\x07" * 20)
    assert created == load_artifact("Evaluator").bytecode + bytes(12) + b"\x07" * 20


@pytest.mark.parametrize("kind", ["calldata", "event_topic", "error"])
def test_what_a_contract_does_not_have_is_named(kind: str) -> None:
    with pytest.raises(NotInAbi, match=r"DatasetRegistry has no \w+ nothing"):
        getattr(DATASETS, kind)("nothing")
