"""CVM.sol and the digit contract, with a few bytes of code in the place of the precompile."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from cvm.evm.keccak import keccak256
from models_registry.artifact import load_artifact
from models_registry.selectors import selector
from tests.unit.models_registry.contract_host import ContractHost, Reverted

PRECOMPILE = bytes.fromhex("0000000000000000000000000000000000000c00")
USER = bytes.fromhex("0a" * 20)
MODEL = bytes.fromhex("0000000000000007" + "ee" * 24)
IMAGE = bytes(range(256)) * 3 + bytes(16)

ECHO = bytes.fromhex("365f5f37365ff3")  # returns its calldata
OUT_OF_GAS = bytes.fromhex("fe")  # INVALID: takes all gas, returns nothing


def answers(data: bytes, opcode: str = "f3") -> bytes:
    """Return code that returns (`f3`) or reverts with (`fd`) some bytes."""
    size = len(data).to_bytes(2, "big").hex()
    return bytes.fromhex(f"61{size}600d5f3961{size}5f{opcode}00") + data


def host_with(code: bytes) -> ContractHost:
    host = ContractHost()
    host.place(PRECOMPILE, code)
    return host


def probe(host: ContractHost, signature: str, arguments: list[Any], returns: list[str]) -> Any:
    address = b"\x9b" * 20
    host.place(address, load_artifact("CVMProbe").deployed_bytecode)
    return host.view(address, signature, arguments, returns)


def digit_contract(host: ContractHost) -> bytes:
    return host.create(USER, load_artifact("DigitClassifier").bytecode + MODEL)


def classify(host: ContractHost, contract: bytes, image: bytes = IMAGE) -> Any:
    return host.send(USER, contract, selector("classify(bytes)") + encode(["bytes"], [image]))


def test_a_call_carries_the_model_id_and_the_input_and_nothing_else() -> None:
    output, _ = probe(host_with(ECHO), "infer(bytes32,bytes)", [MODEL, IMAGE], ["bytes", "bytes"])
    assert output == MODEL + IMAGE


def test_the_input_is_untouched_by_the_call() -> None:
    _, after = probe(host_with(ECHO), "infer(bytes32,bytes)", [MODEL, IMAGE], ["bytes", "bytes"])
    assert after == IMAGE


@pytest.mark.parametrize(
    ("code", "ok", "result"),
    [
        pytest.param(answers(b"four"), True, b"four", id="output"),
        pytest.param(answers(bytes(1000)), True, bytes(1000), id="long output"),
        pytest.param(
            answers(selector("ModelNotActive()"), "fd"),
            False,
            selector("ModelNotActive()"),
            id="model error",
        ),
    ],
)
def test_try_infer_reports_what_the_model_did(code: bytes, ok: bool, result: bytes) -> None:
    call = [MODEL, b"input"]
    assert probe(host_with(code), "tryInfer(bytes32,bytes)", call, ["bool", "bytes"]) == (
        ok,
        result,
    )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param(answers(selector(name), "fd"), name, id=name)
        for name in ("ModelNotActive()", "BadInputSize()", "InputOutOfRange()")
    ]
    + [
        pytest.param(OUT_OF_GAS, "InferenceOutOfGas()", id="out of gas"),
        pytest.param(b"", "NoInference()", id="chain without the precompile"),
    ],
)
def test_infer_reverts_with_the_reason(code: bytes, error: str) -> None:
    with pytest.raises(Reverted) as caught:
        probe(host_with(code), "infer(bytes32,bytes)", [MODEL, b"input"], ["bytes", "bytes"])
    assert caught.value.data == selector(error)


ELEMENTS = bytes.fromhex("fffffffffffffffe800000017fff3f800000")


@pytest.mark.parametrize(
    ("function", "offset", "returned", "value"),
    [
        pytest.param("toInt64", 0, "int64", -2, id="int64"),
        pytest.param("toInt32", 8, "int32", -(2**31) + 1, id="int32"),
        pytest.param("toInt8", 12, "int8", 127, id="int8"),
        pytest.param("toInt8", 13, "int8", -1, id="int8 below 0"),
        pytest.param("toUint8", 13, "uint8", 255, id="uint8"),
        pytest.param("toFloat32Bits", 14, "uint32", 0x3F800000, id="float32, last element"),
    ],
)
def test_an_element_is_big_endian(function: str, offset: int, returned: str, value: int) -> None:
    arguments = [ELEMENTS, offset]
    assert probe(ContractHost(), f"{function}(bytes,uint256)", arguments, [returned]) == value


@pytest.mark.parametrize(
    ("function", "width", "offset"),
    [
        pytest.param("toInt64", 8, 11, id="one byte short"),
        pytest.param("toUint8", 1, 18, id="at the end"),
        pytest.param("toInt32", 4, 2**256 - 1, id="offset that wraps round"),
    ],
)
def test_an_element_outside_the_bytes_is_refused(function: str, width: int, offset: int) -> None:
    with pytest.raises(Reverted) as caught:
        probe(ContractHost(), f"{function}(bytes,uint256)", [ELEMENTS, offset], ["int64"])
    assert caught.value.data[:4] == selector("NoElementAt(uint256,uint256,uint256)")
    assert decode(["uint256"] * 3, caught.value.data[4:]) == (offset, width, 18)


def test_the_digit_contract_returns_stores_and_logs_the_label() -> None:
    host = host_with(ECHO)  # the first eight bytes of the model id stand for the label 7
    contract = digit_contract(host)
    answer = classify(host, contract)
    assert decode(["uint256"], answer.output) == (7,)
    assert host.view(contract, "lastLabel()", [], ["uint256"]) == 7
    ((address, topics, data),) = answer.logs
    assert address == contract
    assert topics == (keccak256(b"Classified(address,uint256)"), USER.rjust(32, b"\x00"))
    assert decode(["uint256"], data) == (7,)


def test_the_digit_contract_previews_without_storing() -> None:
    host = host_with(ECHO)
    contract = digit_contract(host)
    assert host.view(contract, "preview(bytes)", [IMAGE], ["uint256"]) == 7
    assert host.view(contract, "lastLabel()", [], ["uint256"]) == 0
    assert host.view(contract, "modelId()", [], ["bytes32"]) == MODEL


@pytest.mark.parametrize(
    ("code", "image", "error"),
    [
        pytest.param(
            ECHO,
            IMAGE[:-1],
            selector("BadImageSize(uint256,uint256)") + encode(["uint256"] * 2, [783, 784]),
            id="image too small",
        ),
        pytest.param(
            answers((10).to_bytes(8, "big")),
            IMAGE,
            selector("NotADigit(int64)") + encode(["int64"], [10]),
            id="label 10",
        ),
        pytest.param(
            answers(b"\xff" * 8),
            IMAGE,
            selector("NotADigit(int64)") + encode(["int64"], [-1]),
            id="label -1",
        ),
        pytest.param(
            answers(selector("ModelNotActive()"), "fd"),
            IMAGE,
            selector("ModelNotActive()"),
            id="model error",
        ),
    ],
)
def test_the_digit_contract_reverts_with_the_reason(
    code: bytes, image: bytes, error: bytes
) -> None:
    host = host_with(code)
    contract = digit_contract(host)
    with pytest.raises(Reverted) as caught:
        classify(host, contract, image)
    assert caught.value.data == error
