"""eth_call and eth_estimateGas: what a message does, without a trace of it afterwards."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from cvm.evm.message_call import MessageResult, SimulatedTransaction, estimate_gas, run_message
from cvm.faults import DeviceFault, LocalFault
from models_registry.addresses import MODEL_REGISTRY
from opcodes.inference_host import InferenceLog
from opcodes.table import ai_additions
from tests.evm_world import (
    FakeHost,
    context,
    infer_code,
    push,
    registry_storage,
    return_top,
)
from tests.unit.evm.block_world import BASE_FEE, BlockWorld
from tests.unit.evm.signing import OTHER, RECIPIENT, SENDER, raw

CONTRACT = b"\xc0" * 20
MAX_GAS = 1 << 24
SSTORE, SLOAD, CALL, GAS, POP, MSTORE, RETURN, REVERT, INVALID, CALLER, GASPRICE = (
    bytes.fromhex(op) for op in ("55", "54", "f1", "5a", "50", "52", "f3", "fd", "fe", "33", "3a")
)
STORE = push(1) + push(0) + SSTORE
INFER_CODE = infer_code()
pytestmark = pytest.mark.usefixtures("interpreter")


def message(**fields: Any) -> SimulatedTransaction:
    defaults: dict[str, Any] = {
        "sender": SENDER,
        "to": CONTRACT,
        "gas": MAX_GAS,
        "gas_price": 0,
        "value": 0,
        "data": b"",
    }
    return SimulatedTransaction(**(defaults | fields))


def world_with(
    code: bytes, other: bytes = b"", storage: Mapping[int, int] | None = None
) -> BlockWorld:
    slots = {CONTRACT: storage or {}}
    return BlockWorld({CONTRACT: code, OTHER: other}, block=context(base_fee=0), storage=slots)


def run(code: bytes, **fields: Any) -> MessageResult:
    return run_message(world_with(code).setting, message(**fields))


def estimate(world: BlockWorld, **fields: Any) -> int:
    found = estimate_gas(world.setting, message(**fields))
    assert isinstance(found, int)
    return found


def succeeds(world: BlockWorld, gas: int, **fields: Any) -> bool:
    return run_message(world.setting, message(gas=gas, **fields)).error is None


def test_output_and_gas_of_a_call() -> None:
    result = run(push(7) + return_top())
    assert result == MessageResult((7).to_bytes(32, "big"), 21_000 + 3 + 6 + 9, None, False)


def test_revert_data_comes_back() -> None:
    result = run(push(0xAB) + push(0) + MSTORE + push(32) + push(0) + REVERT)
    assert result.output == (0xAB).to_bytes(32, "big")
    assert (result.error, result.reverted) == ("execution reverted", True)


def test_a_halt_is_no_revert() -> None:
    result = run(INVALID, gas=50_000)
    assert result.error == "InvalidOpcode"
    assert (result.reverted, result.gas_used, result.output) == (False, 50_000, b"")


def test_a_creation_returns_the_code_that_it_would_deploy() -> None:
    result = run(b"", to=b"", data=push(3) + push(0) + RETURN)
    assert (result.output, result.error) == (bytes(3), None)


def test_the_caller_need_not_be_able_to_sign() -> None:
    result = run(CALLER + return_top(), sender=CONTRACT)
    assert result.output[12:] == CONTRACT


def test_without_a_price_a_caller_needs_no_balance() -> None:
    assert run(STORE, sender=RECIPIENT).error is None


def test_with_a_price_a_caller_needs_the_balance() -> None:
    result = run(STORE, sender=RECIPIENT, gas_price=2, gas=100_000, value=1)
    assert result.error == (
        "insufficient funds for gas * price + value: "
        f"address 0x{RECIPIENT.hex()} have 0 want 200001"
    )
    assert result.gas_used == 0


def test_a_price_under_the_base_fee_is_an_error() -> None:
    world = BlockWorld({CONTRACT: STORE})
    result = run_message(world.setting, message(gas_price=BASE_FEE - 1))
    assert result.error == "max fee per gas less than block base fee: maxFeePerGas: 6, baseFee: 7"


def test_the_opcode_sees_the_price() -> None:
    assert run(GASPRICE + return_top(), gas_price=5).output == (5).to_bytes(32, "big")


@pytest.mark.parametrize(
    ("gas", "data", "least"),
    [
        pytest.param(20_999, b"", 21_000, id="intrinsic"),
        pytest.param(21_040 - 1, b"\1", 21_040, id="EIP-7623 floor"),
    ],
)
def test_too_little_gas_to_start_is_an_error(gas: int, data: bytes, least: int) -> None:
    assert run(b"", gas=gas, data=data).error == f"intrinsic gas too low: have {gas}, want {least}"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(STORE, id="success"),
        pytest.param(STORE + push(0) + push(0) + REVERT, id="revert"),
        pytest.param(STORE + INVALID, id="halt"),
    ],
)
def test_the_state_is_untouched_afterwards(code: bytes) -> None:
    world = world_with(code)
    before = deepcopy(world.state)
    run_message(world.setting, message(value=5))
    assert world.balance(CONTRACT) == 0
    assert world.nonce(SENDER) == 0
    assert world.storage(CONTRACT, 0) == 0
    assert vars(world.state) == vars(before)


def test_a_local_fault_passes_through_and_leaves_nothing() -> None:
    world = model_world(STORE + infer_code())
    world.host.fault = DeviceFault("cuda", "device lost")
    before = deepcopy(world.block.state)
    with pytest.raises(LocalFault):
        run_message(world.block.setting, model_message())
    assert vars(world.block.state) == vars(before)


def test_a_transfer_is_estimated_exactly() -> None:
    assert estimate(world_with(b""), to=RECIPIENT, value=1) == 21_000


def test_a_call_without_refund_or_subcall_is_estimated_exactly() -> None:
    assert estimate(world_with(STORE)) == 21_000 + 6 + 22_100


def test_the_floor_is_part_of_the_estimate() -> None:
    assert estimate(world_with(b""), data=b"\1" * 100) == 21_000 + 10 * 400


def test_a_refund_is_not_subtracted_from_the_estimate() -> None:
    world = world_with(push(0) + push(0) + SSTORE, storage={0: 1})
    found = estimate(world)
    least = 21_000 + 6 + 5_000
    assert least <= found <= least + least // 64
    assert succeeds(world, found)
    assert not succeeds(world, least - 1)


def nested() -> bytes:
    """Return code that calls OTHER with all gas and fails when the call failed."""
    call = push(0) * 5 + push(OTHER) + GAS + CALL
    skip = len(call) + 2 + 1 + 1
    return call + push(skip) + bytes.fromhex("57") + INVALID + bytes.fromhex("5b") + b"\0"


@pytest.mark.parametrize("slots", [1, 3, 20])
def test_the_estimate_covers_the_63_of_64_rule(slots: int) -> None:
    work = b"".join(push(1) + push(slot) + SSTORE for slot in range(slots))
    world = world_with(nested(), work)
    found = estimate(world)
    spent = run_message(world.setting, message()).gas_used
    assert succeeds(world, found)
    assert spent < found < spent + spent // 32
    assert not succeeds(world, spent)


def test_what_was_estimated_is_enough_for_the_transaction() -> None:
    world = BlockWorld({CONTRACT: nested(), OTHER: STORE}, block=context(base_fee=0))
    found = estimate(world, data=b"\1\0")
    result = world.apply(raw(to=CONTRACT, data=b"\1\0", gas=found))
    assert result.error is None


def test_a_message_that_fails_with_all_gas_gives_its_failure() -> None:
    world = world_with(push(0) + push(0) + REVERT)
    found = estimate_gas(world.setting, message())
    assert isinstance(found, MessageResult)
    assert (found.error, found.reverted) == ("execution reverted", True)


def test_a_highest_gas_that_does_not_reach_is_a_failure() -> None:
    found = estimate_gas(world_with(STORE).setting, message(gas=43_000))
    assert isinstance(found, MessageResult)
    assert found.error is not None


@dataclass
class ModelWorld:
    """A state with an ACTIVE model and a contract that runs it, with the host and its log."""

    host: FakeHost
    log: InferenceLog
    block: BlockWorld


def model_world(code: bytes = INFER_CODE) -> ModelWorld:
    host, log = FakeHost(), InferenceLog()
    block = BlockWorld(
        {CONTRACT: code},
        additions=ai_additions(host, log),
        storage={MODEL_REGISTRY: registry_storage()},
    )
    return ModelWorld(host, log, block)


def model_message() -> SimulatedTransaction:
    return message(gas=1_000_000, gas_price=10)


def test_an_inference_is_estimated_with_its_load() -> None:
    world = model_world()
    found = estimate_gas(world.block.setting, model_message())
    loads = {call.gas.load for call in world.log}
    assert loads == {200}
    charge = world.log.take()[0].gas.total
    arguments, memory = 5 * 3, 2 * 3
    assert found == 21_000 + charge + arguments + memory


def test_the_next_message_loads_the_model_again() -> None:
    world = model_world()
    for _ in range(2):
        run_message(world.block.setting, model_message())
    assert [call.gas.load for call in world.log.take()] == [200, 200]


def test_the_next_transaction_loads_the_model_again() -> None:
    world = model_world(INFER_CODE + POP + INFER_CODE)
    for nonce in range(2):
        world.block.apply(raw(nonce=nonce, to=CONTRACT))
    assert [call.gas.load for call in world.log.take()] == [200, 0, 200, 0]
