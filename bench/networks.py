"""Builds the networks that are timed, as ONNX files with random weights of a fixed seed.

Shapes are those of the papers: ResNet-50 v1.5 (He et al. 2015, stride in the 3 x 3), MobileNetV2
(Sandler et al. 2018, width 1.0), and one encoder layer of the size of MiniLM-L6 (Wang et al. 2020:
hidden 384, 12 heads, 1,536 inner) on 128 tokens. Batch normalisation is already folded.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.tensor_type import Array

OPSET = 21
IR_VERSION = 10
SEED = 20_181


class NetworkBuilder:
    """Appends nodes and weights to one graph and names every value."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(SEED)
        self.count = 0

    def constant(self, array: Array, name: str) -> str:
        """Add an initializer."""
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def normal(self, shape: Sequence[int], scale: float) -> Array:
        """Return normal float32 weights of a standard deviation."""
        return (self._rng.standard_normal(shape) * scale).astype(np.float32)

    def node(self, op_type: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output and return that output's name."""
        self.count += 1
        output = f"{op_type.lower()}_{self.count}"
        self.nodes.append(
            helper.make_node(op_type, list(inputs), [output], name=output, **attributes)
        )
        return output

    def conv(
        self, x: str, channels: int, maps: int, size: int, stride: int = 1, group: int = 1
    ) -> str:
        """Add a padded convolution with bias."""
        fan_in = channels // group * size * size
        weights = self.normal((maps, channels // group, size, size), (2 / fan_in) ** 0.5)
        name = f"conv_{self.count + 1}"
        return self.node(
            "Conv",
            [
                x,
                self.constant(weights, f"{name}_w"),
                self.constant(self.normal((maps,), 0.1), f"{name}_b"),
            ],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[size // 2] * 4,
            group=group,
        )

    def dense(self, x: str, channels: int, maps: int) -> str:
        """Add a Gemm with bias."""
        name = f"gemm_{self.count + 1}"
        weights = self.normal((channels, maps), (1 / channels) ** 0.5)
        bias = self.constant(self.normal((maps,), 0.1), f"{name}_b")
        return self.node("Gemm", [x, self.constant(weights, f"{name}_w"), bias])

    def project(self, x: str, channels: int, maps: int) -> str:
        """Add MatMul and bias on the last axis, as transformers are exported."""
        name = f"matmul_{self.count + 1}"
        weights = self.normal((channels, maps), (1 / channels) ** 0.5)
        product = self.node("MatMul", [x, self.constant(weights, f"{name}_w")])
        bias = self.constant(self.normal((maps,), 0.1), f"{name}_b")
        return self.node("Add", [product, bias])

    def model(
        self, x: str, shape: Sequence[int], y: str, out_shape: Sequence[int]
    ) -> onnx.ModelProto:
        """Close the graph."""
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, list(shape))],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, list(out_shape))],
            self.weights,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )


def classify(builder: NetworkBuilder, x: str, channels: int) -> str:
    """Add global pooling and a classifier of 1,000 classes."""
    pooled = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])], axis=1)
    return builder.dense(pooled, channels, 1_000)


def resnet50() -> onnx.ModelProto:
    """Return ResNet-50 v1.5 on 224 x 224: 4.1 G multiply-accumulates."""
    builder = NetworkBuilder()
    x = builder.node("Relu", [builder.conv("x", 3, 64, 7, stride=2)])
    x = builder.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            x = bottleneck(builder, x, channels, width, stride)
            channels = 4 * width
    y = classify(builder, x, channels)
    return builder.model("x", (1, 3, 224, 224), y, (1, 1_000))


def bottleneck(builder: NetworkBuilder, x: str, channels: int, width: int, stride: int) -> str:
    """Add a residual block of 1 x 1, 3 x 3 and 1 x 1."""
    y = builder.node("Relu", [builder.conv(x, channels, width, 1)])
    y = builder.node("Relu", [builder.conv(y, width, width, 3, stride)])
    y = builder.conv(y, width, 4 * width, 1)
    if stride > 1 or channels != 4 * width:
        x = builder.conv(x, channels, 4 * width, 1, stride)
    return builder.node("Relu", [builder.node("Add", [x, y])])


