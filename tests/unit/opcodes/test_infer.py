"""INFER: stack, gas, memory, RETURNDATA, and what a frame does with a failure."""

import pytest

from cvm.evm.frame_view import FrameView
from cvm.evm.message_rules import Additions, OpcodeTaken, PrecompileCall
from cvm.faults import DeviceFault, LocalFault
from cvm.inference.faults import InputOutOfRange
from models_registry.addresses import MODEL_REGISTRY
from opcodes import errors, gas
from opcodes.table import INFER, INFER_ADDRESS
from tests.evm_world import (
    CALL,
    CONTRACT,
    DELEGATECALL,
    GAS,
    MODEL_ID,
    POP,
    RECORD,
    RETURN_RETURNDATA,
    REVERT,
    STATICCALL,
    STOP,
    World,
    infer_code,
    push,
    return_top,
    store_bytes,
)

INPUT = bytes([1, 2, 3, 4])
OUTPUT = bytes([1, 1, 2, 2, 3, 3, 4, 4])
OTHER = b"\xbb" * 20
LOAD = 200  # 6,400 bytes at 32 bytes a gas
IO = 6  # one word in, one word out
BALANCE = bytes.fromhex("31")
COLD_ACCOUNT = 2_600
pytestmark = pytest.mark.usefixtures("interpreter")


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    return world


def test_pushes_ok_and_copies_the_output(world: World) -> None:
    code = store_bytes(INPUT) + infer_code() + POP + push(8) + push(32) + bytes.fromhex("f3")
    assert world.run(code).output == OUTPUT
    assert world.host.ran == [INPUT]


def test_ok_is_one(world: World) -> None:
    assert int.from_bytes(world.run(store_bytes(INPUT) + infer_code() + return_top()).output) == 1


def test_returndata_holds_the_whole_output_whatever_the_window(world: World) -> None:
    code = store_bytes(INPUT) + infer_code(out_size=3) + POP + RETURN_RETURNDATA
    assert world.run(code).output == OUTPUT


def test_a_small_window_takes_the_first_bytes_only(world: World) -> None:
    code = (
        store_bytes(INPUT) + infer_code(out_size=3) + POP + push(8) + push(32) + bytes.fromhex("f3")
    )
    assert world.run(code).output == OUTPUT[:3] + bytes(5)


def test_a_large_window_leaves_the_rest_of_memory_alone(world: World) -> None:
    code = store_bytes(b"\xff" * 16, 32) + store_bytes(INPUT)
    code += infer_code(out_size=16) + POP + push(16) + push(32) + bytes.fromhex("f3")
    assert world.run(code).output == OUTPUT + b"\xff" * 8


def test_five_arguments_are_needed(world: World) -> None:
    short = b"".join([push(0)] * 3) + push(MODEL_ID) + bytes([INFER])
    assert world.run(short).error == "StackUnderflow"


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        pytest.param(
            1, gas.INFER_BASE + LOAD + 1 * gas.compute_gas(RECORD.cost) + 6, id="one item"
        ),
        pytest.param(
            2, gas.INFER_BASE + LOAD + 2 * gas.compute_gas(RECORD.cost) + 6, id="two items"
        ),
        pytest.param(
            100,
            gas.INFER_BASE + LOAD + 100 * gas.compute_gas(RECORD.cost) + 3 * 13 + 3 * 25,
            id="100 items",
        ),
    ],
)
def test_gas_is_base_load_compute_and_bytes(world: World, batch: int, expected: int) -> None:
    window = infer_code(in_offset=0, in_size=4 * batch, out_offset=0, out_size=0)
    touch_memory = push(0) + push(4 * batch - 1) + bytes.fromhex("53")
    used = world.run(touch_memory + window).gas_used
    without = world.run(touch_memory + window[:-1]).gas_used
    assert used - without == expected


