"""Elementwise operators, pooling, reductions and quantisation: hostile numbers, odd shapes."""

import ctypes

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import HOSTILE, draw, draw_hostile
from tests.unit.inference.cuda.equality import assert_equals_definition

EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
INTEGERS = ["int8", "uint8", "int32", "int64"]

BROADCASTS = [
    pytest.param((), (), id="scalars"),
    pytest.param((300,), (300,), id="one axis"),
    pytest.param((2, 3, 4), (2, 3, 4), id="all axes merge"),
    pytest.param((2, 3, 4), (3, 1), id="middle"),
    pytest.param((2, 1, 4, 1, 3, 1), (5, 1, 2, 1, 6), id="six axes alternate"),
    pytest.param((1, 1), (7, 1, 9), id="first is one element"),
    pytest.param((0, 3), (3,), id="nothing"),
]


def mixed(seed: int, dtype: str, *shape: int) -> Array:
    return draw_hostile(seed, *shape) if dtype == "float32" else draw(seed, dtype, *shape)


@pytest.mark.parametrize("dtype", ["float32", *INTEGERS])
@pytest.mark.parametrize("op", ["Add", "Mul"])
@pytest.mark.parametrize(("a", "b"), BROADCASTS)
def test_broadcasting(
    shim: ctypes.CDLL, op: str, dtype: str, a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    assert_equals_definition(shim, op, {}, (mixed(1, dtype, *a), mixed(2, dtype, *b)), (1,))


@pytest.mark.parametrize("op", ["Add", "Mul"])
def test_every_pair_of_hostile_numbers(shim: ctypes.CDLL, op: str) -> None:
    assert_equals_definition(shim, op, {}, (HOSTILE, HOSTILE[:, None]))


@pytest.mark.parametrize("dtype", ["float32", "int8", "int32", "int64"])
def test_relu(shim: ctypes.CDLL, dtype: str) -> None:
    assert_equals_definition(shim, "Relu", {}, (mixed(3, dtype, 5, 77),))


@pytest.mark.parametrize("bounds", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("dtype", ["float32", *INTEGERS])
def test_clip(shim: ctypes.CDLL, dtype: str, bounds: tuple[bool, bool]) -> None:
    for seed in range(20):
        low, high = (mixed(seed + i, dtype) if has else None for i, has in enumerate(bounds))
        inputs = (mixed(seed, dtype, 3, 99), low, high)
        assert_equals_definition(shim, "Clip", {}, inputs)
        assert_equals_definition(shim, "Clip", {}, inputs, (1, 2))


Axis = tuple[int, int, int, int, int, int]


def pooling_axes() -> st.SearchStrategy[list[Axis]]:
    """Length, kernel, stride, dilation, pad before, pad after; no window is all padding."""

    def axis(kernel: int) -> st.SearchStrategy[Axis]:
        pad = st.integers(0, kernel - 1)
        return st.tuples(
            st.integers(2 * kernel, 9 + kernel),
            st.just(kernel),
            st.integers(1, kernel),
            st.integers(1, 2),
            pad,
            pad,
        )

    return st.lists(st.integers(1, 4).flatmap(axis), min_size=1, max_size=3)


def pooling_attributes(axes: list[Axis]) -> dict[str, AttributeValue]:
    _, kernel, strides, dilations, before, after = zip(*axes, strict=True)
    return {
        "kernel_shape": kernel,
        "strides": strides,
        "dilations": dilations,
        "pads": (*before, *after),
    }


@EXAMPLES
@given(
    axes=pooling_axes(),
    dtype=st.sampled_from(["float32", "int8", "uint8"]),
    seed=st.integers(0, 2**31),
)
def test_max_pool(shim: ctypes.CDLL, axes: list[Axis], dtype: str, seed: int) -> None:
    x = mixed(seed, dtype, 2, 3, *(axis[0] for axis in axes))
    assert_equals_definition(shim, "MaxPool", pooling_attributes(axes), (x,))


@EXAMPLES
@given(
    axes=pooling_axes(),
    counts_pads=st.booleans(),
    hostile=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_average_pool(
    shim: ctypes.CDLL, axes: list[Axis], counts_pads: bool, hostile: bool, seed: int
) -> None:
    shape = (2, 3, *(axis[0] for axis in axes))
    x = draw_hostile(seed, *shape) if hostile else draw(seed, "float32", *shape)
    attributes = {**pooling_attributes(axes), "count_include_pad": int(counts_pads)}
    assert_equals_definition(shim, "AveragePool", attributes, (x,))


@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("count_include_pad", [0, 1])
def test_average_pool_of_more_than_one_chunk(
    shim: ctypes.CDLL, ceil_mode: int, count_include_pad: int
) -> None:
    attributes: dict[str, AttributeValue] = {
        "kernel_shape": (23, 25),
        "strides": (3, 4),
        "pads": (2, 1, 1, 3),
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
    }
    x = draw(5, "float32", 1, 2, 31, 30)
    assert_equals_definition(shim, "AveragePool", attributes, (x,))


@pytest.mark.parametrize("length", [1, 49, 255, 256, 257, 700])
def test_global_average_pool(shim: ctypes.CDLL, length: int) -> None:
    assert_equals_definition(shim, "GlobalAveragePool", {}, (draw(1, "float32", 2, 5, length),))
    hostile = draw_hostile(2, 2, 30, length, 1)
    assert_equals_definition(shim, "GlobalAveragePool", {}, (hostile,))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5), (2, 513, 3), (600, 1, 2)])
