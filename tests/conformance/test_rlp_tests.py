"""The RLP tests of ethereum/tests, through the decoder of lists and through the encoder."""

from cvm.evm.native_interpreter import NativeInterpreter
from tests.conformance.archives import json_files
from tests.conformance.outcomes import PASSED
from tests.conformance.rlp_tests import judge_rlp_tests

CASES = {
    "RLPTests/rlptest.json": 28,
    "RLPTests/invalidRLPTest.json": 26,
    "RLPTests/RandomRLPTests/example.json": 1,
}


def test_every_item_is_read_as_the_suite_reads_it() -> None:
    counts = {}
    for path, document in json_files("RLPTests").items():
        outcomes = judge_rlp_tests(path, document, NativeInterpreter)
        assert [found for found in outcomes if found.verdict != PASSED] == []
        counts[path] = len(outcomes)
    assert counts == CASES