def test_memory_expansion_is_charged_for_both_windows(world: World) -> None:
    near = world.run(infer_code(out_offset=0, out_size=0)).gas_used
    world = World()
    world.register()
    far = world.run(infer_code(out_offset=32 * 99, out_size=32)).gas_used
    words = 100
    expected = 3 * words + words * words // 512 - 3
    assert far - near == expected


def test_load_is_paid_once_in_a_transaction(world: World) -> None:
    once = world.run(infer_code() + POP).gas_used
    twice = World()
    twice.register()
    used = twice.run((infer_code() + POP) * 2).gas_used
    memory = 3 * 2
    assert used == 2 * once - LOAD - memory


def test_a_reverted_frame_forgets_that_it_loaded_the_model(world: World) -> None:
    world.put_code(OTHER, infer_code() + push(0) + push(0) + REVERT)
    call = push(0) * 5 + push(OTHER) + GAS + CALL + POP
    world.run(call + infer_code())
    assert [call.gas.load for call in world.log.take()] == [LOAD, LOAD]


def test_a_successful_child_frame_has_loaded_it_for_the_parent(world: World) -> None:
    world.put_code(OTHER, infer_code() + STOP)
    call = push(0) * 5 + push(OTHER) + GAS + CALL + POP
    world.run(call + infer_code())
    assert [call.gas.load for call in world.log.take()] == [LOAD, 0]


def test_out_of_gas_burns_the_frame_and_runs_nothing(world: World) -> None:
    needed = world.run(infer_code()).gas_used
    world.host.ran.clear()
    fresh = World()
    fresh.register()
    frame = fresh.run(infer_code(), gas=needed - 1)
    assert frame.error == "OutOfGas"
    assert frame.gas_left == 0
    assert fresh.host.ran == []


def test_exactly_enough_gas_is_enough(world: World) -> None:
    needed = world.run(infer_code()).gas_used
    fresh = World()
    fresh.register()
    assert fresh.run(infer_code(), gas=needed).is_success


@pytest.mark.parametrize(
    ("size", "activation_height", "selector"),
    [
        pytest.param(4, 101, errors.MODEL_NOT_ACTIVE, id="active one block later"),
        pytest.param(4, 0, errors.MODEL_NOT_ACTIVE, id="never activated"),
        pytest.param(0, 1, errors.BAD_INPUT_SIZE, id="empty input"),
        pytest.param(5, 1, errors.BAD_INPUT_SIZE, id="not a whole item"),
        pytest.param(4 * 4097, 1, errors.BAD_INPUT_SIZE, id="4,097 items"),
    ],
)
def test_a_model_error_pushes_zero_with_a_selector(
    size: int, activation_height: int, selector: bytes
) -> None:
    world = World()
    world.register(activation_height=activation_height)
    code = infer_code(in_size=size, out_size=0)
    assert world.run(code + return_top()).output == bytes(32)
    assert world.run(code + POP + RETURN_RETURNDATA).output == selector
    assert world.host.ran == []


def test_the_largest_batch_runs(world: World) -> None:
    assert world.run(infer_code(in_size=4 * 4096, out_size=0) + return_top()).output[-1] == 1


def test_a_model_that_is_not_batchable_takes_one_item() -> None:
    world = World()
    single = RECORD.__class__(
        **{name: getattr(RECORD, name) for name in RECORD.__slots__} | {"batchable": False}
    )
    world.register(single)
    assert world.run(infer_code(in_size=4) + return_top()).output[-1] == 1
    assert (
        world.run(infer_code(in_size=8) + POP + RETURN_RETURNDATA).output == errors.BAD_INPUT_SIZE
    )


def test_an_unregistered_model_is_not_active(world: World) -> None:
    code = infer_code(model_id=b"\x99" * 32) + POP + RETURN_RETURNDATA
    assert world.run(code).output == errors.MODEL_NOT_ACTIVE


