"""Write the digit network as ONNX, opset 21: the float32 form and the int8 form.

Both take `image` uint8 [1, 1, 28, 28] and give `label` int64 [1], then `scores` [1, 10].
"""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from cvm.inference.model_checks import OPSET
from cvm.inference.tensor_type import Array
from models.numpy_cnn import Weights
from models.quantise_digits import (
    IMAGE_SCALE,
    QuantisedConv,
    QuantisedDigits,
    conv_weights,
    dense_weights,
)
from models_registry.cli.prepare.write_onnx import IR_VERSION

Constants = dict[str, Array]


def float32_model(weights: Weights) -> ModelProto:
    """Return image -> dequantise -> 2 x (conv, relu, pool) -> flatten -> gemm -> argmax."""
    constants: Constants = {
        "image_scale": np.array(IMAGE_SCALE),
        "image_zero": np.array(0, np.uint8),
        "conv1_w": conv_weights(weights, "conv1"),
        "conv1_b": weights["conv1_b"],
        "conv2_w": conv_weights(weights, "conv2"),
        "conv2_b": weights["conv2_b"],
        "dense_w": dense_weights(weights),
        "dense_b": weights["dense_b"],
    }
    nodes = [
        node("DequantizeLinear", "dequantize", ["image", "image_scale", "image_zero"], "pixels"),
        node("Conv", "conv1", ["pixels", "conv1_w", "conv1_b"], "sums1"),
        node("Relu", "relu1", ["sums1"], "active1"),
        max_pool("pool1", "active1", "pooled1"),
        node("Conv", "conv2", ["pooled1", "conv2_w", "conv2_b"], "sums2"),
        node("Relu", "relu2", ["sums2"], "active2"),
        max_pool("pool2", "active2", "pooled2"),
        node("Flatten", "flatten", ["pooled2"], "features"),
        node("Gemm", "dense", ["features", "dense_w", "dense_b"], "scores"),
        argmax("scores", "label"),
    ]
    return model("digits_float32", nodes, constants, TensorProto.FLOAT)


def int8_model(digits: QuantisedDigits) -> ModelProto:
    """Return image -> 2 x (qlinear conv with relu, pool) -> flatten -> matmul + bias -> argmax.

    `scores` are int32: the exact sums of the classifier, in units of `digits.score_unit`.
    """
    constants: Constants = {
        **conv_constants("conv1", digits.conv1, "image"),
        **conv_constants("conv2", digits.conv2, "pooled1"),
        "pooled2_scale": np.array(digits.conv2.output_scale),
        "zero": np.array(0, np.uint8),
        "dense_w": digits.dense_weights,
        "dense_b": digits.dense_bias,
    }
    nodes = [
        node("QLinearConv", "conv1", conv_inputs("conv1", "image", "pooled1"), "active1"),
        max_pool("pool1", "active1", "pooled1"),
        node("QLinearConv", "conv2", conv_inputs("conv2", "pooled1", "pooled2"), "active2"),
        max_pool("pool2", "active2", "pooled2"),
        node("Flatten", "flatten", ["pooled2"], "features"),
        node("MatMulInteger", "dense", ["features", "dense_w"], "sums"),
        node("Add", "bias", ["sums", "dense_b"], "scores"),
        argmax("scores", "label"),
    ]
    return model("digits_int8", nodes, constants, TensorProto.INT32)


def conv_constants(layer: str, conv: QuantisedConv, source: str) -> Constants:
    """Return the constants of one QLinearConv; scales of values are named after the value."""
    return {
        f"{source}_scale": np.array(conv.input_scale),
        f"{layer}_w": conv.weights,
        f"{layer}_w_scale": conv.weight_scales,
        f"{layer}_w_zero": np.zeros(len(conv.weights), np.int8),
        f"{layer}_b": conv.bias,
    }


def conv_inputs(layer: str, source: str, target: str) -> list[str]:
    """Return the nine inputs of a QLinearConv; `target` names the pooled value it leads to."""
    weights = [f"{layer}_w", f"{layer}_w_scale", f"{layer}_w_zero"]
    return [source, f"{source}_scale", "zero", *weights, f"{target}_scale", "zero", f"{layer}_b"]


def node(op: str, name: str, inputs: list[str], output: str) -> NodeProto:
    """Return a node with one output and no attributes."""
    return helper.make_node(op, inputs, [output], name=name)


def max_pool(name: str, source: str, output: str) -> NodeProto:
    """Return a 2x2 maximum of stride 2."""
    return helper.make_node(
        "MaxPool", [source], [output], name=name, kernel_shape=[2, 2], strides=[2, 2]
    )


def argmax(source: str, output: str) -> NodeProto:
    """Return the index of the largest score; the lowest index wins a tie."""
    return helper.make_node("ArgMax", [source], [output], name="argmax", axis=1, keepdims=0)


def model(name: str, nodes: list[NodeProto], constants: Constants, scores: int) -> ModelProto:
    """Return a self-contained model; `scores` is the element type of the second output."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 1, 28, 28])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("scores", scores, [1, 10]),
        ],
        [numpy_helper.from_array(value, label) for label, value in constants.items()],
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="cvm",
    )


def encode(proto: ModelProto) -> bytes:
    """Return the canonical bytes: parsing and serialising them again changes nothing."""
    return bytes(proto.SerializeToString(deterministic=True))
