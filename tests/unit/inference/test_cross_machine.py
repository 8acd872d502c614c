"""Hashes of a fixed set do not depend on threads, and a wrong bit or another input is named."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired

import pytest

from cvm.inference.backends.backend import Backend, Plan, Trace
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import Graph
from cvm.inference.tensor_type import Array
from tests import cross_machine
from tests.cross_machine import Outcome, Row, disagreements, outcome_of, rows, table_text
from tests.emulated_machines import CannotEmulate, EmulatedMachine
from tests.machine_hash import part_hashes

PARTS = {"vectors": ("g1", "m1"), "digits": ("g2", "m2"), "small-fuzz": ("g3", "m3")}
FIRST = Outcome(Row("no setting", "reference"), "", PARTS, 1.0)


def test_threads_change_no_hash() -> None:
    alone = part_hashes("small-fuzz", ReferenceBackend(), 1)
    assert part_hashes("small-fuzz", ReferenceBackend(), 2) == alone


class _WrongPlan:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        first, *others = self._plan.run(inputs, trace)
        changed = first.copy()
        changed.reshape(-1).view("uint8")[0] ^= 1
        return changed, *others


class _WrongBackend:
    name = "wrong"

    def plan(self, graph: Graph) -> _WrongPlan:
        return _WrongPlan(ReferenceBackend().plan(graph))


def test_a_wrong_bit_changes_the_hash_of_what_is_made_alone() -> None:
    wrong: Backend = _WrongBackend()
    right = part_hashes("digits", ReferenceBackend(), 1)
    given, made = part_hashes("digits", wrong, 1)
    assert (given == right[0], made == right[1]) == (True, False)


def test_a_part_that_differs_is_named() -> None:
    other = replace(FIRST, row=Row("there", "cpu"), level="avx2")
    computed = replace(other, parts={**PARTS, "digits": ("g2", "x")})
    drawn = replace(other, parts={**PARTS, "vectors": ("x", "y")})
    assert disagreements([FIRST, other]) == []
    assert disagreements([FIRST, computed]) == ["cpu avx2, there: digits differs"]
    assert disagreements([FIRST, drawn]) == ["cpu avx2, there: vectors drew other inputs"]


def test_a_row_shows_its_hash_or_why_there_is_none() -> None:
    absent = replace(FIRST, parts={}, seconds=0, failure="left out: no such CPU")
    lines = table_text([FIRST, absent]).splitlines()[2:]
    assert lines == [
        "| reference |  | no setting | m2 | m3 | m1 | - | - | 1 |",
        "| reference |  | no setting (left out: no such CPU) | - | - | - | - | - | 0 |",
    ]


def test_a_machine_that_cannot_be_had_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_cache: object) -> EmulatedMachine:
        raise CannotEmulate("apt-get is not installed")

    outcome = outcome_of(Row("elsewhere", "cpu", machine=absent), Path())
    assert (outcome.parts, outcome.failure) == ({}, "left out: apt-get is not installed")


def test_what_was_done_before_a_process_took_too_long_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = b'{"level": "avx2", "part": "digits", "given": "g", "made": "m"}\n'

    def slow(_row: Row, _machine: object, _timeout_s: int) -> str:
        raise TimeoutExpired("python", 3600, output=line)

    monkeypatch.setattr(cross_machine, "_hashes", slow)
    outcome = outcome_of(FIRST.row, Path())
    assert (outcome.level, outcome.parts) == ("avx2", {"digits": ("g", "m")})
    assert outcome.failure == "stopped after 3600 s"


def test_a_process_that_fails_is_no_row_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_row: Row, _machine: object, _timeout_s: int) -> object:
        raise CalledProcessError(-11, "python")

    monkeypatch.setattr(cross_machine, "_hashes", failing)
    assert outcome_of(FIRST.row, Path()).failure == "FAILED with status -11"


def test_rows_cover_settings_threads_levels_and_emulated_machines() -> None:
    names = [row.name for row in rows()]
    for wanted in ("2 threads", "Prescott", "X86_V3", "generic CPU", "Haswell", "arm64"):
        assert any(wanted in name for name in names)
    assert len(names) == len({(row.name, row.backend, row.level) for row in rows()})
