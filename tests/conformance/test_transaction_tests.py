"""The transaction tests of ethereum/tests: which bytes are a transaction, whose, at what gas."""

from cvm.evm.native_interpreter import NativeInterpreter
from tests.conformance.archives import json_files
from tests.conformance.outcomes import PASSED
from tests.conformance.transaction_tests import judge_transaction_tests

CASES = 565
"""3 forks of 210 tests, less those for which the suite names no result."""


def test_every_transaction_is_judged_as_the_suite_judges_it() -> None:
    outcomes = [
        outcome
        for path, document in json_files("TransactionTests").items()
        for outcome in judge_transaction_tests(path, document, NativeInterpreter)
    ]
    assert [outcome for outcome in outcomes if outcome.verdict != PASSED] == []
    assert len(outcomes) == CASES