def test_a_model_error_leaves_memory_alone(world: World) -> None:
    code = (
        store_bytes(b"\xee" * 8, 32)
        + infer_code(in_size=5)
        + POP
        + push(8)
        + push(32)
        + bytes.fromhex("f3")
    )
    assert world.run(code).output == b"\xee" * 8


def test_an_index_out_of_range_is_charged_in_full_and_reported(world: World) -> None:
    world.host.fault = InputOutOfRange("gather", 9, 4)
    frame = world.run(infer_code() + POP + RETURN_RETURNDATA)
    assert frame.output == errors.INPUT_OUT_OF_RANGE
    assert world.log.take()[0].gas.compute == gas.compute_gas(RECORD.cost)


def test_a_local_fault_is_never_a_verdict(world: World) -> None:
    world.host.fault = DeviceFault("cuda", "device lost")
    with pytest.raises(LocalFault):
        world.run(infer_code())


def test_it_runs_in_a_static_call(world: World) -> None:
    world.put_code(OTHER, store_bytes(INPUT) + infer_code() + POP + RETURN_RETURNDATA)
    call = push(8) + push(0) + push(0) * 2 + push(OTHER) + GAS + STATICCALL + POP
    assert world.run(call + push(8) + push(0) + bytes.fromhex("f3")).output == OUTPUT


def test_it_runs_in_a_delegate_call(world: World) -> None:
    world.put_code(OTHER, store_bytes(INPUT) + infer_code() + POP + RETURN_RETURNDATA)
    call = push(8) + push(0) + push(0) * 2 + push(OTHER) + GAS + DELEGATECALL + POP
    assert world.run(call + push(8) + push(0) + bytes.fromhex("f3")).output == OUTPUT


def test_registry_reads_warm_nothing(world: World) -> None:
    look = push(MODEL_REGISTRY) + BALANCE + POP
    inferred = world.run(infer_code() + POP).gas_used
    assert world.run(infer_code() + POP + look).gas_used - inferred == 3 + COLD_ACCOUNT + 2
    assert world.run(infer_code() + POP + look * 2).gas_used - inferred == 2 * (3 + 2) + 2_700


def test_a_later_revert_keeps_the_call_in_the_log(world: World) -> None:
    frame = world.run(infer_code() + push(0) + push(0) + REVERT)
    assert frame.error == "execution reverted"
    assert [call.model_id for call in world.log.take()] == [MODEL_ID]


def test_royalty_gas_is_charged_per_item() -> None:
    world = World()
    world.register(royalty_gas=300)
    world.run(infer_code(in_size=8))
    assert world.log.take()[0].gas.royalty == 600


@pytest.mark.parametrize("byte", [0x01, 0x1E, 0xFE, 0xFF])
def test_a_taken_opcode_is_refused(byte: int) -> None:
    with pytest.raises(OpcodeTaken, match=f"opcode already in use: 0x{byte:02x}"):
        Additions(opcodes={byte: nothing})


@pytest.mark.parametrize("number", [0x01, 0x11, 0x100])
def test_a_taken_address_is_refused(number: int) -> None:
    with pytest.raises(OpcodeTaken, match=f"precompile already in use: 0x{number:040x}"):
        Additions(precompiles={number.to_bytes(20, "big"): empty_output})


def nothing(_frame: FrameView) -> None:
    return None


def empty_output(_call: PrecompileCall) -> bytes:
    return b""


def test_without_the_addition_its_byte_is_no_opcode() -> None:
    bare = World(Additions())
    assert bare.run(infer_code()).error == "InvalidOpcode"


def test_without_the_addition_the_twins_address_is_empty() -> None:
    bare = World(Additions()).run(to=INFER_ADDRESS, data=MODEL_ID + INPUT)
    assert (bare.output, bare.error, bare.gas_used) == (b"", None, 0)


def test_a_contract_sees_its_own_address_only(world: World) -> None:
    assert world.run(infer_code(), to=CONTRACT).is_success
