"""INFERARRAY: the input is a Solidity `bytes` in storage; nothing is read that is not paid for."""

import pytest

from cvm.evm.keccak import keccak256
from opcodes import errors, gas
from opcodes.table import INFERARRAY
from tests.evm_world import (
    CALL,
    CONTRACT,
    DELEGATECALL,
    GAS,
    MODEL_ID,
    POP,
    RECORD,
    RETURN_RETURNDATA,
    STATICCALL,
    STOP,
    World,
    push,
    return_top,
)

SLOT = 5
COLD, WARM = 2_100, 100
LOAD = 200
SLOAD = bytes.fromhex("54")
pytestmark = pytest.mark.usefixtures("interpreter")


def array_storage(data: bytes, slot: int = SLOT) -> dict[int, int]:
    """Return a `bytes` as Solidity stores it."""
    if len(data) < 32:
        return {slot: int.from_bytes(data.ljust(31, b"\0") + bytes([2 * len(data)]), "big")}
    slots = {slot: 2 * len(data) + 1}
    first = int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big")
    for at in range(0, len(data), 32):
        word = data[at : at + 32].ljust(32, b"\0")
        slots[(first + at // 32) % 2**256] = int.from_bytes(word, "big")
    return slots


def array_code(slot: int = SLOT, out_size: int = 8, out_offset: int = 0) -> bytes:
    return push(out_size) + push(out_offset) + push(slot) + push(MODEL_ID) + bytes([INFERARRAY])


def world_with(storage: dict[int, int], *, registered: bool = True) -> World:
    world = World()
    if registered:
        world.register()
    world.state.put(CONTRACT, nonce=1, storage=storage)
    return world


def doubled(data: bytes) -> bytes:
    return bytes(part for byte in data for part in (byte, byte))


@pytest.mark.parametrize("size", [4, 28, 32, 36, 64, 400])
def test_the_whole_array_is_the_input(size: int) -> None:
    data = bytes(at % 251 for at in range(size))
    world = world_with(array_storage(data))
    assert world.run(array_code() + POP + RETURN_RETURNDATA).output == doubled(data)
    assert world.host.ran == [data]


def test_the_first_bytes_of_the_output_lie_in_memory() -> None:
    world = world_with(array_storage(b"\1\2\3\4"))
    code = array_code(out_size=3, out_offset=2) + POP + push(8) + push(0) + bytes.fromhex("f3")
    assert world.run(code).output == bytes([0, 0, 1, 1, 2, 0, 0, 0])


@pytest.mark.parametrize(
    ("storage", "selector"),
    [
        pytest.param({SLOT: 64}, errors.BAD_STORAGE_ARRAY, id="32 bytes in the short form"),
        pytest.param({SLOT: 0xFE}, errors.BAD_STORAGE_ARRAY, id="127 bytes in the short form"),
        pytest.param({SLOT: 1}, errors.BAD_STORAGE_ARRAY, id="no bytes in the long form"),
        pytest.param({SLOT: 63}, errors.BAD_STORAGE_ARRAY, id="31 bytes in the long form"),
        pytest.param({}, errors.BAD_INPUT_SIZE, id="no bytes"),
        pytest.param({SLOT: 2 * 5}, errors.BAD_INPUT_SIZE, id="five bytes"),
        pytest.param({SLOT: 2 * 33 + 1}, errors.BAD_INPUT_SIZE, id="33 bytes"),
        pytest.param({SLOT: 2 * 4 * 4_097 + 1}, errors.BAD_INPUT_SIZE, id="4,097 items"),
        pytest.param({SLOT: 2**256 - 1}, errors.BAD_INPUT_SIZE, id="2**255 - 1 bytes"),
    ],
)
def test_a_wrong_array_costs_base_and_one_slot(storage: dict[int, int], selector: bytes) -> None:
    world = world_with(storage)
    ran = world.run(array_code(out_size=0) + POP + RETURN_RETURNDATA)
    assert ran.output == selector
    bare = world_with({}).run(push(0) * 3 + push(MODEL_ID) + POP * 3 + POP).gas_used
    with_ok = world_with(storage).run(array_code(out_size=0) + POP).gas_used
    assert with_ok - bare == gas.INFER_BASE + COLD + 2 - 4 * 2
    assert world.host.ran == []


def test_a_bad_array_is_named_before_a_missing_model() -> None:
    world = world_with({SLOT: 1}, registered=False)
    assert world.run(array_code() + POP + RETURN_RETURNDATA).output == errors.BAD_STORAGE_ARRAY


def test_a_model_that_is_not_active_is_named() -> None:
    world = world_with(array_storage(b"\1\2\3\4"), registered=False)
    assert world.run(array_code() + POP + RETURN_RETURNDATA).output == errors.MODEL_NOT_ACTIVE
    assert int.from_bytes(world.run(array_code() + return_top()).output) == 0


@pytest.mark.parametrize("items", [1, 8, 16, 100])
def test_gas_is_base_slots_and_the_rest(items: int) -> None:
    size = 4 * items
    world = world_with(array_storage(b"\7" * size))
    data_slots = 0 if size < 32 else -(-size // 32)
    expected = gas.INFER_BASE + COLD + data_slots * COLD + LOAD
    expected += items * gas.compute_gas(RECORD.cost) + 3 * -(-size // 32) + 3 * -(-2 * size // 32)
    pushes = world.run(push(0) * 2 + push(SLOT) + push(MODEL_ID)).gas_used
    assert world.run(array_code(out_size=0)).gas_used - pushes == expected


def test_slots_that_are_warm_cost_less_and_stay_warm() -> None:
    world = world_with(array_storage(b"\7" * 64))
    once = world.run(array_code(out_size=0) + POP).gas_used
    twice = world.run((array_code(out_size=0) + POP) * 2).gas_used
    assert twice == 2 * once - LOAD - 3 * (COLD - WARM)
    then_read = world.run(array_code(out_size=0) + POP + push(SLOT) + SLOAD + POP).gas_used
    assert then_read == once + 3 + WARM + 2


@pytest.mark.parametrize(
    "missing",
    ["base", "length slot", "data slots", "rest"],
    ids=lambda what: what.replace(" ", "-"),
)
def test_out_of_gas_at_each_step_burns_the_frame(missing: str) -> None:
    size = 64
    pushes = 4 * 3
    needed = {
        "base": gas.INFER_BASE,
        "length slot": gas.INFER_BASE + COLD,
        "data slots": gas.INFER_BASE + 3 * COLD,
        "rest": gas.INFER_BASE
        + 3 * COLD
        + LOAD
        + 16 * gas.compute_gas(RECORD.cost)
        + 3 * 2
        + 3 * 4,
    }[missing]
    world = world_with(array_storage(b"\7" * size))
    short = world.run(array_code(out_size=0) + STOP, gas=pushes + needed - 1)
    assert (short.error, short.gas_left, world.host.ran) == ("OutOfGas", 0, [])
    if missing == "rest":
        assert world.run(array_code(out_size=0) + STOP, gas=pushes + needed).is_success


def test_a_frame_that_cannot_pay_for_all_data_reads_none_of_it() -> None:
    items = 4_096
    world = world_with({SLOT: 2 * 4 * items + 1})
    read: list[int] = []
    stored = world.state.storage

    def counting(address: bytes, slot: int) -> int:
        if address == CONTRACT:
            read.append(slot)
        return stored(address, slot)

    world.state.storage = counting  # type: ignore[method-assign]
    ran = world.run(array_code(out_size=0), gas=gas.INFER_BASE + 12 + COLD + 512 * WARM - 1)
    assert (ran.error, read) == ("OutOfGas", [SLOT])


def test_storage_is_that_of_the_frame() -> None:
    library = b"\xbb" * 20
    world = world_with(array_storage(b"\1\2\3\4"))
    world.put_code(library, array_code() + POP + RETURN_RETURNDATA)
    world.state.put(library, nonce=1, code=array_code() + POP + RETURN_RETURNDATA)
    arguments = push(0) * 4 + push(library) + GAS
    assert world.run(arguments + DELEGATECALL + POP + RETURN_RETURNDATA).output == doubled(
        b"\1\2\3\4"
    )
    called = world.run(push(0) * 5 + push(library) + GAS + CALL + POP + RETURN_RETURNDATA)
    assert called.output == errors.BAD_INPUT_SIZE


def test_it_is_allowed_in_a_static_frame() -> None:
    world = world_with({})
    callee = b"\xbb" * 20
    world.state.put(
        callee,
        nonce=1,
        code=array_code() + POP + RETURN_RETURNDATA,
        storage=array_storage(b"\5\6\7\x08"),
    )
    ran = world.run(push(0) * 4 + push(callee) + GAS + STATICCALL + POP + RETURN_RETURNDATA)
    assert ran.output == doubled(b"\5\6\7\x08")


def test_data_slots_wrap_around_the_end_of_storage() -> None:
    slot = next(n for n in range(1, 1 << 16) if keccak256(n.to_bytes(32, "big"))[0] == 0xFF)
    data = bytes(range(64))
    world = world_with(array_storage(data, slot))
    assert world.run(array_code(slot) + POP + RETURN_RETURNDATA).output == doubled(data)


def test_four_arguments_are_needed() -> None:
    world = world_with({})
    assert world.run(push(0) * 3 + bytes([INFERARRAY])).error == "StackUnderflow"
