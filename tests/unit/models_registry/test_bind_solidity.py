"""Generated libraries compile without a warning and carry tensors as the engine packs them."""

from functools import cache
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvm.inference.graph import Value
from cvm.inference.tensor_type import TensorType
from models_registry.cli.bind import Binding, binding_of
from models_registry.selectors import selector
from tests.solidity import Compiled, compile_sources
from tests.unit.models_registry.bound_models import (
    ANSWER,
    IMAGE,
    ITEM,
    MODEL_ID,
    PACKED,
    RESULT,
    abi_type,
    answers,
    bindings,
    mixed,
    used_source,
)
from tests.unit.models_registry.contract_host import ContractHost, Reverted

INFER = bytes.fromhex("0000000000000000000000000000000000000c00")
SINGLE = binding_of(
    MODEL_ID,
    [Value("features", TensorType("int8", (1, 5)))],
    [Value("y", TensorType("int64", (1, 1)))],
    batchable=True,
)


@cache
def compiled() -> Compiled:
    return compile_sources(
        {"Mixed.sol": used_source(mixed(), "Mixed"), "Single.sol": used_source(SINGLE, "Single")}
    )


class User:
    """The contract that uses a library, with some code in the place of INFER."""

    def __init__(self, name: str, binding: Binding, infer: bytes = b"") -> None:
        self.binding = binding
        self.host = ContractHost()
        self.host.place(b"\x42" * 20, compiled().code(f"{name}User"))
        self.host.place(INFER, infer)

    def __call__(self, signature: str, arguments: list[Any], returns: str) -> Any:
        function, types = signature.split(" ", 1)
        packed = encode([f"({types})"], [tuple(arguments)])
        # Arguments are a tuple, without the offset of one that has no fixed size.
        data = selector(f"{function}({types})") + packed[0 if _is_static(types) else 32 :]
        return decode([returns], self.host.send(bytes(20), b"\x42" * 20, data).output)[0]


def _is_static(types: str) -> bool:
    return "bytes" not in types and "[]" not in types


def test_libraries_compile_without_a_warning() -> None:
    assert compiled().diagnostics == ()


def test_an_item_is_packed_in_the_graphs_order() -> None:
    user = User("Mixed", mixed())
    assert user(f"encode {abi_type(mixed().inputs)}", [ITEM], "bytes") == PACKED


@pytest.mark.parametrize("item", [0, 1])
def test_outputs_are_read_where_their_item_lies(item: int) -> None:
    user = User("Mixed", mixed())
    data = b"\xee" * len(ANSWER) * item + ANSWER
    assert user("decode bytes,uint256", [data, item], abi_type(mixed().outputs)) == RESULT


def test_a_run_goes_through_the_model() -> None:
    user = User("Mixed", mixed(), answers(ANSWER))
    given = abi_type(mixed().inputs)
    assert user(f"run {given}", [ITEM], abi_type(mixed().outputs)) == RESULT


def test_a_batch_is_items_one_after_the_other() -> None:
    user = User("Mixed", mixed(), answers(ANSWER * 3))
    returned = user(
        f"runBatch {abi_type(mixed().inputs)}[]", [[ITEM] * 3], abi_type(mixed().outputs) + "[]"
    )
    assert returned == (RESULT,) * 3


def test_one_input_and_one_output_need_no_struct() -> None:
    user = User("Single", SINGLE, answers(bytes.fromhex("00" * 7 + "05" + "ff" * 8)))
    assert user("encode int8[5]", [[-1, 2, 3, 4, 127]], "bytes") == b"\xff\x02\x03\x04\x7f"
    assert user("run int8[5]", [[1] * 5], "int64") == 5
    assert user("runBatch int8[5][]", [[[1] * 5] * 2], "int64[]") == (5, -1)


def test_a_large_tensor_of_another_size_is_refused() -> None:
    user = User("Mixed", mixed())
    with pytest.raises(Reverted) as caught:
        user(f"encode {abi_type(mixed().inputs)}", [(IMAGE[1:], *ITEM[1:])], "bytes")
    expected = encode(["uint256"] * 2, [99, 100])
    assert caught.value.data == selector("BadTensorSize(uint256,uint256)") + expected


def test_the_reason_of_the_model_passes() -> None:
    user = User("Single", SINGLE, answers(selector("ModelNotActive()"), "fd"))
    with pytest.raises(Reverted) as caught:
        user("run int8[5]", [[1] * 5], "int64")
    assert caught.value.data == selector("ModelNotActive()")


def test_a_model_without_batches_has_no_batch_function() -> None:
    assert "runBatch" in used_source(mixed(), "Mixed")
    assert "runBatch" not in used_source(mixed(batchable=False), "Mixed")


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(bindings(), min_size=12, max_size=12))
def test_any_names_and_shapes_compile_without_a_warning(drawn: list[Binding]) -> None:
    sources = {
        f"Drawn{index}.sol": used_source(binding, f"Drawn{index}")
        for index, binding in enumerate(drawn)
    }
    assert compile_sources(sources).diagnostics == ()
