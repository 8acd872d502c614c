"""SELFBALANCE shows the balance as it is, whatever moved wei since it was last shown."""

from collections.abc import Callable

import pytest

from cvm.evm.creation_address import creation_address
from cvm.evm.execution import BlockExecution, ExecutionRules
from cvm.evm.forks import OSAKA, SHANGHAI, Fork
from cvm.evm.message_rules import Additions
from cvm.evm.native import layout as at
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.world_state import WorldState
from tests.evm_world import (
    CALL,
    CALLCODE,
    DELEGATECALL,
    GAS,
    MSTORE,
    POP,
    RETURN,
    REVERT,
    STATICCALL,
    STOP,
    context,
    no_hash,
    push,
)
from tests.memory_state import MemoryState
from tests.unit.evm.block_world import BASE_FEE, RICH, BlockWorld
from tests.unit.evm.signing import OTHER, OTHER_KEY, SENDER, authorization, raw

CONTRACT, CALLEE, NOBODY = b"\xc0" * 20, b"\xce" * 20, b"\xee" * 20
SELFBALANCE, SSTORE, MLOAD, CALLVALUE, JUMPI, JUMPDEST, CREATE, SELFDESTRUCT = (
    bytes.fromhex(op) for op in ("47", "55", "51", "34", "57", "5b", "f0", "ff")
)
EVERY_INTERPRETER = pytest.mark.usefixtures("interpreter")
RETURN_BALANCE = SELFBALANCE + push(0) + MSTORE + push(32) + push(0) + RETURN


def note(slot: int) -> bytes:
    """Return code that writes the balance to a slot."""
    return SELFBALANCE + push(slot) + SSTORE


def note_output(slot: int) -> bytes:
    """Return code that writes what the last call left in memory to a slot."""
    return push(0) + MLOAD + push(slot) + SSTORE


def call(address: bytes, value: int = 0, opcode: bytes = CALL) -> bytes:
    """Return a call whose output of one word goes to the start of memory."""
    sent = push(value) if opcode in (CALL, CALLCODE) else b""
    return push(32) + push(0) * 3 + sent + push(address) + GAS + opcode + POP


def noted(world: BlockWorld, address: bytes = CONTRACT, count: int = 4) -> list[int]:
    """Return what was written to the first slots."""
    return [world.storage(address, slot) for slot in range(count)]


@EVERY_INTERPRETER
def test_a_call_with_value_changes_it_on_both_sides() -> None:
    code = note(0) + call(CALLEE, 3) + note(1) + note_output(2) + call(CALLEE, 4) + note_output(3)
    world = BlockWorld({CONTRACT: code, CALLEE: RETURN_BALANCE})
    assert world.apply(raw(to=CONTRACT, value=10, gas=300_000)).error is None
    assert noted(world) == [10, 7, 3, 7]


@EVERY_INTERPRETER
def test_a_revert_takes_it_back_on_both_sides() -> None:
    """The callee reverts with its balance where it is sent wei, and returns it where it is not."""
    shown = SELFBALANCE + push(0) + MSTORE + push(32) + push(0)
    callee = CALLVALUE + push(13) + JUMPI + shown + RETURN
    assert len(callee) == 13
    callee += JUMPDEST + shown + REVERT
    code = note(0) + call(CALLEE, 3) + note_output(1) + note(2) + call(CALLEE) + note_output(3)
    world = BlockWorld({CONTRACT: code, CALLEE: callee})
    world.state.put(CALLEE, balance=100)
    assert world.apply(raw(to=CONTRACT, value=10, gas=300_000)).error is None
    assert noted(world) == [10, 103, 10, 100]


@EVERY_INTERPRETER
def test_wei_that_come_back_within_a_frame_that_halts_are_taken_back() -> None:
    """The callee sends its wei on and halts: it has them again, and so the caller its own."""
    callee = note(0) + call(NOBODY, 5) + SELFBALANCE + bytes.fromhex("fe")
    code = call(CALLEE, 3) + note(0)
    world = BlockWorld({CONTRACT: code, CALLEE: callee})
    world.state.put(CALLEE, balance=5)
    world.apply(raw(to=CONTRACT, value=10, gas=4_000_000))
    second = world.apply(raw(nonce=1, to=CONTRACT, value=1, gas=4_000_000))
    assert second.error is None
    assert noted(world, count=1) == [11]
    assert world.balance(CALLEE) == 5


@EVERY_INTERPRETER
def test_initcode_sees_what_it_was_sent_and_what_was_there() -> None:
    address = creation_address(SENDER, 0)
    world = BlockWorld()
    world.state.put(address, balance=5)
    initcode = note(0) + call(NOBODY, 2) + note(1)
    assert world.apply(raw(to=b"", data=initcode, value=7, gas=300_000)).error is None
    assert noted(world, address, 2) == [12, 10]


@EVERY_INTERPRETER
def test_a_creator_sees_its_gift_go_and_come_back() -> None:
    """The first initcode stops, so that its 4 wei stay there; the second one halts."""
    stays, fails = STOP, bytes.fromhex("fe")
    code = note(0)
    for slot, initcode in ((1, stays), (2, fails)):
        code += push(initcode) + push(0) + MSTORE + push(1) + push(31) + push(4) + CREATE + POP
        code += note(slot)
    world = BlockWorld({CONTRACT: code})
    assert world.apply(raw(to=CONTRACT, value=10, gas=4_000_000)).error is None
    assert noted(world, count=3) == [10, 6, 6]