def mobilenet_v2() -> onnx.ModelProto:
    """Return MobileNetV2 on 224 x 224: 0.3 G multiply-accumulates."""
    builder = NetworkBuilder()
    zero = builder.constant(np.array(0, np.float32), "zero")
    six = builder.constant(np.array(6, np.float32), "six")

    def relu6(x: str) -> str:
        return builder.node("Clip", [x, zero, six])

    x = relu6(builder.conv("x", 3, 32, 3, stride=2))
    channels = 32
    settings = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for expansion, maps, repeats, first_stride in settings:
        for index in range(repeats):
            stride = first_stride if index == 0 else 1
            x = inverted_residual(builder, relu6, x, (channels, maps, expansion, stride))
            channels = maps
    x = relu6(builder.conv(x, channels, 1_280, 1))
    return builder.model("x", (1, 3, 224, 224), classify(builder, x, 1_280), (1, 1_000))


def inverted_residual(
    builder: NetworkBuilder,
    relu6: Callable[[str], str],
    x: str,
    setting: tuple[int, int, int, int],
) -> str:
    """Add expansion, depthwise 3 x 3 and linear projection."""
    channels, maps, expansion, stride = setting
    width = channels * expansion
    y = x if expansion == 1 else relu6(builder.conv(x, channels, width, 1))
    y = relu6(builder.conv(y, width, width, 3, stride, group=width))
    y = builder.conv(y, width, maps, 1)
    return builder.node("Add", [x, y]) if stride == 1 and channels == maps else y


def encoder_layer(tokens: int = 128, hidden: int = 384, heads: int = 12) -> onnx.ModelProto:
    """Return one transformer encoder layer with post-normalisation and exact Gelu."""
    builder = NetworkBuilder()
    size = hidden // heads
    split = builder.constant(np.array([1, tokens, heads, size], np.int64), "split_shape")
    joined = builder.constant(np.array([1, tokens, hidden], np.int64), "joined_shape")

    def in_heads(x: str, order: Sequence[int]) -> str:
        return builder.node("Transpose", [builder.node("Reshape", [x, split])], perm=order)

    query = in_heads(builder.project("x", hidden, hidden), (0, 2, 1, 3))
    key = in_heads(builder.project("x", hidden, hidden), (0, 2, 3, 1))
    value = in_heads(builder.project("x", hidden, hidden), (0, 2, 1, 3))
    scale = builder.constant(np.array(size**-0.5, np.float32), "scale")
    scores = builder.node("Mul", [builder.node("MatMul", [query, key]), scale])
    mixed = builder.node("MatMul", [builder.node("Softmax", [scores], axis=-1), value])
    mixed = builder.node("Reshape", [builder.node("Transpose", [mixed], perm=(0, 2, 1, 3)), joined])
    x = normalise(
        builder, builder.node("Add", ["x", builder.project(mixed, hidden, hidden)]), hidden
    )
    inner = builder.node("Gelu", [builder.project(x, hidden, 4 * hidden)])
    y = builder.node("Add", [x, builder.project(inner, 4 * hidden, hidden)])
    return builder.model(
        "x", (1, tokens, hidden), normalise(builder, y, hidden), (1, tokens, hidden)
    )


def normalise(builder: NetworkBuilder, x: str, hidden: int) -> str:
    """Add a LayerNormalization over the last axis."""
    name = f"norm_{builder.count + 1}"
    scale = builder.constant(np.ones(hidden, np.float32), f"{name}_scale")
    bias = builder.constant(builder.normal((hidden,), 0.1), f"{name}_bias")
    return builder.node("LayerNormalization", [x, scale, bias], axis=-1, epsilon=1e-12)


NETWORKS: dict[str, Callable[[], onnx.ModelProto]] = {
    "resnet50": resnet50,
    "mobilenet_v2": mobilenet_v2,
    "encoder_layer": encoder_layer,
}
