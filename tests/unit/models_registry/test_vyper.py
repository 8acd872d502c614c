"""Vyper contracts call models: through CVM.vy, and through a module of `cvm model bind`."""

from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import HealthCheck, given, settings

from models_registry.cli.bind import Binding, vyper_source
from models_registry.cli.bind.binding import Tensor
from models_registry.selectors import selector
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
    solidity_type,
)
from tests.unit.models_registry.contract_host import Answer, ContractHost, Reverted
from tests.vyper import MODULES, compile_vyper

INFER = bytes.fromhex("0000000000000000000000000000000000000c00")
MODELINFO = bytes.fromhex("0000000000000000000000000000000000000c01")
USER = b"\x0a" * 20
CONTRACT = b"\x42" * 20
DIGIT = bytes(7) + b"\x07" + bytes(40)
BLANK = bytes(784)
PROBE = """
import CVM

@external
@view
def infer(model_id: bytes32, given: Bytes[16384]) -> Bytes[4097]:
    return CVM.infer(model_id, given)

@external
@view
def info(model_id: bytes32, field: uint256) -> uint256:
    return CVM.info(model_id, field)

@external
@pure
def elements(data: Bytes[4097], offset: uint256) -> (int64, int32, int8, uint8, uint32):
    return (
        CVM.to_int64(data, offset),
        CVM.to_int32(data, offset),
        CVM.to_int8(data, offset),
        CVM.to_uint8(data, offset),
        CVM.to_float32_bits(data, offset),
    )

@external
@pure
def to_bool(data: Bytes[4097], offset: uint256) -> bool:
    return CVM.to_bool(data, offset)
"""
ECHO = bytes.fromhex("365f5f37365ff3")  # returns its calldata


def reader(infer: bytes) -> tuple[ContractHost, bytes]:
    host = ContractHost()
    host.place(INFER, infer)
    code = compile_vyper(MODULES / "DigitReader.vy", "bytecode")
    return host, host.create(USER, code + MODEL_ID)


def classify(host: ContractHost, contract: bytes, image: bytes = BLANK) -> Answer:
    return host.send(USER, contract, selector("classify(bytes)") + encode(["bytes"], [image]))


def probe(folder: Path, infer: bytes = b"", info: bytes = b"") -> ContractHost:
    path = folder / "Probe.vy"
    path.write_text("# pragma version ~=0.4.3" + PROBE)
    host = ContractHost()
    host.place(CONTRACT, compile_vyper(path))
    host.place(INFER, infer)
    host.place(MODELINFO, info)
    return host


def test_the_example_returns_stores_and_logs_the_label() -> None:
    host, contract = reader(answers(DIGIT))
    answer = classify(host, contract)
    assert decode(["int64"], answer.output) == (7,)
    assert host.view(contract, "last_label()", [], ["int64"]) == 7
    assert host.view(contract, "model_id()", [], ["bytes32"]) == MODEL_ID
    assert [decode(["int64"], data) for _address, _topics, data in answer.logs] == [(7,)]


def test_the_example_passes_the_models_reason_on() -> None:
    host, contract = reader(answers(selector("ModelNotActive()"), "fd"))
    with pytest.raises(Reverted) as caught:
        classify(host, contract)
    assert caught.value.data == selector("ModelNotActive()")


def test_the_example_asks_whether_the_model_is_active() -> None:
    host, contract = reader(b"")
    for status in range(5):
        host.place(MODELINFO, answers(status.to_bytes(32, "big")))
        assert host.view(contract, "is_ready()", [], ["bool"]) is (status == 2)


@pytest.mark.parametrize(
    ("infer", "reason"),
    [
        pytest.param(b"", "no inference", id="chain without the precompile"),
        pytest.param(answers(bytes(4_097)), "output too long", id="output that would be cut off"),
    ],
)
def test_an_answer_that_is_no_whole_output_is_refused(infer: bytes, reason: str) -> None:
    host, contract = reader(infer)
    with pytest.raises(Reverted) as caught:
        classify(host, contract)
    assert decode(["string"], caught.value.data[4:]) == (reason,)


