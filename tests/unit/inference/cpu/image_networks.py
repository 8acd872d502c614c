"""Small networks of images, to meet every layout and everything that is fused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.graph import Graph
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import draw, draw_finite

TYPES = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "int8": TensorProto.INT8}


class Network:
    """Nodes and weights that grow; every method returns the name of a new value."""

    def __init__(self, shape: Sequence[int], dtype: str = "float32") -> None:
        self._input = helper.make_tensor_value_info("x", TYPES[dtype], list(shape))
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def constant(self, array: Array) -> str:
        """Add an initializer."""
        name = f"constant_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output."""
        name = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, shape: Sequence[int], bias: bool = True, **attributes: Any) -> str:
        """Add a convolution of finite weights, hostile ones among them."""
        seed = 1_000 + len(self._nodes)
        inputs = [x, self.constant(draw_finite(seed, *shape))]
        if bias:
            inputs.append(self.constant(draw_finite(seed + 1, shape[0])))
        return self.node("Conv", *inputs, **attributes)

    def number(self, value: float, dtype: str = "float32") -> str:
        """Add an initializer of one element."""
        return self.constant(np.array(value, dtype))

    def quantised_conv(
        self, x: str, shape: Sequence[int], zeros: tuple[int, int], types: str, **attributes: Any
    ) -> str:
        """Add a QLinearConv; `zeros` are those of x and y, `types` (three words) of x, w and y."""
        seed = 2_000 + len(self._nodes)
        x_type, w_type, y_type = types.split()
        depth = int(np.prod(shape[1:]))
        scales = np.abs(draw(seed, "float32", shape[0])) + np.float32(0.01)
        inputs = [
            *(x, self.number(1 / 64 / depth), self.number(zeros[0], x_type)),
            *(self.constant(draw(seed, w_type, *shape)), self.constant(scales)),
            self.constant(draw(seed, w_type, shape[0]) // np.array(64, w_type)),
            *(self.number(1.5), self.number(zeros[1], y_type)),
            self.constant(draw(seed, "int32", shape[0]) // np.int32(2**20)),
        ]
        return self.node("QLinearConv", *inputs, **attributes)

    def dequantised(self, x: str, scale: float, zero: int, dtype: str = "uint8") -> str:
        """Add a DequantizeLinear."""
        return self.node("DequantizeLinear", x, self.number(scale), self.number(zero, dtype))

    def quantised(self, x: str, scale: float, zero: int, dtype: str = "uint8") -> str:
        """Add a QuantizeLinear."""
        return self.node("QuantizeLinear", x, self.number(scale), self.number(zero, dtype))

    def bounds(self, x: str, low: float, high: float) -> str:
        """Add a Clip."""
        ends = [self.constant(np.array(end, np.float32)) for end in (low, high)]
        return self.node("Clip", x, *ends)

    def graph(self, *outputs: str) -> Graph:
        """Return the checked graph; the types of its outputs are inferred."""
        values = [
            helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in outputs
        ]
        body = helper.make_graph(self._nodes, "network", [self._input], values, self._weights)
        opset = [helper.make_opsetid("", 21)]
        model = helper.make_model(body, opset_imports=opset, ir_version=10)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        return parse_model(inferred.SerializeToString()).graph


SAME: dict[str, Any] = {"pads": [1, 1, 1, 1]}


def residual() -> Graph:
    """Add sums with an image that is read twice."""
    net = Network((1, 3, 9, 11))
    x = net.node("Relu", net.conv("x", (32, 3, 3, 3), **SAME))
    y = net.node("Relu", net.conv(x, (16, 32, 1, 1)))
    y = net.node("Relu", net.conv(y, (16, 16, 3, 3), **SAME))
    y = net.node("Add", net.conv(y, (32, 16, 1, 1)), x)
    y = net.node("Relu", y)
    z = net.node("Add", net.conv(x, (48, 32, 1, 1)), net.conv(y, (48, 32, 3, 3), **SAME))
    return net.graph(z, y)


def depthwise() -> Graph:
    """Convolve channels by themselves, in blocks that are not full."""
    net = Network((2, 24, 8, 7))
    x = net.bounds(net.conv("x", (24, 1, 3, 3), group=24, **SAME), 0.0, 6.0)
    x = net.bounds(net.conv(x, (40, 24, 1, 1)), -1.0, 1.0)
    x = net.conv(x, (40, 1, 3, 3), group=40, strides=[2, 2], pads=[0, 1, 1, 0])
    return net.graph(net.node("Add", x, x))


def pools() -> Graph:
    """Pool between convolutions."""
    net = Network((1, 2, 17, 17))
    x = net.node("Relu", net.conv("x", (20, 2, 3, 3), strides=[2, 2]))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.conv(x, (33, 20, 2, 2), dilations=[2, 1])
    return net.graph(net.node("GlobalAveragePool", x))


def many_pixels_pooled() -> Graph:
    """Average more pixels than a chunk of a sum has."""
    net = Network((1, 1, 30, 30))
    return net.graph(net.node("GlobalAveragePool", net.conv("x", (18, 1, 3, 3))))


def read_plain_and_in_blocks() -> Graph:
    """Read one image in both layouts."""
    net = Network((1, 16, 6, 6))
    x = net.conv("x", (16, 16, 3, 3), **SAME)
    flat = net.node("ReduceSum", x, net.constant(np.array([2, 3], np.int64)))
    return net.graph(net.conv(x, (17, 16, 3, 3), **SAME), flat, x)


def elementwise() -> Graph:
    """Run operators on every element between convolutions."""
    net = Network((1, 16, 6, 5))
    x = net.conv("x", (32, 16, 1, 1))
    x = net.node("Mul", x, net.node("Sigmoid", x))
    half = net.constant(np.array(0.5, np.float32))
    x = net.node("Mul", net.node("Abs", x), half)
    return net.graph(net.conv(x, (16, 32, 3, 3), **SAME))


def no_bias() -> Graph:
    """Convolve without a bias, so that a zero may be negative."""
    net = Network((1, 16, 5, 5))
    x = net.node("Relu", net.conv("x", (16, 16, 3, 3), bias=False, **SAME))
    x = net.node("Add", net.conv(x, (16, 16, 3, 3), bias=False, **SAME), x)
    return net.graph(net.node("Relu", net.conv(x, (16, 16, 1, 1), bias=False)))


def groups() -> Graph:
    """Convolve groups of channels that do and do not fill blocks."""
    net = Network((1, 32, 6, 6))
    x = net.node("Relu", net.conv("x", (64, 16, 3, 3), group=2, **SAME))
    x = net.conv(x, (48, 32, 3, 3), group=2, **SAME)
    x = net.conv(x, (32, 24, 1, 1), group=2)
    return net.graph(net.conv(x, (64, 1, 3, 3), group=32))


def bounds_that_look_at_the_sign_of_a_zero() -> Graph:
    """Bound by zeros."""
    net = Network((1, 16, 4, 4))
    x = net.bounds(net.conv("x", (16, 16, 1, 1)), -0.0, 1.0)
    x = net.bounds(net.conv(x, (16, 16, 1, 1)), -1.0, 0.0)
    return net.graph(net.conv(net.bounds(x, 3.0, 2.0), (16, 16, 1, 1)))


def one_axis() -> Graph:
    """Convolve and pool along one axis."""
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

BYTES = "uint8 int8 uint8"


def quantised_residual() -> Graph:
    """Add quantised images."""
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
    """Convolve bytes by channel, and in groups."""
    net = Network((2, 20, 7, 6), "uint8")
    x = net.quantised_conv("x", (20, 1, 3, 3), (200, 100), BYTES, group=20, **SAME)
    x = net.quantised_conv(x, (48, 20, 1, 1), (100, 30), BYTES)
    x = net.quantised_conv(x, (48, 1, 3, 3), (30, 8), BYTES, group=48, strides=[2, 2], **SAME)
    return net.graph(net.quantised_conv(x, (32, 12, 1, 1), (8, 8), BYTES, group=4))


def signed_images() -> Graph:
    """Convolve and add signed bytes."""
    net = Network((1, 16, 6, 5), "int8")
    x = net.quantised_conv("x", (32, 16, 3, 3), (-3, 5), "int8 uint8 int8", **SAME)
    y = net.quantised_conv(x, (32, 16, 3, 3), (5, -9), "int8 int8 int8", group=2, **SAME)
    terms = net.dequantised(x, 0.5, 5, "int8"), net.dequantised(y, 0.25, -9, "int8")
    total = net.bounds(net.node("Add", *terms), -3.0, 8.0)
    total = net.quantised(total, 0.125, -1, "int8")
    return net.graph(net.quantised_conv(total, (16, 32, 1, 1), (-1, 0), "int8 uint8 uint8"))


def sums_of_infinities() -> Graph:
    """Dequantise bytes to infinities."""
    net = Network((3, 7), "uint8")
    one, other = net.dequantised("x", 3e37, 128), net.dequantised("x", 2e38, 99)
    total = net.quantised(net.node("Add", one, other), 2e-38, 77)
    return net.graph(total, one)


QUANTISED = [quantised_residual, quantised_depthwise, signed_images, sums_of_infinities]