def test_softmax(shim: ctypes.CDLL, shape: tuple[int, ...], axis: int) -> None:
    attributes: dict[str, AttributeValue] = {"axis": axis}
    assert_equals_definition(shim, "Softmax", attributes, (draw(1, "float32", *shape),))
    assert_equals_definition(shim, "Softmax", attributes, (draw_hostile(2, *shape),))


def test_exponentials_of_every_magnitude(shim: ctypes.CDLL) -> None:
    steps = np.arange(-115 * 256, 256).astype(np.float32) / np.float32(256)
    tiny = -np.ldexp(np.float32(1), np.arange(-149, 8)).astype(np.float32)
    x = np.concatenate([steps, tiny])
    assert_equals_definition(shim, "Softmax", {"axis": 1}, (np.stack([x, 0 * x], axis=1),))


@pytest.mark.parametrize("select_last", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int32"])
def test_argmax(shim: ctypes.CDLL, dtype: str, axis: int, select_last: int) -> None:
    attributes: dict[str, AttributeValue] = {"axis": axis, "select_last_index": select_last}
    for seed in range(5):
        x = mixed(seed, dtype, 4, 9, 5) // 64 if dtype == "int8" else mixed(seed, dtype, 4, 9, 5)
        assert_equals_definition(shim, "ArgMax", attributes, (x,))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("axis", [0, 1, 2, None], ids=["axis 0", "axis 1", "axis 2", "whole"])
def test_quantize(shim: ctypes.CDLL, axis: int | None, dtype: str) -> None:
    shape = (3, 4, 50)
    entries = () if axis is None else (shape[axis],)
    scale = np.asarray(np.abs(draw(1, "float32", *entries)) + 1, np.float32)
    zero = draw(2, dtype, *entries)
    attributes: dict[str, AttributeValue] = {"axis": axis or 0}
    halves = (draw(3, "int8", *shape).astype(np.float32) / 2 * 3).astype(np.float32)
    for x in (draw_hostile(4, *shape), halves, draw(5, "float32", *shape) * 100):
        ones = np.ones(entries, np.float32)
        for by in (scale, ones):
            assert_equals_definition(
                shim, "QuantizeLinear", attributes, (x.astype(np.float32), by, zero), (1, 2)
            )


@pytest.mark.parametrize(
    ("op", "dtype"), [("QuantizeLinear", "float32"), ("DequantizeLinear", "int8")]
)
def test_scales_without_zero_points_have_as_many_zeros(
    shim: ctypes.CDLL, op: str, dtype: str
) -> None:
    scale = np.abs(draw(1, "float32", 300)) + np.float32(1)
    assert_equals_definition(shim, op, {"axis": 1}, (draw(2, dtype, 2, 300), scale), (1,))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
@pytest.mark.parametrize("axis", [0, 1, 2, None], ids=["axis 0", "axis 1", "axis 2", "whole"])
def test_dequantize(shim: ctypes.CDLL, axis: int | None, dtype: str) -> None:
    shape = (3, 4, 50)
    entries = () if axis is None else (shape[axis],)
    scale = np.asarray(np.abs(draw(1, "float32", *entries)) + 1e-30, np.float32)
    zero = None if dtype == "int32" else draw(2, dtype, *entries)
    inputs = (draw(3, dtype, *shape), scale, zero)
    assert_equals_definition(shim, "DequantizeLinear", {"axis": axis or 0}, inputs, (1, 2))
