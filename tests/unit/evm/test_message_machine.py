"""A machine that has run messages answers the next one as a new machine does."""

from dataclasses import replace

import pytest

from cvm.evm.execution import ExecutionRules
from cvm.evm.message_call import (
    CallSetting,
    MessageMachine,
    MessageResult,
    SimulatedTransaction,
    run_message,
)
from cvm.evm.signatures import address_of_key
from cvm.evm.world_state import WorldState
from tests.conformance.memory_states import ListedState
from tests.evm_fuzz_blocks import NO_ADDITIONS, listed_hash
from tests.evm_fuzz_cases import Case, DrawnTransaction, drawn_case
from tests.evm_fuzzer import FORKS
from tests.evm_world import push
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import OTHER
from tests.unit.evm.test_message_call import CONTRACT, message, world_with

CASES = 200
GAS = 3_000_000
SET_SLOT = push(5) + push(0) + b"\x55"
RETURN_SLOT = bytes.fromhex("5f545f5260205ff3")
RETURN_TRANSIENT = bytes.fromhex("5f5c5f5260205ff3")
JUMPDEST = bytes.fromhex("5b")
RETURN_BALANCE = bytes.fromhex("475f5260205ff3")


def drawn_message(tx: DrawnTransaction) -> SimulatedTransaction:
    return SimulatedTransaction(
        address_of_key(tx.key), tx.to, GAS, 0, tx.value, tx.payload, tx.access_list
    )


def setting_of(case: Case) -> CallSetting:
    return CallSetting(
        ExecutionRules(case.fork, NO_ADDITIONS),
        ListedState(case.accounts()),
        replace(case.context, base_fee=0),
        listed_hash,
    )


def test_random_messages_leave_nothing_behind() -> None:
    results: set[str | None] = set()
    for number in range(CASES):
        case = drawn_case(7, number, FORKS)
        messages = [drawn_message(tx) for tx in case.transactions]
        machine, setting = MessageMachine(setting_of(case)), setting_of(case)
        for each in messages + messages[::-1]:
            found = machine.run(each)
            assert found == run_message(setting, each), case.text()
            results.add(found.error)
    assert {None, "execution reverted", "OutOfGas"} <= results


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(SET_SLOT, RETURN_SLOT, 9, id="storage"),
        pytest.param(push(5) + b"\x5f\x5d", RETURN_TRANSIENT, 0, id="transient-storage"),
        pytest.param(SET_SLOT + b"\xfe", RETURN_SLOT, 9, id="storage-of-a-failed-message"),
        pytest.param(push(OTHER) + b"\xff", RETURN_BALANCE, 10, id="destroyed"),
    ],
)
def test_what_a_message_did_is_taken_back(first: bytes, second: bytes, expected: int) -> None:
    # CALLDATASIZE, PUSH1 7, JUMPI, PUSH1, JUMP: with data the second runs, without it the first.
    choice = bytes((0x36, 0x60, 7, 0x57, 0x60, 8 + len(second), 0x56))
    code = choice + JUMPDEST + second + JUMPDEST + first
    machine = MessageMachine(world_with(code, storage={0: 9}).setting)
    machine.run(message(value=10))
    found = machine.run(message(value=10, data=b"\x01"))
    assert found.output == expected.to_bytes(32, "big")


def test_what_was_warm_is_cold_again() -> None:
    machine = MessageMachine(world_with(RETURN_SLOT).setting)
    first = machine.run(message())
    assert machine.run(message()) == first


def test_a_message_that_cannot_start_does_not_hinder_the_next() -> None:
    machine = MessageMachine(world_with(RETURN_SLOT, storage={0: 9}).setting)
    assert machine.run(message(gas=20_999)).error == "intrinsic gas too low: have 20999, want 21000"
    assert machine.run(message()).output == (9).to_bytes(32, "big")


def test_what_was_prepared_stays_after_a_message_that_cannot_start() -> None:
    def prepare(world: WorldState) -> None:
        world.begin_transaction()
        world.set_storage(world.account(CONTRACT), 0, 7)

    setting = replace(world_with(RETURN_SLOT, storage={0: 9}).setting, prepare=prepare)
    machine = MessageMachine(setting)
    machine.run(message(gas=20_999))
    assert machine.run(message()).output == (7).to_bytes(32, "big")
    assert machine.run(message()).output == (7).to_bytes(32, "big")


def test_room_that_messages_took_is_counted() -> None:
    large = push(1) + push(8 << 20) + b"\x52"  # MSTORE behind 8 MiB
    machine = MessageMachine(world_with(large).setting)
    before = machine.size_bytes
    assert machine.run(message(gas=1 << 38)) == MessageResult(b"", 135_026_196, None, False)
    assert machine.size_bytes - before == (8 << 20) + 32 - (1 << 20)


def test_a_world_of_blocks_is_not_changed_by_messages() -> None:
    world: BlockWorld = world_with(SET_SLOT)
    machine = MessageMachine(world.setting)
    machine.run(message())
    assert world.setting.reader.storage(CONTRACT, 0) == 0
