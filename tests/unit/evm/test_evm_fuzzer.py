"""The random blocks themselves, and the claim that a fault of the core would be found by them."""

from collections import Counter
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pytest

from cvm.evm import plain_interpreter
from cvm.evm.forks import PRAGUE
from cvm.evm.native import layout as at
from cvm.evm.opcode_table import OPCODES, opcodes_of
from cvm.evm.plain_frame import PlainFrame
from cvm.evm.plain_opcodes import PLAIN_OPCODES
from tests.evm_assembly import Program
from tests.evm_fuzz_cases import Case, drawn_case
from tests.evm_fuzz_peers import PlainPeer
from tests.evm_fuzz_py_evm import PyEvmPeer
from tests.evm_fuzzer import FORKS, fuzz, judge
from tests.guarded_memory import GUARD_BYTES, GuardedMemory, MemoryOverrun, check_all

CASES = 150


def steps_of(program: Program) -> list[int]:
    steps = [step.opcode for step in program.steps]
    for child in program.children:
        steps += steps_of(child)
    return steps


def opcodes_in(case: Case) -> list[int]:
    steps = [opcode for contract in case.contracts for opcode in steps_of(contract.program)]
    for tx in case.transactions:
        steps += steps_of(tx.initcode)
    return steps


def test_both_interpreters_answer_alike() -> None:
    report = fuzz(CASES, 1, PlainPeer(), FORKS)
    assert report.found is None, report.found
    assert report.cases == CASES


def test_stock_py_evm_answers_alike_where_it_is_right() -> None:
    report = fuzz(40, 1, PyEvmPeer(), (PRAGUE,))
    assert report.found is None, report.found
    assert report.unanswered * 2 < report.cases == 40


def test_transactions_of_every_type_are_drawn() -> None:
    cases = [drawn_case(5, number, FORKS) for number in range(200)]
    assert {tx.type_id for case in cases for tx in case.transactions} == set(range(5))


def test_every_opcode_of_every_fork_is_drawn() -> None:
    drawn: Counter[int] = Counter()
    for number in range(600):
        drawn.update(opcodes_in(drawn_case(2, number, FORKS)))
    assert sorted(set(opcodes_of(FORKS[-1])) - set(drawn)) == []


def test_half_of_the_transactions_go_well_and_some_are_refused() -> None:
    report = fuzz(60, 3, PlainPeer(), FORKS)
    ran = report.succeeded + report.failed + report.refused
    assert report.succeeded * 3 > ran
    assert report.failed * 5 > ran
    assert report.refused * 3 < ran


def test_same_seed_draws_the_same_case() -> None:
    assert drawn_case(4, 9, FORKS) == drawn_case(4, 9, FORKS)
    assert drawn_case(4, 9, FORKS) != drawn_case(5, 9, FORKS)


def wrong_mload(frame: PlainFrame) -> None:
    PLAIN_OPCODES[0x51](frame)
    frame.push(frame.pop() ^ 1)


def dear_not(frame: PlainFrame) -> None:
    PLAIN_OPCODES[0x19](frame)
    frame.charge(1)


@pytest.mark.parametrize(
    ("byte", "wrong"),
    [pytest.param(0x51, wrong_mload, id="value"), pytest.param(0x19, dear_not, id="gas")],
)
def test_a_wrong_opcode_is_found_and_made_small(
    byte: int, wrong: Callable[[PlainFrame], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = MappingProxyType({**PLAIN_OPCODES, byte: wrong})
    monkeypatch.setattr(plain_interpreter, "PLAIN_OPCODES", table)
    report = fuzz(200, 6, PlainPeer(), FORKS)
    assert report.found is not None
    assert OPCODES[byte].name in report.found
    assert report.found.count("\n  ") < 30


@pytest.mark.parametrize("offset", [-8, 8], ids=["before", "after"])
def test_a_write_outside_of_a_buffer_is_seen(offset: int) -> None:
    check_all()
    memory = GuardedMemory()
    size = memory.registers[at.LOGS_CAPACITY]
    place = GUARD_BYTES + (offset if offset < 0 else size + offset - 1)
    memory.guarded(at.LOGS)[place] = 0
    with pytest.raises(MemoryOverrun, match=f"register {at.LOGS} were written"):
        check_all()


def test_a_write_to_a_buffer_that_was_replaced_is_seen() -> None:
    check_all()
    memory = GuardedMemory()
    old = memory.guarded(at.LOGS)
    memory.grow_logs(1 << 17)
    old[GUARD_BYTES] = np.uint8(1)
    with pytest.raises(MemoryOverrun, match=f"old buffer of register {at.LOGS}"):
        check_all()


def test_a_difference_names_what_differs() -> None:
    ours, found = judge(drawn_case(7, 0, FORKS), PlainPeer())
    assert found is None
    assert ours.root