def test_a_call_carries_the_model_id_and_the_input(tmp_path: Path) -> None:
    host = probe(tmp_path, infer=ECHO, info=answers((5).to_bytes(32, "big")))
    call = [MODEL_ID, IMAGE]
    assert host.view(CONTRACT, "infer(bytes32,bytes)", call, ["bytes"]) == MODEL_ID + IMAGE
    assert host.view(CONTRACT, "info(bytes32,uint256)", [MODEL_ID, 3], ["uint256"]) == 5


def test_elements_are_big_endian_and_lie_in_the_output(tmp_path: Path) -> None:
    host = probe(tmp_path)
    kinds = ["int64", "int32", "int8", "uint8", "uint32"]
    data = b"\x01" + bytes.fromhex("fffffffefffffffd")
    read = host.view(CONTRACT, "elements(bytes,uint256)", [data, 1], kinds)
    assert read == (-(2**32) - 3, -2, -1, 255, 0xFFFFFFFE)
    assert host.view(CONTRACT, "to_bool(bytes,uint256)", [data, 0], ["bool"]) is True
    for offset in (2, 9, 2**256 - 1):
        with pytest.raises(Reverted):
            host.view(CONTRACT, "elements(bytes,uint256)", [data, offset], kinds)


def bound(folder: Path, binding: Binding, infer: bytes) -> ContractHost:
    """Place a contract that passes its arguments to the module of a model."""
    (folder / "bound.vy").write_text(vyper_source(binding, "Mixed"))
    path = folder / "user.vy"
    given, made = vyper_type(binding.inputs, "Input"), vyper_type(binding.outputs, "Output")
    path.write_text(
        "# pragma version ~=0.4.3\nimport bound\n\n@external\n@view\n"
        f"def run(item: {given}) -> {made}:\n    return bound.run(item)\n\n"
        "@external\n@view\ndef is_active() -> bool:\n    return bound.is_active()\n"
    )
    host = ContractHost()
    host.place(CONTRACT, compile_vyper(path))
    host.place(INFER, infer)
    return host


def vyper_type(tensors: tuple[Tensor, ...], struct: str) -> str:
    if len(tensors) > 1:
        return f"bound.{struct}"
    name = solidity_type(tensors[0])
    return f"Bytes[{tensors[0].type.size_bytes}]" if name == "bytes" else name


def run_bound(host: ContractHost, binding: Binding, item: tuple[Any, ...]) -> Any:
    given, made = abi_type(binding.inputs), abi_type(binding.outputs)
    data = selector(f"run({given})") + encode([given], [item])
    return decode([made], host.send(USER, CONTRACT, data).output)[0]


def test_a_bound_module_reads_the_outputs(tmp_path: Path) -> None:
    host = bound(tmp_path, mixed(), answers(ANSWER))
    assert run_bound(host, mixed(), ITEM) == RESULT


def test_a_bound_module_packs_the_inputs(tmp_path: Path) -> None:
    """INFER here reverts with its calldata, which Vyper passes on."""
    host = bound(tmp_path, mixed(), bytes.fromhex("365f5f37365ffd"))
    with pytest.raises(Reverted) as caught:
        run_bound(host, mixed(), ITEM)
    assert caught.value.data == MODEL_ID + PACKED


def test_a_bound_module_refuses_a_tensor_of_another_size(tmp_path: Path) -> None:
    host = bound(tmp_path, mixed(), answers(ANSWER))
    with pytest.raises(Reverted) as caught:
        run_bound(host, mixed(), (IMAGE[1:], *ITEM[1:]))
    assert decode(["string"], caught.value.data[4:]) == ("in_image_0: 100 bytes",)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(binding=bindings())
def test_any_names_and_shapes_compile(
    tmp_path_factory: pytest.TempPathFactory, binding: Binding
) -> None:
    bound(tmp_path_factory.mktemp("drawn"), binding, b"")
