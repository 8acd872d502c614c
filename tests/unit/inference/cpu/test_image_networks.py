"""Networks whose images lie in blocks of channels, and whose nodes are fused, keep every bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph
from cvm.inference.tensor_bytes import encode_tensor
from tests.unit.inference.cpu.image_networks import Network
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import draw, draw_hostile

SAME: dict[str, Any] = {"pads": [1, 1, 1, 1]}


def residual() -> Graph:
    net = Network((1, 3, 9, 11))
    x = net.node("Relu", net.conv("x", (32, 3, 3, 3), **SAME))
    y = net.node("Relu", net.conv(x, (16, 32, 1, 1)))
    y = net.node("Relu", net.conv(y, (16, 16, 3, 3), **SAME))
    y = net.node("Add", net.conv(y, (32, 16, 1, 1)), x)
    y = net.node("Relu", y)
    z = net.node("Add", net.conv(x, (48, 32, 1, 1)), net.conv(y, (48, 32, 3, 3), **SAME))
    return net.graph(z, y)


def depthwise() -> Graph:
    net = Network((2, 24, 8, 7))
    x = net.bounds(net.conv("x", (24, 1, 3, 3), group=24, **SAME), 0.0, 6.0)
    x = net.bounds(net.conv(x, (40, 24, 1, 1)), -1.0, 1.0)
    x = net.conv(x, (40, 1, 3, 3), group=40, strides=[2, 2], pads=[0, 1, 1, 0])
    return net.graph(net.node("Add", x, x))


def pools() -> Graph:
    net = Network((1, 2, 17, 17))
    x = net.node("Relu", net.conv("x", (20, 2, 3, 3), strides=[2, 2]))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.conv(x, (33, 20, 2, 2), dilations=[2, 1])
    return net.graph(net.node("GlobalAveragePool", x))


def many_pixels_pooled() -> Graph:
    net = Network((1, 1, 30, 30))
    return net.graph(net.node("GlobalAveragePool", net.conv("x", (18, 1, 3, 3))))


def read_plain_and_in_blocks() -> Graph:
    net = Network((1, 16, 6, 6))
    x = net.conv("x", (16, 16, 3, 3), **SAME)
    flat = net.node("ReduceSum", x, net.constant(np.array([2, 3], np.int64)))
    return net.graph(net.conv(x, (17, 16, 3, 3), **SAME), flat, x)


def elementwise() -> Graph:
    net = Network((1, 16, 6, 5))
    x = net.conv("x", (32, 16, 1, 1))
    x = net.node("Mul", x, net.node("Sigmoid", x))
    half = net.constant(np.array(0.5, np.float32))
    x = net.node("Mul", net.node("Abs", x), half)
    return net.graph(net.conv(x, (16, 32, 3, 3), **SAME))


def no_bias() -> Graph:
    net = Network((1, 16, 5, 5))
    x = net.node("Relu", net.conv("x", (16, 16, 3, 3), bias=False, **SAME))
    x = net.node("Add", net.conv(x, (16, 16, 3, 3), bias=False, **SAME), x)
    return net.graph(net.node("Relu", net.conv(x, (16, 16, 1, 1), bias=False)))


def groups() -> Graph:
    net = Network((1, 32, 6, 6))
    x = net.node("Relu", net.conv("x", (64, 16, 3, 3), group=2, **SAME))
    x = net.conv(x, (48, 32, 3, 3), group=2, **SAME)
    x = net.conv(x, (32, 24, 1, 1), group=2)
    return net.graph(net.conv(x, (64, 1, 3, 3), group=32))


def bounds_that_look_at_the_sign_of_a_zero() -> Graph:
    net = Network((1, 16, 4, 4))
    x = net.bounds(net.conv("x", (16, 16, 1, 1)), -0.0, 1.0)
    x = net.bounds(net.conv(x, (16, 16, 1, 1)), -1.0, 0.0)
    return net.graph(net.conv(net.bounds(x, 3.0, 2.0), (16, 16, 1, 1)))


def one_axis() -> Graph:
    net = Network((1, 16, 23))
    x = net.node("Relu", net.conv("x", (32, 16, 3), pads=[1, 1]))
    x = net.node("MaxPool", x, kernel_shape=[2], strides=[2])
    return net.graph(net.conv(x, (16, 32, 5), pads=[2, 2]))


NETWORKS = [
    residual,
    depthwise,
    pools,
    many_pixels_pooled,
    read_plain_and_in_blocks,
    elementwise,
    no_bias,
    groups,
    bounds_that_look_at_the_sign_of_a_zero,
    one_axis,
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("make", NETWORKS, ids=[make.__name__ for make in NETWORKS])
def test_networks_of_float32_images(level: str, make: Callable[[], Graph]) -> None:
    graph = make()
    shape = graph.inputs[0].type.shape
    small = draw(3, "float32", *shape) * np.float32(1e-38)
    plan, reference = CpuBackend(level).plan(graph), ReferenceBackend().plan(graph)
    for x in (draw(1, "float32", *shape), draw_hostile(2, *shape), small):
        with default_float_environment():
            expected = [encode_tensor(output) for output in reference.run([x])]
            assert [encode_tensor(output) for output in plan.run([x])] == expected


BYTES = "uint8 int8 uint8"


def quantised_residual() -> Graph:
    net = Network((1, 3, 9, 10), "uint8")
    x = net.quantised_conv("x", (24, 3, 3, 3), (7, 0), BYTES, strides=[2, 2], **SAME)
    x = net.node("MaxPool", x, kernel_shape=[2, 2])
    y = net.quantised_conv(x, (33, 24, 1, 1), (0, 9), BYTES)
    y = net.quantised_conv(y, (24, 33, 3, 3), (9, 3), BYTES, **SAME)
    total = net.node("Add", net.dequantised(y, 0.02, 3), net.dequantised(x, 0.03, 0))
    total = net.quantised(net.node("Relu", total), 0.025, 4)
    z = net.quantised_conv(total, (16, 24, 3, 3), (4, 1), BYTES)
    return net.graph(z, net.node("GlobalAveragePool", net.dequantised(total, 0.1, 4)))


def quantised_depthwise() -> Graph:
    net = Network((2, 20, 7, 6), "uint8")
    x = net.quantised_conv("x", (20, 1, 3, 3), (200, 100), BYTES, group=20, **SAME)
    x = net.quantised_conv(x, (48, 20, 1, 1), (100, 30), BYTES)
    x = net.quantised_conv(x, (48, 1, 3, 3), (30, 8), BYTES, group=48, strides=[2, 2], **SAME)
    return net.graph(net.quantised_conv(x, (32, 12, 1, 1), (8, 8), BYTES, group=4))


def signed_images() -> Graph:
    net = Network((1, 16, 6, 5), "int8")
    x = net.quantised_conv("x", (32, 16, 3, 3), (-3, 5), "int8 uint8 int8", **SAME)
    y = net.quantised_conv(x, (32, 16, 3, 3), (5, -9), "int8 int8 int8", group=2, **SAME)
    terms = net.dequantised(x, 0.5, 5, "int8"), net.dequantised(y, 0.25, -9, "int8")
    total = net.bounds(net.node("Add", *terms), -3.0, 8.0)
    total = net.quantised(total, 0.125, -1, "int8")
    return net.graph(net.quantised_conv(total, (16, 32, 1, 1), (-1, 0), "int8 uint8 uint8"))


def sums_of_infinities() -> Graph:
    net = Network((3, 7), "uint8")
    one, other = net.dequantised("x", 3e37, 128), net.dequantised("x", 2e38, 99)
    total = net.quantised(net.node("Add", one, other), 2e-38, 77)
    return net.graph(total, one)


QUANTISED = [quantised_residual, quantised_depthwise, signed_images, sums_of_infinities]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("make", QUANTISED, ids=[make.__name__ for make in QUANTISED])
def test_networks_of_bytes(level: str, make: Callable[[], Graph]) -> None:
    graph = make()
    given = graph.inputs[0].type
    plan, reference = CpuBackend(level).plan(graph), ReferenceBackend().plan(graph)
    for seed in (1, 2):
        x = draw(seed, given.dtype, *given.shape)
        with default_float_environment():
            expected = [encode_tensor(output) for output in reference.run([x])]
            assert [encode_tensor(output) for output in plan.run([x])] == expected


def test_a_sum_of_quantised_images_is_one_call() -> None:
    names = [function.__name__ for function, _ in CpuBackend().plan(quantised_residual()).calls()]
    assert names.count("add_quantised") == 1
    assert not {"combine", "relu_float", "quantise"} & set(names)


def test_what_follows_a_convolution_is_one_call_with_it() -> None:
    net = Network((1, 16, 9, 9))
    bias = net.constant(np.arange(16, dtype=np.float32) + 1)
    x = net.node("Conv", "x", net.constant(draw(1, "float32", 16, 16, 3, 3)), bias, **SAME)
    y = net.bounds(net.node("Add", net.conv(x, (16, 16, 1, 1)), x), 0.0, 6.0)
    calls = CpuBackend().plan(net.graph(net.conv(y, (16, 16, 1, 1)))).calls()
    names = [function.__name__ for function, _ in calls]
    assert names == ["move_image", "fill_padding", *["convolve"] * 3]
