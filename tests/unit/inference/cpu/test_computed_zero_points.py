"""Integer products whose first zero point is computed have the definition's bits."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import assert_equals_definition, draw
from tests.unit.inference.operators.nodes import const, node, spec_of, t

SHAPES = [
    pytest.param((1, 70), (70, 33), id="one row"),
    pytest.param((9, 21), (21, 50), id="rows and columns left over"),
    pytest.param((2, 1, 3, 8), (3, 8, 5), id="stacks broadcast"),
    pytest.param((4, 2, 8), (8, 5), id="a stack by one matrix"),
    pytest.param((8,), (8, 5), id="a vector"),
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_product(level: str, dtype: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for zero in (np.iinfo(dtype).min, 3, np.iinfo(dtype).max):
        inputs = [draw(1, dtype, *a), draw(2, "int8", *b), np.array(zero, dtype)]
        assert_equals_definition(level, "MatMulInteger", {}, inputs, {1})
        columns = [*inputs, draw(3, "int8", b[-1])]
        assert_equals_definition(level, "MatMulInteger", {}, columns, {1, 3})


def test_a_computed_zero_point_of_each_row_is_refused() -> None:
    view = node("MatMulInteger", t("uint8", 3, 2), const("int8", [[1], [2]]), t("uint8", 3))
    with pytest.raises(InvalidModel, match="computed zero point of a must be a scalar"):
        spec_of("MatMulInteger").parse(view)


def test_the_bound_holds_for_every_zero_point() -> None:
    weights = const("int8", [[-128]] * 65_794)
    view = node("MatMulInteger", t("uint8", 1, 65_794), weights, t("uint8"))
    with pytest.raises(InvalidModel, match="accumulator bound"):
        spec_of("MatMulInteger").parse(view)
