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
