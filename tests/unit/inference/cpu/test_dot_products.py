"""Dot products of every kernel and feature level have the definition's bits."""

import numpy as np
import pytest

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    assert_equals_definition,
    draw,
    draw_finite,
    draw_hostile,
)

pytestmark = pytest.mark.parametrize("level", LEVELS)

ODD_SIZES = [
    pytest.param(1, 1, 1, id="one term"),
    pytest.param(1, 300, 65, id="one row, three panels"),
    pytest.param(3, 17, 5, id="less than a tile"),
    pytest.param(8, 64, 32, id="one whole tile of avx512"),
    pytest.param(9, 31, 33, id="one more than a tile of avx512"),
    pytest.param(4, 16, 24, id="one whole tile of avx2"),
    pytest.param(13, 5, 49, id="odd everything"),
]

CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, AttributeValue]]] = [
    ("3 by 3 padded", (1, 3, 9, 11), (7, 3, 3, 3), {"pads": (1, 1, 1, 1)}),
    ("pointwise", (1, 16, 8, 8), (40, 16, 1, 1), {}),
    ("pointwise, stride 2", (1, 5, 7, 9), (9, 5, 1, 1), {"strides": (2, 2)}),
    ("asymmetric", (1, 4, 19, 23), (10, 4, 3, 2), {"pads": (2, 1, 0, 1), "strides": (2, 3)}),
    ("dilated", (1, 2, 12, 13), (5, 2, 3, 3), {"dilations": (2, 3), "pads": (2, 3, 2, 3)}),
    ("groups", (1, 6, 9, 10), (10, 3, 3, 3), {"group": 2, "pads": (1, 1, 1, 1)}),
    ("depthwise", (1, 5, 9, 10), (5, 1, 3, 3), {"group": 5, "pads": (1, 1, 1, 1)}),
    ("two images", (2, 3, 6, 7), (4, 3, 3, 3), {"pads": (1, 0, 0, 1)}),
    ("one spatial axis", (1, 4, 40), (10, 4, 5), {"pads": (1, 2), "strides": (2,)}),
    ("three spatial axes", (1, 2, 4, 5, 6), (3, 2, 2, 2, 2), {"pads": (1, 0, 1, 0, 1, 0)}),
    ("seven by seven, 49 columns", (1, 8, 7, 7), (17, 8, 3, 3), {"pads": (1, 1, 1, 1)}),
    ("kernel wider than the image", (1, 2, 3, 3), (3, 2, 5, 5), {"pads": (2, 2, 2, 2)}),
]
SHAPES = [pytest.param(*case[1:], id=case[0]) for case in CONVOLUTIONS]


