"""What keeps the execution core from starting in a state that other nodes would not share."""

import subprocess
import sys

import pytest

COMMAND = "import cvm.evm; print('started')"


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_without_assertions_it_does_not_start(flag: str) -> None:
    """Libraries that consensus rests on check with `assert`; without it they accept more."""
    run = subprocess.run(
        [sys.executable, flag, "-c", COMMAND], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.endswith(
        "AssertionsOff: Python runs without assertions (-O or PYTHONOPTIMIZE), on which "
        "consensus rests: start it without\n"
    )


def test_with_assertions_it_starts() -> None:
    run = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=False
    )
    assert run.stdout == "started\n"
