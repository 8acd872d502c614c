"""Inner loops: which axes of a broadcast, a copy or a product run together."""

import pytest

from cvm.inference.operators.inner_runs import broadcast_runs, turned_axes
from cvm.inference.operators.product_steps import Extents, idle_terms
from cvm.inference.tensor_type import Shape


@pytest.mark.parametrize(
    ("shapes", "output", "runs"),
    [
        pytest.param([(8, 4), (8, 4)], (8, 4), 1, id="alike"),
        pytest.param([(8, 4), ()], (8, 4), 1, id="scalar"),
        pytest.param([(8, 4), (4,)], (8, 4), 8, id="a row"),
        pytest.param([(8, 4), (8, 1)], (8, 4), 8, id="a column"),
        pytest.param([(1, 6, 2, 2), (6, 1, 1)], (1, 6, 2, 2), 6, id="channels"),
        pytest.param([(2, 1, 3), (1, 5, 1)], (2, 5, 3), 10, id="crossed"),
        pytest.param([(8, 4, 1), (8, 4, 1)], (8, 4, 1), 1, id="last axis of one"),
    ],
)
def test_axes_that_no_operand_stretches_over_run_together(
    shapes: list[Shape], output: Shape, runs: int
) -> None:
    assert broadcast_runs(shapes, output) == runs


@pytest.mark.parametrize(
    ("shape", "order", "axes"),
    [
        pytest.param((2, 3), (0, 1), [6], id="in order"),
        pytest.param((2, 3), (1, 0), [3, 2], id="turned"),
        pytest.param((2, 3, 5), (2, 0, 1), [5, 6], id="two stay together"),
        pytest.param((2, 1, 5), (2, 1, 0), [5, 2], id="an axis of one falls out"),
        pytest.param((7, 1, 4), (1, 0, 2), [28], id="only an axis of one moves"),
    ],
)
def test_axes_that_stay_neighbours_count_as_one(
    shape: Shape, order: tuple[int, ...], axes: list[int]
) -> None:
    assert turned_axes(shape, order) == axes


@pytest.mark.parametrize(
    ("rows", "columns", "idle"),
    [
        pytest.param(1, 1, 47, id="one chain takes as long as 48"),
        pytest.param(1, 24, 24, id="one row"),
        pytest.param(4, 24, 0, id="a whole tile"),
        pytest.param(4, 8, 16, id="one vector wide"),
        pytest.param(5, 24, 72, id="a tile of one row beside a whole one"),
        pytest.param(4, 25, 44, id="a column beside a whole tile"),
    ],
)
def test_tiles_take_the_time_of_whole_ones(rows: int, columns: int, idle: int) -> None:
    assert idle_terms(Extents(2, rows, 3, columns, 0, 0), 3) == 2 * 3 * idle
