"""Small ONNX files for tests, written with the onnx package and not with the code under test."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.tensor_type import Array

IR_VERSION = 10
FLOAT = TensorProto.FLOAT


def value(name: str, shape: Sequence[int | str], dtype: int = FLOAT) -> onnx.ValueInfoProto:
    """Return the declaration of a tensor."""
    return helper.make_tensor_value_info(name, dtype, list(shape))


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: dict[str, Array] | None = None,
) -> onnx.ModelProto:
    """Return a model of opset 21 with the weights as raw_data."""
    initializers = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=IR_VERSION
    )


def encoded(model: onnx.ModelProto) -> bytes:
    """Return the canonical bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def two_layers() -> onnx.ModelProto:
    """Return y = relu(x W + c) V for x (1, 3), W (3, 2), c (2), V (2, 2).

    W is 0 1 / 2 3 / 4 5, c is -20 0, V is 1 2 / 3 4.
    """
    weights: dict[str, Array] = {
        "w": np.arange(6, dtype=np.float32).reshape(3, 2),
        "c": np.array([-20, 0], dtype=np.float32),
        "v": np.array([[1, 2], [3, 4]], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "c"], ["h"], name="first"),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"], name="last"),
    ]
    return model_of(nodes, [value("x", (1, 3))], [value("y", (1, 2))], weights)
