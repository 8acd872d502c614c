"""A short run of every scenario passes; the whole runs are `python -m tests.simulation`."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.simulation.__main__ import main
from tests.simulation.outcome import Outcome
from tests.simulation.safety import Broken, Violation
from tests.simulation.scenarios import SCENARIOS, Scenario, crashing_byzantine, honest, one_of_four
from tests.simulation.world import World, height_bound_ms

HEIGHTS = {"two-of-seven": 15, "real-signatures": 8, "crashes": 25, "byzantine-crashes": 25}


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_a_short_run_passes(scenario: Scenario, seed: int) -> None:
    heights = HEIGHTS.get(scenario.name, 30)
    outcome = World(scenario.settings(heights, seed), seed).run()
    assert scenario.faults(outcome) == []


def test_a_height_may_take_a_period_and_f_plus_1_rounds() -> None:
    settings = one_of_four("silent")(1, 0)
    assert height_bound_ms(settings) == 2_000 + 6_000 + 12_000
    assert height_bound_ms(replace(settings, validators=7)) == 2_000 + 6_000 + 12_000 + 24_000


OUTCOME = World(honest(3, 0), 0).run()
FORK = (Violation(Broken.FORK, 1, ""),)
TIMELY = Scenario("timely", honest, 3, 1, is_timely=True)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(OUTCOME, [], id="all is well"),
        pytest.param(
            replace(OUTCOME, violations=FORK),
            ["height 1: two blocks are final at one height"],
            id="fork",
        ),
        pytest.param(replace(OUTCOME, in_time=2), ["2 of 3 heights in time"], id="late"),
        pytest.param(
            replace(OUTCOME, healing_ms=(9_000, 10_001)), ["healed in 10001 ms"], id="slow to heal"
        ),
        pytest.param(
            replace(OUTCOME, never_healed=1), ["no progress after 1 partitions"], id="never healed"
        ),
        pytest.param(
            replace(OUTCOME, most_held_bytes=200_000), ["a state holds 200000 bytes"], id="memory"
        ),
        pytest.param(replace(OUTCOME, decided=0), ["nothing was decided"], id="stuck"),
    ],
)
def test_what_is_wrong_with_a_run(outcome: Outcome, expected: list[str]) -> None:
    assert TIMELY.faults(outcome) == expected


def test_over_the_bound_a_run_without_a_fork_fails() -> None:
    over = SCENARIOS["over-the-bound"]
    assert over.faults(OUTCOME) == ["no fork was found"]
    assert over.faults(replace(OUTCOME, violations=FORK)) == []


def run_command(folder: Path, *words: str) -> int:
    common = ["--heights", "3", "--seeds", "2", "--processes", "1", "--results", str(folder)]
    return main([*common, *words])


def test_the_command_prints_a_line_a_seed_and_writes_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(tmp_path, "--behaviour", "honest") == 0
    assert run_command(tmp_path, "--behaviour", "silent") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("honest seed 0: 3 of 3 heights, 3 in time")
    assert lines[-1] == "2 passed, 0 failed"
    (path,) = tmp_path.iterdir()
    report = json.loads(path.read_text("utf-8"))
    assert sorted(report) == ["honest", "silent"]
    assert (report["silent"]["seeds"], report["silent"]["decided"]) == (2, 6)


def seeds_written(folder: Path) -> list[int]:
    (path,) = folder.iterdir()
    report = json.loads(path.read_text("utf-8"))
    return [run["seed"] for run in report["honest"]["runs"]]


def test_seeds_are_added_to_those_of_the_same_code_and_heights(tmp_path: Path) -> None:
    run_command(tmp_path, "--behaviour", "honest")
    run_command(tmp_path, "--behaviour", "honest", "--first-seed", "1")
    assert seeds_written(tmp_path) == [0, 1, 2]
    run_command(tmp_path, "--behaviour", "honest", "--first-seed", "1", "--heights", "2")
    assert seeds_written(tmp_path) == [1, 2]


def test_a_failed_seed_is_the_status_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = replace(SCENARIOS["honest"], must_fork=True)
    monkeypatch.setitem(SCENARIOS, "honest", never)
    assert run_command(tmp_path, "--behaviour", "honest") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("FAILED (no fork was found)")
    assert lines[-1] == "0 passed, 2 failed"


PRINT_RUN = """
from tests.simulation.scenarios import crashing_byzantine
from tests.simulation.world import World
print(World(crashing_byzantine(10, 4), 4).run())
"""


def test_a_run_is_the_same_in_another_process() -> None:
    here = {"PYTHONHASHSEED": "1", "PYTHONPATH": f"{ROOT}:{ROOT}/models-registry"}
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_RUN], cwd=ROOT, env=here, capture_output=True, check=True
    ).stdout.decode()
    assert printed.strip() == str(World(crashing_byzantine(10, 4), 4).run())
