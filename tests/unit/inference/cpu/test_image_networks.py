"""Networks whose images lie in blocks of channels, and whose nodes are fused, keep every bit."""

from collections.abc import Callable

import numpy as np
import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph
from cvm.inference.tensor_bytes import encode_tensor
from tests.unit.inference.cpu.image_networks import (
    NETWORKS,
    QUANTISED,
    SAME,
    Network,
    quantised_residual,
)
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import draw, draw_hostile


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
