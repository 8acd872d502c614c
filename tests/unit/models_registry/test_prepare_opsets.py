"""Files of opset 7 to 23 compute after `prepare` what onnxruntime computes of the original."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from cvm.inference.tensor_type import Array
from tests.unit.models_registry.prepared import (
    ordinary,
    prepare,
    ramp,
    run_original,
    run_prepared,
)

IMAGE = {"x": ramp(1, 4, 6, 5)}
MATRIX = {"x": ramp(3, 8)}

Nodes = tuple[list[onnx.NodeProto], dict[str, Array]]


def node(
    op_type: str, *inputs: str, outputs: tuple[str, ...] = ("y",), **attributes: Any
) -> onnx.NodeProto:
    return helper.make_node(op_type, ["x", *inputs], list(outputs), **attributes)


def lists(**values: list[int]) -> dict[str, Array]:
    return {name: np.array(numbers, np.int64) for name, numbers in values.items()}


def scalar(value: float) -> Array:
    return np.array(value, np.float32)


def axes_as(op_type: str, since: int, axes: list[int], **more: Any) -> Callable[[int], Nodes]:
    """Return a node whose axes are an attribute before an opset and an input from it on."""

    def build(opset: int) -> Nodes:
        if opset < since:
            return [node(op_type, axes=axes, **more)], {}
        return [node(op_type, "axes", **more)], lists(axes=axes)

    return build


def plain(
    op_type: str, *inputs: str, weights: Mapping[str, Array] | None = None, **attributes: Any
) -> Callable[[int], Nodes]:
    def build(_opset: int) -> Nodes:
        return [node(op_type, *inputs, **attributes)], dict(weights or {})

    return build


def clip(opset: int) -> Nodes:
    if opset < 11:
        return [node("Clip", min=-0.5, max=1.25)], {}
    return [node("Clip", "lo", "hi")], {"lo": scalar(-0.5), "hi": scalar(1.25)}


def clip_below(opset: int) -> Nodes:
    if opset < 11:
        return [node("Clip", max=0.5)], {}
    return [node("Clip", "", "hi")], {"hi": scalar(0.5)}


def dropout(opset: int) -> Nodes:
    if opset < 12:
        return [node("Dropout", ratio=0.3)], {}
    return [node("Dropout", "ratio")], {"ratio": scalar(0.3)}


def batch_norm(opset: int) -> Nodes:
    names = ("scale", "bias", "mean", "variance")
    weights = {name: ramp(4, least=0.5, most=2.0) * (i + 1) for i, name in enumerate(names)}
    return [node("BatchNormalization", *names, epsilon=1e-3)], weights


def spatial_batch_norm(opset: int) -> Nodes:
    nodes, weights = batch_norm(opset)
    if opset < 9:
        nodes[0].attribute.append(helper.make_attribute("spatial", 1))
    return nodes, weights


def slice_(opset: int) -> Nodes:
    starts, ends, axes = [1, -3], [4, 2**31 - 1], [1, 3]
    if opset < 10:
        return [node("Slice", starts=starts, ends=ends, axes=axes)], {}
    return [node("Slice", "s", "e", "a")], lists(s=starts, e=ends, a=axes)


def pad(opset: int) -> Nodes:
    pads = [0, 1, 0, 2, 0, 0, 1, 1]
    if opset < 11:
        return [node("Pad", pads=pads, value=1.5)], {}
    return [node("Pad", "p", "v")], {**lists(p=pads), "v": scalar(1.5)}


def reflect_pad(opset: int) -> Nodes:
    pads = [0, 0, 1, 2, 0, 0, 2, 1]
    if opset < 11:
        return [node("Pad", pads=pads, mode="reflect")], {}
    return [node("Pad", "p", mode="reflect")], lists(p=pads)


def top_k(opset: int) -> Nodes:
    outputs = ("y", "places")
    if opset < 10:
        return [node("TopK", k=3, outputs=outputs)], {}
    return [node("TopK", "k", outputs=outputs)], lists(k=[3])


def split_equally(opset: int) -> Nodes:
    outputs = ("a", "b")
    more: dict[str, Any] = {"num_outputs": 2} if opset >= 18 else {}
    nodes = [node("Split", outputs=outputs, axis=1, **more)]
    return [*nodes, helper.make_node("Concat", ["b", "a"], ["y"], axis=1)], {}


def split_unequally(opset: int) -> Nodes:
    outputs = ("a", "b")
    join = helper.make_node("Concat", ["b", "a"], ["y"], axis=1)
    if opset < 13:
        return [node("Split", outputs=outputs, axis=1, split=[1, 3]), join], {}
    return [node("Split", "lengths", outputs=outputs, axis=1), join], lists(lengths=[1, 3])


def enlarge(mode: str) -> Callable[[int], Nodes]:
    def build(opset: int) -> Nodes:
        scales = np.array([1, 1, 2, 3], np.float32)
        if opset < 9:
            return [node("Upsample", scales=scales.tolist(), mode=mode)], {}
        if opset < 10:
            return [node("Upsample", "s", mode=mode)], {"s": scales}
        if opset < 11:
            return [node("Resize", "s", mode=mode)], {"s": scales}
        # onnxruntime wants a roi in opset 11 and 12, as exporters wrote it then: without elements.
        return [node("Resize", "roi", "s", mode=mode)], {"s": scales, "roi": scales[:0]}

    return build


def resize_to_sizes(opset: int) -> Nodes:
    weights = {**lists(sizes=[1, 4, 9, 7]), "roi": np.zeros(0, np.float32)}
    return [node("Resize", "roi", "", "sizes", mode="nearest")], weights


def softmax_over(axis: int | None, op_type: str = "Softmax") -> Callable[[int], Nodes]:
    def build(_opset: int) -> Nodes:
        attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
        return [node(op_type, **attributes)], {}

    return build


def shape_arithmetic(_opset: int) -> Nodes:
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
        helper.make_node("Gather", ["shape", "one"], ["channels"], axis=0),
        helper.make_node("Concat", ["batch", "channels", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["y"]),
    ]
    return nodes, lists(zero=[0], one=[1], rest=[-1])


def lstm(_opset: int) -> Nodes:
    weights = {"w": ramp(1, 12, 4), "r": ramp(1, 12, 3), "b": ramp(1, 24)}
    return [node("LSTM", "w", "r", "b", hidden_size=3)], weights


GEMM = plain("Gemm", "w", "c", weights={"w": ramp(8, 5), "c": ramp(5)}, alpha=0.5, beta=2.0)
CONV = plain(
    "Conv", "w", "b", weights={"w": ramp(6, 2, 3, 3), "b": ramp(6)}, group=2, pads=[1, 1, 1, 1]
)
CONV_TRANSPOSE = plain("ConvTranspose", "w", weights={"w": ramp(4, 3, 3, 3)}, strides=[2, 2])


@dataclass(frozen=True)
class Case:
    """One way to write an operator, for the opsets that know it."""

    build: Callable[[int], Nodes]
    inputs: Mapping[str, Array]
    first: int = 7
    last: int = 23
    outputs: tuple[str, ...] = ("y",)


CASES = {
    "Conv": Case(CONV, IMAGE),
    "ConvTranspose": Case(CONV_TRANSPOSE, IMAGE),
    "Gemm": Case(GEMM, MATRIX),
    "MatMul": Case(plain("MatMul", "w", weights={"w": ramp(8, 5)}), MATRIX),
    "MaxPool": Case(plain("MaxPool", kernel_shape=[2, 3], strides=[2, 1]), IMAGE),
    "AveragePool": Case(plain("AveragePool", kernel_shape=[2, 2], pads=[1, 0, 1, 0]), IMAGE),
    "GlobalAveragePool": Case(plain("GlobalAveragePool"), IMAGE),
    "BatchNormalization": Case(batch_norm, IMAGE),
    "BatchNormalization spatial": Case(spatial_batch_norm, IMAGE),
    "InstanceNormalization": Case(
        plain("InstanceNormalization", "s", "b", weights={"s": ramp(4), "b": ramp(4)}), IMAGE
    ),
    "LRN": Case(plain("LRN", size=3, alpha=0.1), IMAGE),
    "LSTM": Case(lstm, {"x": ramp(5, 1, 4)}),
    "Relu": Case(plain("Relu"), IMAGE),
    "LeakyRelu": Case(plain("LeakyRelu", alpha=0.2), IMAGE),
    "PRelu": Case(plain("PRelu", "s", weights={"s": ramp(4, 1, 1)}), IMAGE),
    "Elu": Case(plain("Elu", alpha=0.7), IMAGE),
    "Selu": Case(plain("Selu"), IMAGE),
    "Sigmoid": Case(plain("Sigmoid"), IMAGE),
    "HardSigmoid": Case(plain("HardSigmoid", alpha=0.3), IMAGE),
    "Tanh": Case(plain("Tanh"), IMAGE),
    "Exp": Case(plain("Exp"), IMAGE),
    "Pow": Case(plain("Pow", "e", weights={"e": scalar(2.0)}), IMAGE),
    "Clip": Case(clip, IMAGE),
    "Clip above": Case(clip_below, IMAGE),
    "Dropout": Case(dropout, IMAGE),
    "Slice": Case(slice_, IMAGE),
    "Pad": Case(pad, IMAGE),
    "Pad reflect": Case(reflect_pad, IMAGE),
    "TopK": Case(top_k, MATRIX, outputs=("y", "places")),
    "Split": Case(split_equally, IMAGE),
    "Split unequal": Case(split_unequally, IMAGE),
    "Squeeze": Case(axes_as("Squeeze", 13, [0, 2]), {"x": ramp(1, 4, 1, 3)}),
    "Unsqueeze": Case(axes_as("Unsqueeze", 13, [0, 3]), MATRIX),
    "ReduceSum": Case(axes_as("ReduceSum", 13, [1, 2], keepdims=0), IMAGE),
    "ReduceMean": Case(axes_as("ReduceMean", 18, [2, 3], keepdims=1), IMAGE),
    "ReduceMax": Case(axes_as("ReduceMax", 18, [1]), IMAGE),
    "ReduceMin": Case(axes_as("ReduceMin", 18, [2], keepdims=0), IMAGE),
    "ReduceL2": Case(axes_as("ReduceL2", 18, [1, 3]), IMAGE),
    "ReduceLogSumExp": Case(axes_as("ReduceLogSumExp", 18, [1]), IMAGE),
    "ReduceSum all": Case(plain("ReduceSum", keepdims=0), IMAGE),
    "Upsample nearest": Case(enlarge("nearest"), IMAGE),
    "Upsample linear": Case(enlarge("linear"), IMAGE),
    "Resize to sizes": Case(resize_to_sizes, IMAGE, first=13),
    "Softmax": Case(softmax_over(None), MATRIX),
    "Softmax axis 1 of 4": Case(softmax_over(1), IMAGE),
    "Softmax axis 2 of 4": Case(softmax_over(2), IMAGE),
    "Softmax last axis": Case(softmax_over(3), IMAGE),
    "LogSoftmax axis 1 of 4": Case(softmax_over(1, "LogSoftmax"), IMAGE),
    "shape arithmetic": Case(shape_arithmetic, IMAGE),
    "Flatten": Case(plain("Flatten", axis=2), IMAGE),
    "Transpose": Case(plain("Transpose", perm=[0, 2, 3, 1]), IMAGE),
    "Gather": Case(plain("Gather", "i", weights=lists(i=[2, 0]), axis=1), IMAGE),
    "ArgMax": Case(plain("ArgMax", axis=1, keepdims=0), IMAGE),
    "DepthToSpace": Case(plain("DepthToSpace", blocksize=2), IMAGE),
    "Cast": Case(plain("Cast", to=6), IMAGE, first=9),
    "Expand": Case(plain("Expand", "s", weights=lists(s=[2, 3, 8])), MATRIX, first=8),
    "Where": Case(
        plain("Greater", "z", weights={"z": scalar(0.25)}), IMAGE, first=9
    ),
    "LayerNormalization": Case(
        plain("LayerNormalization", "s", "b", weights={"s": ramp(8), "b": ramp(8)}),
        MATRIX,
        first=17,
    ),
    "Gelu": Case(plain("Gelu", approximate="tanh"), MATRIX, first=20),
    "Celu": Case(plain("Celu", alpha=0.4), MATRIX, first=12),
    "Softsign": Case(plain("Softsign"), MATRIX),
    "ThresholdedRelu": Case(plain("ThresholdedRelu", alpha=0.6), MATRIX, first=10),
    "MeanVarianceNormalization": Case(plain("MeanVarianceNormalization"), IMAGE, first=9),
}  # fmt: skip
GRID = [
    pytest.param(name, opset, id=f"{name} opset {opset}")
    for name, case in CASES.items()
    for opset in range(case.first, case.last + 1)
]


@pytest.mark.parametrize(("name", "opset"), GRID)
def test_prepared_file_agrees_with_the_original(name: str, opset: int) -> None:
    case = CASES[name]
    nodes, weights = case.build(opset)
    model = ordinary(nodes, case.inputs, case.outputs, weights, opset=opset)
    found = run_prepared(prepare(model), case.inputs)
    for ours, theirs in zip(found, run_original(model, case.inputs), strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
