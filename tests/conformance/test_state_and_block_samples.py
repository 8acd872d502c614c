"""A sample of the public state and block tests; `make conformance` runs all of them."""

import json
from collections.abc import Sequence

import pytest

from cvm.evm.message_rules import Interpreter
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.plain_interpreter import PlainInterpreter
from tests.conformance.archives import files_of, require_suite
from tests.conformance.outcomes import FAILED, PASSED, Outcome
from tests.conformance.suites import SUITES

LONG = ("stTimeConsuming", "vmPerformance", "stQuadraticComplexity", "stAttack", "bcForkStress")
"""Folders of cases that take seconds each."""

LARGEST_FILE_BYTES = 300_000
SAMPLES = {
    "state-cancun": 24,
    "state-prague": 8,
    "blockchain-cancun": 6,
    "blockchain-prague": 5,
}
"""Every how manieth file is in the sample."""

INTERPRETERS = [
    pytest.param(NativeInterpreter, id="compiled"),
    pytest.param(PlainInterpreter, id="plain"),
]


def sampled(suite: str, interpreter: type[Interpreter]) -> list[Outcome]:
    """Judge every k-th short file of a suite."""
    path = require_suite(suite)
    files = [
        (name, data)
        for name, data in files_of(path)
        if name.endswith(".json")
        and len(data) <= LARGEST_FILE_BYTES
        and not any(folder in name for folder in LONG)
    ]
    return [
        outcome
        for name, data in files[:: SAMPLES[suite]]
        for outcome in SUITES[suite](name, json.loads(data), interpreter)
    ]


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.verdict == FAILED]


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("suite", list(SAMPLES))
def test_a_sample_of_the_suite_passes(suite: str, interpreter: type[Interpreter]) -> None:
    outcomes = sampled(suite, interpreter)
    assert failures(outcomes) == []
    assert sum(outcome.verdict == PASSED for outcome in outcomes) >= 20
