"""The twin at 0x0c00 behaves as INFER does, in every kind of call."""

import pytest

from cvm.faults import DeviceFault, LocalFault
from opcodes import errors, gas
from opcodes.table import INFER_ADDRESS
from tests.evm_world import (
    CALL,
    CALLCODE,
    CONTRACT,
    DELEGATECALL,
    GAS,
    MODEL_ID,
    POP,
    RECORD,
    RETURN_RETURNDATA,
    STATICCALL,
    World,
    infer_code,
    push,
    return_top,
    store_bytes,
)
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw

INPUT = bytes([1, 2, 3, 4])
OUTPUT = bytes([1, 1, 2, 2, 3, 3, 4, 4])
CALLDATA = MODEL_ID + INPUT
BALANCE = bytes.fromhex("31")
pytestmark = pytest.mark.usefixtures("interpreter")
WITHOUT_VALUE = {"DELEGATECALL": DELEGATECALL, "STATICCALL": STATICCALL}
WITH_VALUE = {"CALL": CALL, "CALLCODE": CALLCODE}


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    return world


def twin_code(kind: str, size: int = len(CALLDATA), value: int = 0) -> bytes:
    """Call the twin with the first bytes of CALLDATA."""
    arguments = push(0) + push(0) + push(size) + push(0)
    if kind in WITH_VALUE:
        return (
            store_bytes(CALLDATA)
            + arguments
            + push(value)
            + push(INFER_ADDRESS)
            + GAS
            + WITH_VALUE[kind]
        )
    return store_bytes(CALLDATA) + arguments + push(INFER_ADDRESS) + GAS + WITHOUT_VALUE[kind]


@pytest.mark.parametrize("kind", [*WITH_VALUE, *WITHOUT_VALUE])
def test_every_call_kind_returns_the_output(world: World, kind: str) -> None:
    assert world.run(twin_code(kind) + POP + RETURN_RETURNDATA).output == OUTPUT


@pytest.mark.parametrize("kind", [*WITH_VALUE, *WITHOUT_VALUE])
def test_every_call_kind_succeeds(world: World, kind: str) -> None:
    assert world.run(twin_code(kind) + return_top()).output[-1] == 1


def test_a_transaction_may_call_it_directly(world: World) -> None:
    frame = world.run(to=INFER_ADDRESS, data=CALLDATA)
    assert frame.output == OUTPUT
    expected = gas.inference_gas(
        RECORD.cost,
        size_bytes=RECORD.size_bytes,
        batch=1,
        item_input_bytes=4,
        item_output_bytes=8,
        registered_royalty=0,
        first_touch=True,
    )
    assert frame.gas_used == expected.total


@pytest.mark.parametrize("kind", WITH_VALUE)
def test_value_reverts(world: World, kind: str) -> None:
    world.state.put(CONTRACT, balance=10)
    assert world.run(twin_code(kind, value=1) + return_top()).output == bytes(32)
    assert world.host.ran == []


def test_a_delegate_call_inside_a_paid_call_transfers_nothing_and_runs(world: World) -> None:
    frame = world.run(twin_code("DELEGATECALL") + return_top(), value=5)
    assert frame.output[-1] == 1


@pytest.mark.parametrize(
    ("size", "selector"),
    [
        pytest.param(31, errors.BAD_INPUT_SIZE, id="no whole model id"),
        pytest.param(32, errors.BAD_INPUT_SIZE, id="no input"),
        pytest.param(35, errors.BAD_INPUT_SIZE, id="short input"),
    ],
)
def test_bad_calldata_reverts_with_the_selector(world: World, size: int, selector: bytes) -> None:
    frame = world.run(twin_code("STATICCALL", size) + POP + RETURN_RETURNDATA)
    assert frame.output == selector


def test_a_model_error_keeps_the_unspent_gas(world: World) -> None:
    frame = world.run(to=INFER_ADDRESS, data=b"\x99" * 32 + INPUT, gas=1_000_000)
    assert frame.error == "execution reverted"
    assert frame.output == errors.MODEL_NOT_ACTIVE
    assert frame.gas_left == 1_000_000 - gas.INFER_BASE


def test_out_of_gas_burns_what_the_call_was_given(world: World) -> None:
    frame = world.run(to=INFER_ADDRESS, data=CALLDATA, gas=gas.INFER_BASE)
    assert frame.error == "OutOfGas"
    assert frame.gas_left == 0


def test_opcode_and_twin_share_one_set_of_loaded_models(world: World) -> None:
    world.run(infer_code() + POP + twin_code("STATICCALL"))
    assert [call.gas.load > 0 for call in world.log.take()] == [True, False]


def test_a_local_fault_passes_through(world: World) -> None:
    world.host.fault = DeviceFault("cuda", "device lost")
    with pytest.raises(LocalFault):
        world.run(to=INFER_ADDRESS, data=CALLDATA)


def test_the_twin_is_warm_from_the_start(world: World) -> None:
    warm, cold = 100, 2_600
    for address, price in ((INFER_ADDRESS, warm), (b"\x99" * 20, cold)):
        block = BlockWorld({CONTRACT: push(address) + BALANCE}, additions=world.additions)
        assert block.apply(raw(to=CONTRACT)).gas_used == 21_000 + 3 + price
