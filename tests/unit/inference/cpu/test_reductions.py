"""Reductions have the definition's bits at every shape and place of the reduced axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import assert_equals_definition, draw, draw_hostile

LEVEL = LEVELS[-1]
"""These kernels are the same at every level."""

SUMS = ["ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"]
EXTREMES = ["ReduceMax", "ReduceMin"]

SHAPES = [
    pytest.param((20, 300), (1,), id="rows of two chunks"),
    pytest.param((3, 2, 257), (2,), id="fewer rows than lie side by side"),
    pytest.param((600, 5), (0,), id="columns of three chunks"),
    pytest.param((2, 3, 1100), (1,), id="more columns than lie side by side"),
    pytest.param((2, 5, 4, 3), (1, 3), id="scattered axes"),
    pytest.param((3, 1, 4, 1), (1, 3), id="axes of length 1"),
    pytest.param((2, 3, 2, 3, 2, 3), (0, 2, 5), id="six axes"),
    pytest.param((), (), id="a scalar"),
]


def constant(axes: tuple[int, ...]) -> Array:
    return np.array(axes, np.int64)


@pytest.mark.parametrize("op", [*SUMS, *EXTREMES])
@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_reduces(op: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    inputs = [draw(1, "float32", *shape), draw_hostile(2, *shape)]
    inputs += [draw(3, dtype, *shape) for dtype in ("int32", "int64")]
    if op in EXTREMES:
        inputs += [draw(4, dtype, *shape) for dtype in ("int8", "uint8")]
        inputs.append(draw(5, "int8", *shape) > 0)
    for x in inputs:
        for attributes in ({"keepdims": 0}, {"noop_with_empty_axes": 1}):
            assert_equals_definition(LEVEL, op, dict(attributes), [x, constant(axes)], {1})


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    op=st.sampled_from([*SUMS, *EXTREMES]),
    shape=st.lists(st.integers(1, 5), max_size=6).map(tuple),
    data=st.data(),
)
def test_any_axes_of_any_shape(op: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    rank = len(shape)
    axes = data.draw(st.lists(st.integers(0, max(rank - 1, 0)), unique=True, max_size=rank))
    flags: dict[str, AttributeValue] = {
        "keepdims": data.draw(st.integers(0, 1)),
        "noop_with_empty_axes": data.draw(st.integers(0, 1)),
    }
    x = draw_hostile(data.draw(st.integers(0, 99)), *shape)
    assert_equals_definition(LEVEL, op, flags, [x, constant(tuple(axes))], {1})
