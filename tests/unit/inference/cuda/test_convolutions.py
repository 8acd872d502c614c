"""Convolutions: one to three axes, groups, strides, pads, dilations, hostile numbers."""

import ctypes
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import draw, draw_finite, draw_hostile
from tests.unit.inference.cuda.equality import assert_equals_definition

EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Shape:
    """A convolution of images x channels, `rows` outputs per group."""

    images: int
    groups: int
    group_channels: int
    rows: int
    axes: tuple[tuple[int, int, int, int, int, int], ...]
    """By axis: spare length, kernel, stride, dilation, pad before, pad after."""

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        _, kernel, strides, dilations, before, after = zip(*self.axes, strict=True)
        return {
            "group": self.groups,
            "kernel_shape": kernel,
            "strides": strides,
            "dilations": dilations,
            "pads": (*before, *after),
        }

    @property
    def x(self) -> tuple[int, ...]:
        lengths = (
            max(1, spare + (kernel - 1) * dilation + 1 - before - after)
            for spare, kernel, _, dilation, before, after in self.axes
        )
        return (self.images, self.groups * self.group_channels, *lengths)

    @property
    def w(self) -> tuple[int, ...]:
        kernel = (axis[1] for axis in self.axes)
        return (self.groups * self.rows, self.group_channels, *kernel)


def shapes() -> st.SearchStrategy[Shape]:
    small = st.integers(0, 2)
    axis = st.tuples(
        st.integers(0, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), small, small
    )
    return st.builds(
        Shape,
        st.integers(1, 2),
        st.integers(1, 3),
        st.integers(1, 5),
        st.sampled_from([1, 2, 15, 16, 35]),
        st.lists(axis, min_size=1, max_size=3).map(tuple),
    )


@EXAMPLES
@given(shape=shapes(), hostile=st.booleans(), has_bias=st.booleans(), seed=st.integers(0, 2**31))
def test_conv(shim: ctypes.CDLL, shape: Shape, hostile: bool, has_bias: bool, seed: int) -> None:
    x = draw_hostile(seed, *shape.x) if hostile else draw(seed, "float32", *shape.x)
    w = draw_finite(seed + 1, *shape.w) if hostile else draw(seed + 1, "float32", *shape.w)
    bias = draw(seed + 2, "float32", shape.w[0]) if has_bias else None
    assert_equals_definition(shim, "Conv", shape.attributes, (x, w, bias), (1,))


TILED = Shape(1, 1, 3, 20, ((9, 3, 1, 1, 1, 1), (9, 3, 1, 1, 1, 1)))
WIDE = Shape(2, 1, 3, 35, ((9, 3, 1, 1, 1, 1), (9, 3, 1, 1, 1, 1)))
VARIANTS = [
    pytest.param(Shape(1, 4, 1, 1, TILED.axes), "conv_f32_direct", id="depthwise"),
    pytest.param(TILED, "conv_f32_small_padded", id="small, padded"),
    pytest.param(WIDE, "conv_f32_wide_padded", id="wide, padded"),
    pytest.param(Shape(1, 1, 3, 20, ((4, 2, 1, 1, 0, 0),)), "conv_f32_small", id="small"),
    pytest.param(Shape(3, 1, 9, 35, ((30, 1, 1, 1, 0, 0),)), "conv_f32_wide", id="wide 1x1"),
]


@pytest.mark.parametrize("schedule", [0, 1, 2], ids=["forward", "backward", "shuffled"])
@pytest.mark.parametrize(("shape", "kernel"), VARIANTS)
def test_every_kernel_of_conv(shim: ctypes.CDLL, shape: Shape, kernel: str, schedule: int) -> None:
    x, w = draw_hostile(1, *shape.x), draw_finite(2, *shape.w)
    inputs = (x, w, draw(3, "float32", shape.w[0]))
    launched = assert_equals_definition(shim, "Conv", shape.attributes, inputs, (1,), schedule)
    assert launched == [kernel]


@pytest.mark.parametrize("sign", [1, -1], ids=["positive weights after", "negative weights after"])
@pytest.mark.parametrize("shape", [TILED, WIDE], ids=["small", "wide"])
def test_a_padded_tap_leaves_minus_zero_alone(shim: ctypes.CDLL, shape: Shape, sign: int) -> None:
    x = np.full(shape.x, 2.0**-100, np.float32)
    w = np.full(shape.w, sign, np.float32)
    w[:, :, :2, :2] = -(2.0**-100)
    assert_equals_definition(shim, "Conv", shape.attributes, (x, w), (1,))


def test_a_nan_with_the_bits_of_a_padded_tap_is_a_nan(shim: ctypes.CDLL) -> None:
    x = draw(1, "float32", *WIDE.x)
    x.view(np.uint32)[:, :, ::3, ::2] = 0x7FFFFFFF
    w = draw(2, "float32", *WIDE.w)
    assert_equals_definition(shim, "Conv", WIDE.attributes, (x, w), (1,))


def zero_points(kind: str, dtype: str, count: int, seed: int) -> Array | None:
    if kind == "absent":
        return None
    return draw(seed, dtype, *(() if kind == "whole" else (count,)))


@EXAMPLES
@given(
    shape=shapes(),
    dtypes=st.tuples(*[st.sampled_from(["int8", "uint8"])] * 2),
    x_zero=st.sampled_from(["absent", "whole"]),
    w_zero=st.sampled_from(["absent", "whole", "each"]),
    seed=st.integers(0, 2**31),
)
def test_conv_integer(
    shim: ctypes.CDLL,
    shape: Shape,
    dtypes: tuple[str, str],
    x_zero: str,
    w_zero: str,
    seed: int,
) -> None:
    inputs = (
        draw(seed, dtypes[0], *shape.x),
        draw(seed + 1, dtypes[1], *shape.w),
        zero_points(x_zero, dtypes[0], 1, seed + 2),
        zero_points(w_zero, dtypes[1], shape.w[0], seed + 3),
    )
    assert_equals_definition(shim, "ConvInteger", shape.attributes, inputs, (1, 2, 3))


@EXAMPLES
@given(
    shape=shapes(),
    dtypes=st.tuples(*[st.sampled_from(["int8", "uint8"])] * 3),
    per_channel=st.booleans(),
    has_bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_qlinear_conv(
    shim: ctypes.CDLL,
    shape: Shape,
    dtypes: tuple[str, str, str],
    per_channel: bool,
    has_bias: bool,
    seed: int,
) -> None:
    channels = shape.w[0]
    entries = (channels,) if per_channel else ()
    scales = 2.0 ** np.random.default_rng(seed).integers(-6, 2, entries)
    inputs = (
        draw(seed, dtypes[0], *shape.x),
        np.array(0.5, np.float32),
        draw(seed + 1, dtypes[0]),
        draw(seed + 2, dtypes[1], *shape.w),
        np.asarray(scales, np.float32),
        draw(seed + 3, dtypes[1], *entries),
        np.array(8, np.float32),
        draw(seed + 4, dtypes[2]),
        draw(seed + 5, "int32", channels) // 1024 if has_bias else None,
    )
    constants = range(1, 9)
    assert_equals_definition(shim, "QLinearConv", shape.attributes, inputs, constants)
