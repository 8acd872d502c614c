"""MODELINFO and its twin give the registry's facts, at one price."""

import pytest

from opcodes import errors, gas
from opcodes.table import MODELINFO, MODELINFO_ADDRESS
from tests.evm_world import (
    CALL,
    CALLCODE,
    DELEGATECALL,
    GAS,
    MODEL_ID,
    OWNER,
    POP,
    RECORD,
    RETURN_RETURNDATA,
    STATICCALL,
    World,
    push,
    return_top,
    store_bytes,
)

COMPUTE = gas.compute_gas(RECORD.cost)
PENDING, ACTIVE = 1, 2
FIELDS = {
    "status": ACTIVE,
    "gas per item": COMPUTE,
    "load gas": 200,
    "input bytes": 4,
    "output bytes": 8,
    "owner": int.from_bytes(OWNER, "big"),
    "royalty gas": 300,
    "batchable": 1,
    "engine": 1,
    "activation height": 9,
}
pytestmark = pytest.mark.usefixtures("interpreter")


@pytest.fixture
def world() -> World:
    world = World()
    world.register(activation_height=9, royalty_gas=300)
    return world


def info_code(field: int, model_id: bytes = MODEL_ID) -> bytes:
    return push(field) + push(model_id) + bytes([MODELINFO])


def twin(world: World, calldata: bytes, kind: bytes = STATICCALL) -> tuple[bytes, bytes]:
    """Return what a call of the twin leaves: success, and RETURNDATA."""
    values = push(0) if kind in (CALL, CALLCODE) else b""
    call = push(0) * 2 + push(len(calldata)) + push(0) + values + push(MODELINFO_ADDRESS) + GAS
    code = store_bytes(calldata.ljust(96, b"\0")) + call + kind
    return world.run(code + return_top()).output[-1:], world.run(
        code + POP + RETURN_RETURNDATA
    ).output


@pytest.mark.parametrize(("field", "value"), list(enumerate(FIELDS.values())), ids=FIELDS)
def test_a_field_is_the_same_from_opcode_and_twin(world: World, field: int, value: int) -> None:
    word = value.to_bytes(32, "big")
    assert world.run(info_code(field) + return_top()).output == word
    for kind in (CALL, CALLCODE, DELEGATECALL, STATICCALL):
        assert twin(world, MODEL_ID + field.to_bytes(32, "big"), kind) == (b"\1", word)


@pytest.mark.parametrize("field", range(10))
def test_every_field_of_an_unknown_model_is_zero(world: World, field: int) -> None:
    assert world.run(info_code(field, b"\x66" * 32) + return_top()).output == bytes(32)


@pytest.mark.parametrize("field", [10, 2**64, 2**256 - 1])
def test_a_field_that_does_not_exist_is_named(world: World, field: int) -> None:
    assert world.run(info_code(field) + return_top()).output == bytes(32)
    assert world.run(info_code(field) + POP + RETURN_RETURNDATA).output == errors.BAD_FIELD
    failed = twin(world, MODEL_ID + field.to_bytes(32, "big"))
    assert failed == (b"\0", errors.BAD_FIELD)


def test_an_answer_leaves_no_returndata(world: World) -> None:
    code = info_code(99) + POP + info_code(0) + POP + RETURN_RETURNDATA
    assert world.run(code).output == b""


@pytest.mark.parametrize("size", [0, 31, 32, 63])
def test_short_calldata_reverts_the_twin(world: World, size: int) -> None:
    assert twin(world, (MODEL_ID + bytes(32))[:size]) == (b"\0", errors.BAD_INPUT_SIZE)


def test_more_calldata_does_not_matter(world: World) -> None:
    assert twin(world, MODEL_ID + bytes(31) + b"\3" + b"\xff" * 7)[1] == (4).to_bytes(32, "big")


def test_a_model_before_its_height_is_pending_and_shows_its_record() -> None:
    world = World()
    world.register(activation_height=1_000)
    assert world.run(info_code(0) + return_top()).output[-1] == PENDING
    assert int.from_bytes(world.run(info_code(1) + return_top()).output) == COMPUTE


def test_a_royalty_above_a_quarter_shows_as_a_quarter() -> None:
    world = World()
    world.register(royalty_gas=2**64 - 1)
    shown = world.run(info_code(6) + return_top()).output
    assert int.from_bytes(shown) == COMPUTE // 4


def test_it_costs_the_same_for_any_field_and_model(world: World) -> None:
    costs = {
        world.run(info_code(field, model)).gas_used
        for field in (0, 1, 5, 9, 10)
        for model in (MODEL_ID, b"\x66" * 32)
    }
    assert costs == {gas.MODELINFO + 2 * 3}


def test_without_its_gas_the_frame_halts(world: World) -> None:
    short = world.run(info_code(0), gas=gas.MODELINFO + 2 * 3 - 1)
    assert (short.error, short.gas_left) == ("OutOfGas", 0)


def test_the_twin_keeps_unspent_gas_when_it_reverts(world: World) -> None:
    ran = world.run(to=MODELINFO_ADDRESS, data=MODEL_ID, gas=10_000)
    assert (ran.gas_left, ran.output) == (10_000 - gas.MODELINFO, errors.BAD_INPUT_SIZE)


def test_the_twin_refuses_value(world: World) -> None:
    ran = world.run(to=MODELINFO_ADDRESS, data=MODEL_ID + bytes(32), value=1)
    assert (ran.output, ran.is_success) == (b"", False)


def test_reading_the_registry_warms_nothing(world: World) -> None:
    balance = push(b"\x0c\x10".rjust(20, b"\0")) + bytes.fromhex("31")
    cold = world.run(balance).gas_used
    assert world.run(info_code(0) + POP + balance).gas_used - cold == gas.MODELINFO + 2 * 3 + 2
