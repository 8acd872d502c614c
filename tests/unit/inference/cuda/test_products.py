"""Matrix products: hostile numbers, odd shapes, both tiles, every layout of the operands."""

import ctypes
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import draw, draw_hostile
from tests.unit.inference.cuda.equality import assert_equals_definition

EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

ROUNDING = settings(EXAMPLES, max_examples=25)

MATMUL_SHAPES = [
    pytest.param((5, 3), (3, 7), "product_f32_small", id="small"),
    pytest.param((40, 37), (37, 50), "product_f32_wide", id="one wide tile"),
    pytest.param((130, 17), (17, 140), "product_f32_wide", id="four wide tiles"),
    pytest.param((33, 1), (1, 33), "product_f32_wide", id="depth 1"),
    pytest.param((1, 300), (300, 1), "product_f32_small", id="one dot product"),
    pytest.param((9,), (9, 4), "product_f32_small", id="vector a"),
    pytest.param((2, 3, 4, 9), (9,), "product_f32_small", id="vector b, one tall product"),
    pytest.param((2, 1, 4, 5), (3, 5, 6), "product_f32_small", id="both stacks stretch"),
    pytest.param((4, 5), (2, 3, 5, 6), "product_f32_small", id="a stretches"),
]


@pytest.mark.parametrize("schedule", [0, 1, 2], ids=["forward", "backward", "shuffled"])
@pytest.mark.parametrize(("a", "b", "kernel"), MATMUL_SHAPES)
def test_matmul(
    shim: ctypes.CDLL, a: tuple[int, ...], b: tuple[int, ...], kernel: str, schedule: int
) -> None:
    inputs = (draw(1, "float32", *a), draw(2, "float32", *b))
    launched = assert_equals_definition(shim, "MatMul", {}, inputs, (), schedule)
    assert launched == [kernel]


@pytest.mark.parametrize("shape", [(3, 20, 6), (36, 20, 40)], ids=["small tile", "wide tile"])
def test_matmul_of_hostile_numbers(shim: ctypes.CDLL, shape: tuple[int, int, int]) -> None:
    rows, depth, columns = shape
    for seed in range(10):
        a, b = draw_hostile(seed, rows, depth), draw_hostile(seed + 99, depth, columns)
        assert_equals_definition(shim, "MatMul", {}, (a, b))


@pytest.mark.parametrize("columns", [3, 40], ids=["small tile", "wide tile"])
@pytest.mark.parametrize("depth", [1, 15, 16, 17, 33])
def test_a_sum_that_underflows_to_minus_zero_keeps_its_sign(
    shim: ctypes.CDLL, depth: int, columns: int
) -> None:
    a = np.zeros((columns, depth), np.float32)
    b = np.full((depth, columns), -0.0, np.float32)
    a[:, 0], b[0, :] = 2.0**-100, -(2.0**-100)
    assert_equals_definition(shim, "MatMul", {}, (a, b))


@EXAMPLES
@given(
    sizes=st.tuples(*[st.integers(1, 45)] * 3),
    layout=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    factors=st.tuples(*[st.sampled_from([1.0, 0.0, -0.5, 3.0])] * 2),
    c_shape=st.sampled_from(["absent", "scalar", "row", "column", "whole"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_gemm(
    shim: ctypes.CDLL,
    sizes: tuple[int, int, int],
    layout: tuple[bool, bool, bool],
    factors: tuple[float, float],
    c_shape: str,
    seed: int,
) -> None:
    rows, depth, columns = sizes
    transpose_a, transpose_b, b_is_constant = layout
    attributes: dict[str, AttributeValue] = {
        "transA": int(transpose_a),
        "transB": int(transpose_b),
        "alpha": np.float32(factors[0]),
        "beta": np.float32(factors[1]),
    }
    a = draw(seed, "float32", *((depth, rows) if transpose_a else (rows, depth)))
    b = draw(seed + 1, "float32", *((columns, depth) if transpose_b else (depth, columns)))
    shapes = {"scalar": (), "row": (columns,), "column": (rows, 1), "whole": (rows, columns)}
    c = None if c_shape == "absent" else draw(seed + 2, "float32", *shapes[c_shape])
    constants = (1,) if b_is_constant else ()
    assert_equals_definition(shim, "Gemm", attributes, (a, b, c), constants)


@EXAMPLES
@given(
    sizes=st.tuples(*[st.integers(1, 45)] * 3),
    dtypes=st.tuples(*[st.sampled_from(["int8", "uint8"])] * 2),
    stacks=st.sampled_from([((), ()), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((2,), (2,))]),
    zeros=st.tuples(*[st.sampled_from(["absent", "whole", "each"])] * 2),
    constant=st.sampled_from([(), (0,), (1,)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul_integer(
    shim: ctypes.CDLL,
    sizes: tuple[int, int, int],
    dtypes: tuple[str, str],
    stacks: tuple[tuple[int, ...], tuple[int, ...]],
    zeros: tuple[str, str],
    constant: tuple[int, ...],
    seed: int,
) -> None:
    rows, depth, columns = sizes
    a = draw(seed, dtypes[0], *stacks[0], rows, depth)
    b = draw(seed + 1, dtypes[1], *stacks[1], depth, columns)
    a_zero = zero_points(zeros[0], dtypes[0], rows, seed + 2)
    b_zero = zero_points(zeros[1], dtypes[1], columns, seed + 3)
    inputs = (a, b, a_zero, b_zero)
    assert_equals_definition(shim, "MatMulInteger", {}, inputs, (*constant, 2, 3))


def zero_points(kind: str, dtype: str, count: int, seed: int) -> Array | None:
    if kind == "absent":
        return None
    return draw(seed, dtype, *(() if kind == "whole" else (count,)))


@ROUNDING
@given(
    sizes=st.tuples(*[st.integers(1, 45)] * 3),
    dtypes=st.tuples(*[st.sampled_from(["int8", "uint8"])] * 3),
    per_column=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_qlinear_matmul(
    shim: ctypes.CDLL,
    sizes: tuple[int, int, int],
    dtypes: tuple[str, str, str],
    per_column: bool,
    seed: int,
) -> None:
    rows, depth, columns = sizes
    entries = (columns,) if per_column else ()
    scales = 2.0 ** np.random.default_rng(seed).integers(-6, 2, prod(entries))
    inputs = (
        draw(seed, dtypes[0], 2, rows, depth),
        np.array(0.5, np.float32),
        draw(seed + 1, dtypes[0]),
        draw(seed + 2, dtypes[1], depth, columns),
        scales.astype(np.float32).reshape(entries),
        draw(seed + 3, dtypes[1], *entries),
        np.array(32, np.float32),
        draw(seed + 4, dtypes[2]),
    )
    assert_equals_definition(shim, "QLinearMatMul", {}, inputs, (1, 2, 4, 5, 6, 7))


def test_a_long_integer_sum_of_extreme_values(shim: ctypes.CDLL) -> None:
    a = np.full((40, 33_000), 255, np.uint8)
    b = np.full((33_000, 33), -128, np.int8)
    b[:, 1] = 127
    b = np.where(np.arange(33_000)[:, None] % 2 == 0, b, b // 2).astype(np.int8)
    launched = assert_equals_definition(shim, "MatMulInteger", {}, (a, b), (1,))
    assert launched[-1] == "product_int8_wide"
