"""The ordered sum folds chunks of 256, then the chunk totals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.exact.ordered_sum import mean, ordered_sum
from tests.oracle import float32

FLOATS = st.floats(width=32, allow_nan=False)
BIG = 2.0**24


@given(st.lists(FLOATS, max_size=600))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_equals_the_fold_on_fractions(terms: list[float]) -> None:
    total = ordered_sum(np.array(terms, np.float32))
    assert float32.to_bits(total.item()) == float32.to_bits(float32.chunked_sum(terms))


CASES = [
    pytest.param([], 0.0, id="nothing"),
    pytest.param([-0.0], 0.0, id="-0 becomes +0"),
    pytest.param([1.0, BIG, -BIG], 0.0, id="ascending, not descending"),
    pytest.param([BIG] + [1.0] * 255, BIG, id="ones are lost inside a chunk"),
    pytest.param([BIG] + [1.0] * 256, BIG, id="a lone one is lost after a chunk"),
    pytest.param([BIG] + [1.0] * 257, BIG + 2, id="two ones outlive a chunk"),
    pytest.param([BIG] * 1 + [0.0] * 255 + [1.0] * 256, BIG + 256, id="a second chunk counts"),
]


@pytest.mark.parametrize(("terms", "total"), CASES)
def test_order(terms: list[float], total: float) -> None:
    result = ordered_sum(np.array(terms, np.float32))
    assert result.view(np.uint32) == np.float32(total).view(np.uint32)


def test_sums_stand_side_by_side() -> None:
    terms = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    assert ordered_sum(terms).tolist() == [[12.0, 15.0], [18.0, 21.0]]


def test_mean_divides_once_by_the_rounded_count() -> None:
    assert mean(np.array([1, 1, 2], np.float32)).view(np.uint32) == 0x3FAAAAAB
