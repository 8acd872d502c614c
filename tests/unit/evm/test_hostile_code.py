"""Hostile bytecode and precompile input end as a failed frame, never as a Python exception."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.plain_interpreter import PlainInterpreter
from tests.evm_world import push
from tests.unit.evm.block_world import BASE_FEE, COINBASE, RICH, BlockWorld
from tests.unit.evm.signing import RECIPIENT, SENDER, raw

CONTRACT = b"\xc0" * 20
P256VERIFY = (0x100).to_bytes(20, "big")
PRECOMPILES = [number.to_bytes(20, "big") for number in range(1, 0x12)] + [P256VERIFY]
HUGE = (2**255).to_bytes(32, "big")
WORD = st.one_of(
    st.integers(0, 200).map(push), st.sampled_from([push(b"\xff" * 32), push(2**64), push(2**31)])
)
CODE = st.lists(st.one_of(WORD, WORD, st.binary(min_size=1, max_size=1)), max_size=40).map(b"".join)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def run(world: BlockWorld, to: bytes, data: bytes = b"", gas: int = 300_000) -> str | None:
    """Apply a transaction, check that no wei appears or is lost, and return its error."""
    result = world.apply(raw(to=to, data=data, gas=gas, value=3))
    held = sum(map(world.balance, (SENDER, COINBASE, RECIPIENT, CONTRACT, *PRECOMPILES)))
    burned = result.gas_used * BASE_FEE
    assert held + burned <= RICH + 5
    if result.error is not None:
        assert held + burned == RICH + 5
    return result.error


@settings(derandomize=True, max_examples=200, deadline=None)
@given(CODE)
def test_any_bytecode_ends_in_a_receipt(code: bytes) -> None:
    run(BlockWorld({CONTRACT: code}), CONTRACT)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(CODE, st.integers(50_000, 300_000))
def test_any_bytecode_does_the_same_on_both_interpreters(code: bytes, gas: int) -> None:
    tx = raw(to=CONTRACT, data=b"\1\2\3", gas=gas, value=3)
    worlds = [
        BlockWorld({CONTRACT: code}, storage={CONTRACT: {0: 1, 1: 2**255}}, interpreter=kind)
        for kind in (NativeInterpreter, PlainInterpreter)
    ]
    assert worlds[0].apply(tx) == worlds[1].apply(tx)
    assert worlds[0].finish() == worlds[1].finish()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(CODE)
def test_any_initcode_does_the_same_on_both_interpreters(code: bytes) -> None:
    tx = raw(to=b"", data=code, gas=300_000, value=3)
    worlds = [BlockWorld(interpreter=kind) for kind in (NativeInterpreter, PlainInterpreter)]
    assert worlds[0].apply(tx) == worlds[1].apply(tx)
    assert worlds[0].finish() == worlds[1].finish()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(CODE)
def test_any_initcode_ends_in_a_receipt(code: bytes) -> None:
    world = BlockWorld()
    result = world.apply(raw(to=b"", data=code, gas=300_000))
    assert RICH - world.balance(SENDER) == result.gas_used * (BASE_FEE + 3)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(PRECOMPILES), st.binary(max_size=400))
def test_any_precompile_input_ends_in_a_receipt(address: bytes, data: bytes) -> None:
    run(BlockWorld(), address, data)


@pytest.mark.parametrize(
    "address", PRECOMPILES, ids=lambda address: f"0x{int.from_bytes(address):02x}"
)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff" * 384, id="ones"),
        pytest.param(b"\0" * 384, id="zeros"),
        pytest.param(HUGE * 3, id="huge lengths"),
    ],
)
def test_edge_inputs_of_every_precompile(address: bytes, data: bytes) -> None:
    run(BlockWorld(), address, data)


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(word(0) * 2 + word(1), b"\0", id="a modulus that is not there"),
        pytest.param(word(1) * 2 + word(33) + b"\2\3", bytes(33), id="a modulus cut off at 0"),
        pytest.param(
            word(1) * 2 + word(2) + b"\2\3\1",
            (8).to_bytes(2, "big"),
            id="a modulus longer than the input",
        ),
        pytest.param(word(1) * 3 + b"\2\3\5", b"\3", id="2 ** 3 % 5"),
        pytest.param(word(0) * 3, b"", id="no lengths at all"),
    ],
)
def test_eip_198_input_is_padded_with_zeros(data: bytes, output: bytes) -> None:
    result = BlockWorld().apply(raw(to=PRECOMPILES[4], data=data))
    assert (result.error, result.output) == (None, output)


@pytest.mark.usefixtures("interpreter")
def test_1024_calls_deep_is_a_failed_call_and_no_exception() -> None:
    call_self = push(0) * 5 + bytes.fromhex("30") + bytes.fromhex("5a") + bytes.fromhex("f1")
    world = BlockWorld({CONTRACT: call_self})
    result = world.apply(raw(to=CONTRACT, gas=1 << 24))
    assert result.error is None