@pytest.mark.parametrize(("m", "k", "n"), ODD_SIZES)
@pytest.mark.parametrize("constant", [(), (0,), (1,)], ids=["dynamic", "left", "right"])
def test_matmul_sizes(level: str, constant: tuple[int, ...], m: int, k: int, n: int) -> None:
    inputs = [draw(1, "float32", m, k), draw(2, "float32", k, n)]
    assert_equals_definition(level, "MatMul", {}, inputs, constant)


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [
        pytest.param((3, 7, 50), (50, 45), id="a stack by one matrix"),
        pytest.param((3, 1, 7, 20), (2, 20, 45), id="stacks that broadcast"),
        pytest.param((20,), (2, 20, 9), id="a vector by a stack"),
        pytest.param((4, 6, 20), (20,), id="a stack by a vector"),
        pytest.param((2, 3, 4), (1, 1, 4, 5), id="a stack of one"),
    ],
)
def test_matmul_stacks(level: str, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> None:
    inputs = [draw(3, "float32", *a_shape), draw(4, "float32", *b_shape)]
    assert_equals_definition(level, "MatMul", {}, inputs, {1})


def test_matmul_of_hostile_values(level: str) -> None:
    inputs = [draw_hostile(5, 21, 6), draw_hostile(6, 6, 70)]
    assert_equals_definition(level, "MatMul", {}, inputs)


def test_matmul_of_40_000_terms_that_cancel(level: str) -> None:
    a = draw(7, "float32", 2, 40_000)
    a[:, 1::2] = -a[:, ::2]
    b = np.repeat(draw(8, "float32", 20_000, 3), 2, axis=0)
    b[1::2] *= np.float32(1 + 2**-20)
    assert_equals_definition(level, "MatMul", {}, [a, b], {1})


@pytest.mark.parametrize("c", [(), (10,), (5, 1), (1, 10), (5, 10), None], ids=str)
@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm(level: str, transposed: int, c: tuple[int, ...] | None) -> None:
    a_shape, b_shape = ((33, 5), (10, 33)) if transposed else ((5, 33), (33, 10))
    inputs: list[Array | None] = [draw(9, "float32", *a_shape), draw(10, "float32", *b_shape)]
    if c is not None:
        inputs.append(draw(11, "float32", *c))
    attributes: dict[str, AttributeValue] = {"transA": transposed, "transB": transposed}
    factors = {"alpha": np.float32(0.3), "beta": np.float32(-1.7)}
    assert_equals_definition(level, "Gemm", attributes, inputs, {1})
    assert_equals_definition(level, "Gemm", {**attributes, **factors}, inputs, {1, 2})


@pytest.mark.parametrize(("x", "w", "attributes"), SHAPES)
def test_conv(
    level: str, x: tuple[int, ...], w: tuple[int, ...], attributes: dict[str, AttributeValue]
) -> None:
    inputs = [draw(12, "float32", *x), draw(13, "float32", *w), draw(14, "float32", w[0])]
    assert_equals_definition(level, "Conv", attributes, inputs, {1})
    assert_equals_definition(level, "Conv", attributes, inputs[:2], {1})


@pytest.mark.parametrize(("x", "w", "attributes"), SHAPES)
def test_conv_of_hostile_values(
    level: str, x: tuple[int, ...], w: tuple[int, ...], attributes: dict[str, AttributeValue]
) -> None:
    inputs = [draw_hostile(15, *x), draw_finite(16, *w), draw_finite(17, w[0])]
    assert_equals_definition(level, "Conv", attributes, inputs, {1, 2})


@pytest.mark.parametrize("bias", [None, -0.0, 0.0], ids=["no bias", "bias -0", "bias +0"])
def test_a_padded_tap_keeps_an_accumulator_of_minus_zero(level: str, bias: float | None) -> None:
    x = -np.abs(draw(18, "float32", 1, 2, 6, 6)) * np.float32(1e-30)
    w = np.abs(draw(19, "float32", 5, 2, 3, 3)) * np.float32(1e-18)
    inputs = [x, w] if bias is None else [x, w, np.full(5, bias, np.float32)]
    assert_equals_definition(level, "Conv", {"pads": (1, 1, 1, 1)}, inputs, {1})


INTEGER_TYPES = [(a, b) for a in ("int8", "uint8") for b in ("int8", "uint8")]


@pytest.mark.parametrize(("a_type", "b_type"), INTEGER_TYPES)
@pytest.mark.parametrize("constant", [(2, 3), (0, 2, 3), (1, 2, 3)], ids=["dynamic", "a", "b"])
@pytest.mark.parametrize(("m", "k", "n"), ODD_SIZES)
def test_matmul_integer(
    level: str, a_type: str, b_type: str, constant: tuple[int, ...], m: int, k: int, n: int
) -> None:
    zeros = [draw(22, a_type, m), draw(23, b_type, n)]
    inputs = [draw(20, a_type, m, k), draw(21, b_type, k, n), *zeros]
    assert_equals_definition(level, "MatMulInteger", {}, inputs, constant)


@pytest.mark.parametrize(("a_type", "b_type"), INTEGER_TYPES)
def test_matmul_integer_stacks(level: str, a_type: str, b_type: str) -> None:
    inputs = [draw(24, a_type, 3, 1, 5, 19), draw(25, b_type, 2, 19, 35)]
    assert_equals_definition(level, "MatMulInteger", {}, inputs)


@pytest.mark.parametrize(("a_type", "b_type"), INTEGER_TYPES)
def test_matmul_integer_of_extremes_does_not_saturate(level: str, a_type: str, b_type: str) -> None:
    a, b = np.iinfo(a_type), np.iinfo(b_type)
    left = np.array([[a.min], [a.max]]).repeat(16_000, 1).astype(a_type)
    right = np.array([[b.min, b.max]]).repeat(16_000, 0).astype(b_type)
    assert_equals_definition(level, "MatMulInteger", {}, [left, right], {1})


@pytest.mark.parametrize(("x_type", "w_type"), INTEGER_TYPES)
@pytest.mark.parametrize(("x", "w", "attributes"), SHAPES)
def test_conv_integer(
    level: str,
    x_type: str,
    w_type: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    attributes: dict[str, AttributeValue],
) -> None:
    zeros = [draw(28, x_type), draw(29, w_type, w[0])]
    inputs = [draw(26, x_type, *x), draw(27, w_type, *w), *zeros]
    assert_equals_definition(level, "ConvInteger", attributes, inputs, {1, 2, 3})


@pytest.mark.parametrize(("x_type", "w_type"), INTEGER_TYPES)
@pytest.mark.parametrize("y_type", ["int8", "uint8"])
@pytest.mark.parametrize("symmetric", [True, False], ids=["symmetric", "asymmetric"])
def test_qlinear_conv(level: str, x_type: str, w_type: str, y_type: str, symmetric: bool) -> None:
    w_zero = np.zeros(9, w_type) if symmetric else draw(32, w_type, 9)
    inputs = [
        *(draw(30, x_type, 1, 7, 9, 11), np.array(0.02, np.float32), draw(31, x_type)),
        *(draw(33, w_type, 9, 7, 3, 3), np.abs(draw(34, "float32", 9)) + np.float32(0.01), w_zero),
        *(np.array(3.5, np.float32), draw(35, y_type), draw(36, "int32", 9) // np.int32(100_000)),
    ]
    attributes: dict[str, AttributeValue] = {"pads": (1, 2, 1, 0)}
    assert_equals_definition(level, "QLinearConv", attributes, inputs, set(range(1, 9)))


@pytest.mark.parametrize(("a_type", "b_type"), INTEGER_TYPES)
@pytest.mark.parametrize("m", [1, 11])
def test_qlinear_matmul(level: str, a_type: str, b_type: str, m: int) -> None:
    inputs = [
        *(draw(37, a_type, m, 37), np.array(0.02, np.float32), draw(38, a_type)),
        *(draw(39, b_type, 37, 41), np.abs(draw(40, "float32", 41)) + np.float32(0.01)),
        *(draw(41, b_type, 41), np.array(2.5, np.float32), draw(42, "int8")),
    ]
    assert_equals_definition(level, "QLinearMatMul", {}, inputs, set(range(1, 8)))


def test_requantising_ties_go_to_the_even_integer(level: str) -> None:
    a = np.arange(-128, 128).reshape(256, 1).astype(np.int8)
    one, half = np.array(1, np.float32), np.array(0.5, np.float32)
    b, zero = np.array([[1]], np.int8), np.zeros((), np.int8)
    inputs: list[Array] = [a, half, zero, b, one, zero, one, zero]
    assert_equals_definition(level, "QLinearMatMul", {}, inputs, set(range(1, 8)))
