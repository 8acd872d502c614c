"""No node test of the onnx package gives a wrong result, and the table in the README is fresh."""

import pytest

from cvm.inference.backends.table import backend_named
from tests.conformance.onnx_node_cases import Outcome, judge, load_cases, operator_of
from tests.conformance.onnx_node_tests import (
    BACKENDS,
    judge_all,
    section_text,
    short_reason,
    table_lines,
    written_section,
)

SAMPLE = {
    "add": "Add",
    "argmax": "ArgMax",
    "averagepool": "AveragePool",
    "bitshift": "BitShift",
    "cumsum": "CumSum",
    "dropout": "Dropout",
    "gemm": "Gemm",
    "hardmax": "Hardmax",
    "matmulinteger": "MatMulInteger",
    "qlinearmatmul": "QLinearMatMul",
    "softplus": "Softplus",
    "transpose": "Transpose",
}
"""Modules of onnx's node tests and the operator of each."""


def sample() -> list[Outcome]:
    """Judge the cases of a few operators, or all of them where all are loaded."""
    backends = [backend_named(name) for name in BACKENDS]
    wanted = set(SAMPLE.values())
    cases = [case for case in load_cases(list(SAMPLE)) if operator_of(case) in wanted]
    return [judge(case, backends) for case in sorted(cases, key=lambda case: case.name)]


def test_a_sample_of_node_tests_is_right_and_stands_so_in_the_table() -> None:
    outcomes = sample()
    assert [o for o in outcomes if o.verdict == "wrong"] == []
    assert {o.op_type for o in outcomes} == set(SAMPLE.values())
    written = written_section().splitlines()
    assert [line for line in table_lines(outcomes) if line not in written] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_node_test_is_right_and_the_table_is_fresh() -> None:
    outcomes = judge_all()
    assert [o for o in outcomes if o.verdict == "wrong"] == []
    assert section_text(outcomes) == written_section()


def test_a_wrong_expectation_is_seen() -> None:
    (case,) = [c for c in load_cases(["transpose"]) if c.name == "test_transpose_default"]
    assert case.data_sets is not None
    ((inputs, outputs),) = case.data_sets
    changed = outputs[0].copy()
    changed.reshape(-1)[3] += 1
    spoiled = type(case)(**{**vars(case), "data_sets": [(inputs, [changed])]})
    outcome = judge(spoiled, [backend_named("reference")])
    assert outcome.verdict == "wrong"
    assert outcome.reason.startswith("output 0 at [0, 1, 1]: ")


def test_reasons_name_no_node() -> None:
    reason = "operand dtype: Add node 'sum': input 0 must be float32 or int32, found int16[3,4,5]"
    assert short_reason(Outcome("c", "Add", "refused", reason)) == "Add: input 0 may not be int16"