@EVERY_INTERPRETER
@pytest.mark.parametrize(
    ("opcode", "shown"),
    [
        pytest.param(CALL, 50, id="CALL: the callee's"),
        pytest.param(STATICCALL, 50, id="STATICCALL: the callee's"),
        pytest.param(DELEGATECALL, 10, id="DELEGATECALL: the caller's"),
        pytest.param(CALLCODE, 10, id="CALLCODE: the caller's"),
    ],
)
def test_whose_balance_a_call_shows(opcode: bytes, shown: int) -> None:
    code = (call(CALLEE, opcode=opcode) + note_output(0)) + (
        call(CALLEE, opcode=opcode) + note_output(1)
    )
    world = BlockWorld({CONTRACT: code, CALLEE: RETURN_BALANCE})
    world.state.put(CALLEE, balance=50)
    assert world.apply(raw(to=CONTRACT, value=10, gas=300_000)).error is None
    assert noted(world, count=2) == [shown, shown]


@EVERY_INTERPRETER
def test_an_account_that_delegates_sees_its_own() -> None:
    world = BlockWorld({CALLEE: note(0)})
    world.state.put(CALLEE, balance=1_000)
    world.state.put(OTHER, balance=20)
    item = authorization(OTHER_KEY, CALLEE)
    assert world.apply(raw(4, to=OTHER, value=3, authorizations=[item])).error is None
    assert noted(world, OTHER, 1) == [23]
    assert noted(world, CALLEE, 1) == [0]


@EVERY_INTERPRETER
def test_a_sender_sees_its_balance_without_the_gas_it_may_use() -> None:
    world = BlockWorld({CALLEE: note(0)})
    world.state.put(SENDER, code=bytes.fromhex("ef0100") + CALLEE)
    first = world.apply(raw(to=SENDER, gas=100_000))
    assert noted(world, SENDER, 1) == [RICH - 100_000 * (BASE_FEE + 3)]
    assert world.apply(raw(nonce=1, to=SENDER, gas=90_000)).error is None
    left = RICH - first.gas_used * (BASE_FEE + 3)
    assert noted(world, SENDER, 1) == [left - 90_000 * (BASE_FEE + 3)]


@EVERY_INTERPRETER
@pytest.mark.parametrize("fork", [OSAKA, SHANGHAI], ids=["from Cancun on", "before Cancun"])
def test_the_heir_of_a_contract_sees_what_it_inherits(fork: Fork) -> None:
    heir = call(CALLEE) + note(0) + call(CALLEE) + note(1)
    world = BlockWorld(
        {CONTRACT: note(2) + heir, CALLEE: note(0) + push(CONTRACT) + SELFDESTRUCT},
        fork=fork,
    )
    world.state.put(CALLEE, balance=50)
    assert world.apply(raw(to=CONTRACT, value=10, gas=300_000)).error is None
    assert noted(world, count=3) == [60, 60, 10]


@EVERY_INTERPRETER
def test_it_costs_5_gas_whether_the_loop_knows_it_or_not() -> None:
    world = BlockWorld({CONTRACT: (SELFBALANCE + POP) * 3})
    assert world.apply(raw(to=CONTRACT)).gas_used == 21_000 + 3 * (5 + 2)
    enough = 21_000 + 5 + 2 + 4
    assert world.apply(raw(nonce=1, to=CONTRACT, gas=enough)).error == "OutOfGas"


def journaled(world: WorldState) -> None:
    world.set_balance(world.account(NOBODY), 6)


def taken_back(world: WorldState) -> None:
    mark = world.mark()
    journaled(world)
    world.show_balance(world.account(NOBODY))
    world.undo(mark)


def removed(world: WorldState) -> None:
    world.destroy(world.account(NOBODY))
    world.end_transaction()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        pytest.param(journaled, 6, id="a new balance"),
        pytest.param(taken_back, 5, id="the old one again"),
        pytest.param(removed, 0, id="the account removed"),
    ],
)
def test_the_loop_asks_anew_after_every_change(
    change: Callable[[WorldState], None], left: int
) -> None:
    block = BlockWorld()
    block.state.put(NOBODY, balance=5)
    world = block.execution.world
    world.begin_transaction()
    account = world.account(NOBODY)
    world.show_balance(account)
    assert shown(world) == (True, 5)
    change(world)
    assert shown(world)[0] is False
    assert account.balance == left


def shown(world: WorldState) -> tuple[bool, int]:
    """Return whether the loop knows the balance of NOBODY, and what it has."""
    base = world.account(NOBODY).number * at.ACCOUNT_FIELDS
    words = world.memory.accounts[base + at.BALANCE : base + at.BALANCE + 4]
    known = world.memory.accounts[base + at.BALANCE_KNOWN]
    return bool(known), int.from_bytes(words.cast("B"), "little")


def test_the_loop_asks_anew_after_a_run_of_transfers() -> None:
    state = MemoryState()
    state.put(SENDER, balance=RICH)
    rules = ExecutionRules(OSAKA, Additions())
    execution = BlockExecution(rules, state, context(base_fee=BASE_FEE), no_hash)
    execution.world.show_balance(execution.world.account(NOBODY))
    sent = [decode_transaction(raw(nonce=n, to=NOBODY, value=1, gas=21_000)) for n in range(8)]
    assert execution.apply_transfers(sent, 0) == 8
    assert shown(execution.world)[0] is False


def test_every_word_is_shown_whole() -> None:
    block = BlockWorld()
    block.state.put(NOBODY, balance=2**256 - 2)
    world = block.execution.world
    world.show_balance(world.account(NOBODY))
    assert shown(world) == (True, 2**256 - 2)
