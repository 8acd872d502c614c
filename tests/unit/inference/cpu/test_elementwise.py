"""Elementwise, pooling, quantising and choosing kernels have the definition's bits."""

from collections.abc import Sequence

import numpy as np
import pytest

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    HOSTILE,
    assert_equals_definition,
    draw,
    draw_hostile,
)

LEVEL = LEVELS[-1]
"""These kernels are the same at every level."""

Attributes = dict[str, AttributeValue]


@pytest.mark.parametrize("op", ["Add", "Mul"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param((50, 6), (50, 6), id="same shape"),
        pytest.param((2, 3, 4, 5), (3, 1, 5), id="two axes repeat"),
        pytest.param((3, 1, 5, 1), (2, 1, 4, 1, 7), id="both repeat"),
        pytest.param((), (4, 7), id="scalar first"),
        pytest.param((4, 7), (1,), id="one value second"),
        pytest.param((2, 1, 3, 1, 2, 1), (1, 2, 1, 3, 1, 2), id="six axes, nothing merges"),
        pytest.param((0, 5), (5,), id="no elements"),
    ],
)
def test_binary_broadcasts(op: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert_equals_definition(LEVEL, op, {}, [draw_hostile(1, *a), draw_hostile(2, *b)])
    for dtype in ("int8", "uint8", "int32", "int64"):
        inputs = [draw(3, dtype, *a), draw(4, dtype, *b)]
        assert_equals_definition(LEVEL, op, {}, inputs, {1})


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_relu_of_integers(dtype: str) -> None:
    assert_equals_definition(LEVEL, "Relu", {}, [draw(5, dtype, 300)])


def test_relu_of_hostile_values() -> None:
    assert_equals_definition(LEVEL, "Relu", {}, [draw_hostile(6, 300)])


@pytest.mark.parametrize("low", [None, *HOSTILE[:9]], ids=str)
def test_clip_of_hostile_values_and_bounds(low: np.float32 | None) -> None:
    lower = None if low is None else np.array(low)
    for high in (None, *HOSTILE[:9]):
        upper = None if high is None else np.array(high)
        bounds = [lower, upper] if upper is not None else [lower] if lower is not None else []
        assert_equals_definition(LEVEL, "Clip", {}, [HOSTILE.copy(), *bounds])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_clip_of_integers(dtype: str) -> None:
    low, high = np.array(20, dtype), np.array(90, dtype)
    assert_equals_definition(LEVEL, "Clip", {}, [draw(7, dtype, 300), low, high], {1, 2})
    assert_equals_definition(LEVEL, "Clip", {}, [draw(7, dtype, 300), high, low])


POOLS: list[tuple[str, Attributes, tuple[int, ...]]] = [
    ("2 by 2", {"kernel_shape": (2, 2), "strides": (2, 2)}, (1, 3, 20, 31)),
    ("padded", {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)}, (2, 2, 9, 8)),
    (
        "dilated, rounded up",
        {"kernel_shape": (2, 3), "strides": (2, 1), "dilations": (3, 2), "ceil_mode": 1},
        (1, 2, 12, 11),
    ),
    ("one spatial axis", {"kernel_shape": (3,)}, (2, 3, 8)),
    ("three spatial axes", {"kernel_shape": (2, 2, 2)}, (1, 2, 4, 5, 3)),
]


@pytest.mark.parametrize(
    ("attributes", "shape"), [pytest.param(*case[1:], id=case[0]) for case in POOLS]
)
def test_pools(attributes: Attributes, shape: tuple[int, ...]) -> None:
    assert_equals_definition(LEVEL, "MaxPool", attributes, [draw_hostile(8, *shape)])
    for dtype in ("int8", "uint8"):
        assert_equals_definition(LEVEL, "MaxPool", attributes, [draw(9, dtype, *shape)])
    for x in (draw(10, "float32", *shape), draw_hostile(11, *shape)):
        assert_equals_definition(LEVEL, "AveragePool", attributes, [x])


@pytest.mark.parametrize("counts_padding", [0, 1])
def test_average_of_more_than_one_chunk(counts_padding: int) -> None:
    attributes: Attributes = {"kernel_shape": (20, 19), "pads": (1, 2, 3, 4), "ceil_mode": 1}
    attributes |= {"strides": (2, 3), "count_include_pad": counts_padding}
    assert_equals_definition(LEVEL, "AveragePool", attributes, [draw(12, "float32", 1, 2, 40, 31)])


@pytest.mark.parametrize("shape", [(2, 3, 20, 31), (1, 2, 3), (1, 1, 2, 3, 4)], ids=str)
def test_global_average(shape: tuple[int, ...]) -> None:
    for x in (draw(13, "float32", *shape), draw_hostile(14, *shape)):
        assert_equals_definition(LEVEL, "GlobalAveragePool", {}, [x])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_softmax(axis: int) -> None:
    shape = [2, 3, 4]
    shape[axis] = 600
    for x in (draw(15, "float32", *shape), draw_hostile(16, *shape)):
        assert_equals_definition(LEVEL, "Softmax", {"axis": axis}, [x])


def test_exponentials_over_the_whole_range() -> None:
    x = np.linspace(-112, 0, 20_001, dtype=np.float32).reshape(-1, 1)
    pairs = np.concatenate([x, np.zeros_like(x)], axis=1)
    assert_equals_definition(LEVEL, "Softmax", {}, [pairs])


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_argmax(axis: int, last: int) -> None:
    attributes: Attributes = {"axis": axis, "select_last_index": last, "keepdims": last}
    values: Sequence[Array] = [draw_hostile(17, 5, 20, 6), draw(18, "int32", 5, 20, 6)]
    for x in (*values, draw(19, "int8", 5, 90, 6), draw(20, "uint8", 5, 90, 6)):
        assert_equals_definition(LEVEL, "ArgMax", attributes, [x])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_quantise(dtype: str) -> None:
    scales = np.array([0.1, 1, 2**-126, 3e30, 0.75], np.float32)
    zeros = draw(21, dtype, 5)
    for x in (draw(22, "float32", 3, 5, 7), draw_hostile(23, 3, 5, 7)):
        assert_equals_definition(LEVEL, "QuantizeLinear", {}, [x, scales, zeros], {1, 2})
    integers = draw(24, dtype, 3, 5, 7)
    assert_equals_definition(LEVEL, "DequantizeLinear", {}, [integers, scales, zeros], {1, 2})


def test_quantising_ties_go_to_the_even_integer() -> None:
    x = (np.arange(-700, 700) / 2).astype(np.float32)
    for zero in (np.array(1, np.int8), np.array(129, np.uint8)):
        inputs = [x, np.array(1, np.float32), zero]
        assert_equals_definition(LEVEL, "QuantizeLinear", {}, inputs, {1, 2})


def test_dequantise_int32() -> None:
    inputs = [draw(25, "int32", 300), np.array(0.1, np.float32)]
    assert_equals_definition(LEVEL, "DequantizeLinear", {}, inputs, {1})


@pytest.mark.parametrize("constants", [{1}, {0, 1}], ids=["a view", "a constant"])
def test_reshape(constants: set[int]) -> None:
    inputs = [draw_hostile(26, 3, 4, 5), np.array([5, -1])]
    assert_equals_definition(LEVEL, "Reshape", {}, inputs, constants)
    assert_equals_definition(LEVEL, "Flatten", {"axis": 2}, inputs[:1])
