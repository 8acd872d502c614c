"""The hunt for shapes that are charged too little: every case of it can be planned."""

import pytest

from bench.gas_hunt import HUNTS, hunted_cases
from bench.gas_table import key_of


@pytest.mark.parametrize("name", HUNTS)
def test_every_hunted_case_is_a_graph_that_the_engine_takes(name: str) -> None:
    cases = hunted_cases(name)
    assert all(case.graph().nodes for case in cases)
    assert len({key_of(case) for case in cases}) == len(cases)
