"""Shapes that are not worth packing run term by term, in little memory, with the same bytes."""

import numpy as np
import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import (
    assert_equals_definition,
    draw,
    draw_finite,
    draw_hostile,
    one_node_graph,
)

LEVEL = "generic"
"""Kernels without tiles are the same at every level."""

FAR: dict[str, AttributeValue] = {"dilations": (2**19, 2**19), "pads": (2**19 - 1, 2**19 - 1, 0, 0)}
"""A 2 by 2 kernel whose padded image would have 2**38 elements."""

CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, AttributeValue]]] = [
    ("padded", (1, 3, 5, 6), (4, 3, 3, 3), {"pads": (1, 2, 1, 0)}),
    ("groups, strides", (2, 4, 7, 9), (6, 2, 2, 3), {"group": 2, "strides": (2, 3)}),
    ("one spatial axis", (1, 2, 12), (3, 2, 3), {"pads": (1, 1), "dilations": (2,)}),
]
SHAPES = [pytest.param(*case[1:], id=case[0]) for case in CONVOLUTIONS]


@pytest.fixture(name="unpacked")
def refuse_packing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no node take memory for panels."""
    monkeypatch.setattr(StepBuilder, "allows", lambda *_: False)


def called(op: str, attributes: dict[str, AttributeValue], inputs: list[Array]) -> list[str]:
    """Return the names of the functions that a plan calls; all inputs but 0 are constant."""
    graph = one_node_graph(op, attributes, inputs, set(range(1, len(inputs))))
    return [function.__name__ for function, _ in CpuBackend(LEVEL).plan(graph).calls()]


@pytest.mark.parametrize(("x", "w", "attributes"), SHAPES)
@pytest.mark.usefixtures("unpacked")
def test_convolutions(
    x: tuple[int, ...], w: tuple[int, ...], attributes: dict[str, AttributeValue]
) -> None:
    inputs = [draw_hostile(1, *x), draw_finite(2, *w), draw_finite(3, w[0])]
    assert_equals_definition(LEVEL, "Conv", attributes, inputs, {1})
    assert_equals_definition(LEVEL, "Conv", attributes, inputs[:2], {1})
    for x_type in ("int8", "uint8"):
        zeros = [draw(4, x_type), draw(5, "int8", w[0])]
        integers = [draw(6, x_type, *x), draw(7, "int8", *w), *zeros]
        assert_equals_definition(LEVEL, "ConvInteger", attributes, integers, {1, 2, 3})


@pytest.mark.usefixtures("unpacked")
def test_requantised_convolution() -> None:
    scale, zero = np.array(0.02, np.float32), np.array(7, np.uint8)
    inputs = [
        *(draw(8, "uint8", 1, 3, 6, 7), scale, zero, draw(9, "int8", 5, 3, 3, 3)),
        *(np.abs(draw(10, "float32", 5)) + np.float32(0.01), draw(11, "int8", 5)),
        *(np.array(3, np.float32), np.array(-3, np.int8), draw(12, "int32", 5) // np.int32(2**16)),
    ]
    assert_equals_definition(LEVEL, "QLinearConv", {}, inputs, set(range(1, 9)))


@pytest.mark.parametrize("constants", [(), (1,)], ids=["dynamic", "constant"])
@pytest.mark.usefixtures("unpacked")
def test_products(constants: tuple[int, ...]) -> None:
    inputs = [draw_hostile(13, 3, 1, 5, 9), draw_hostile(14, 2, 9, 7)]
    assert_equals_definition(LEVEL, "MatMul", {}, inputs, constants)
    integers = [draw(15, "uint8", 3, 1, 5, 9), draw(16, "int8", 2, 9, 7)]
    integers += [draw(17, "uint8", 5), draw(18, "int8", 7)]
    assert_equals_definition(LEVEL, "MatMulInteger", {}, integers, {*constants, 2, 3})
    gemm = [draw_hostile(19, 9, 4), draw_hostile(20, 6, 9), draw_hostile(21, 6)]
    assert_equals_definition(LEVEL, "Gemm", {"transA": 1, "transB": 1}, gemm, constants)


def test_far_dilation_takes_no_padded_image() -> None:
    inputs = [draw(22, "float32", 1, 1, 3, 3), draw(23, "float32", 2, 1, 2, 2)]
    assert called("Conv", FAR, inputs) == ["convolution_f32"]
    assert_equals_definition(LEVEL, "Conv", FAR, inputs, {1})
    integers = [draw(24, "int8", 1, 1, 3, 3), draw(25, "int8", 2, 1, 2, 2)]
    assert called("ConvInteger", FAR, integers) == ["convolution_int8"]
    assert_equals_definition(LEVEL, "ConvInteger", FAR, integers, {1})


def test_long_vectors_take_no_panels() -> None:
    inputs = [draw(26, "float32", 1, 2**18), draw(27, "float32", 2**18, 1)]
    assert called("MatMul", {}, inputs) == ["product_f32"]
    integers = [draw(28, "int8", 1, 2**16), draw(29, "int8", 2**16, 1)]
    assert called("MatMulInteger", {}, integers) == ["product_int8"]


def test_ordinary_shapes_are_packed() -> None:
    inputs = [draw(30, "float32", 1, 8, 9, 9), draw(31, "float32", 8, 8, 3, 3)]
    assert called("Conv", {"pads": (1, 1, 1, 1)}, inputs) == [
        "move_image",
        "fill_padding",
        "convolve",
        "restore_negative_zeros",
    ]
    depthwise = [draw(32, "float32", 1, 512, 5, 5), draw(33, "float32", 512, 1, 3, 3)]
    assert called("Conv", {"group": 512}, depthwise) == ["move_image", "convolve"]
    matrices = [draw(34, "float32", 1, 256), draw(35, "float32", 256, 10)]
    assert called("MatMul", {}, matrices) == ["pack_strided", "multiply"]
