"""Max, Min and ArgMax: NaN, signed zeros and ties."""

import math

import numpy as np
import pytest

from cvm.inference.exact.ordering import index_of_largest, larger, lowest, smaller
from tests.oracle import float32

SPECIALS = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 2.0**-149, -(2.0**-149)]
PAIRS = [pytest.param(a, b, id=f"{a}, {b}") for a in SPECIALS for b in SPECIALS]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_pairs_of_floats(a: float, b: float) -> None:
    left, right = np.array([a], np.float32), np.array([b], np.float32)
    assert float32.to_bits(larger(left, right).item()) == float32.to_bits(float32.greater_of(a, b))
    assert float32.to_bits(smaller(left, right).item()) == float32.to_bits(float32.lesser_of(a, b))


def test_integers_keep_their_dtype() -> None:
    a, b = np.array([-128, 5], np.int8), np.array([127, 4], np.int8)
    assert (str(larger(a, b).dtype), larger(a, b).tolist()) == ("int8", [127, 5])
    assert (str(smaller(a, b).dtype), smaller(a, b).tolist()) == ("int8", [-128, 4])


@pytest.mark.parametrize(("dtype", "least"), [("float32", -math.inf), ("int8", -128), ("uint8", 0)])
def test_a_fold_starts_at_the_least_value(dtype: str, least: float) -> None:
    assert (str(lowest(dtype).dtype), lowest(dtype).item()) == (dtype, least)


ORDER = [
    pytest.param([1, 3, 3], 1, 2, id="tie"),
    pytest.param([-0.0, 0.0], 0, 1, id="zeros are equal"),
    pytest.param([math.inf, math.nan, math.nan, math.inf], 1, 2, id="NaN wins"),
    pytest.param([math.nan, 1], 0, 0, id="NaN first"),
    pytest.param([-math.inf], 0, 0, id="one value"),
]


@pytest.mark.parametrize(("values", "first", "last"), ORDER)
def test_index_of_largest(values: list[float], first: int, last: int) -> None:
    column = np.array(values, np.float32)
    assert index_of_largest(column, last=False).item() == first
    assert index_of_largest(column, last=True).item() == last
