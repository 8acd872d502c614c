"""Each rule on operands refuses the node that breaks it, and says which rule and value."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from tests.unit.inference.operators.nodes import Operand, const, f32, node, spec_of, t

W = np.ones((2, 4, 3, 3), np.float32)
X = t("float32", 1, 4, 5, 5)


def conv(
    attributes: dict[str, AttributeValue], x: Operand = X, w: Operand = W, *rest: Operand
) -> NodeView:
    return node("Conv", x, w, *rest, attributes=attributes)


COUNTS = [
    pytest.param(node("Add", X), "operand count", "x", id="Add of one"),
    pytest.param(node("Relu", X, X), "operand count", "xx", id="Relu of two"),
    pytest.param(node("Relu"), "operand count", "none", id="Relu of none"),
    pytest.param(node("Gemm", None, W), "operand count", "-x", id="Gemm without a"),
    pytest.param(node("Clip", X, None, f32(1), f32(1)), "operand count", "x-xx", id="Clip of four"),
    pytest.param(node("Flatten", None), "operand count", "-", id="Flatten of nothing"),
]

DTYPES = (
    [
        pytest.param(
            node(op, t(dtype, 2, 2), t(dtype, 2, 2)), "operand dtype", dtype, id=f"{op} {dtype}"
        )
        for op, dtype in [
            ("Add", "float64"),
            ("Mul", "uint64"),
            ("MatMul", "int32"),
            ("Gemm", "float16"),
            ("MatMulInteger", "int32"),
            ("ConvInteger", "float32"),
            ("Conv", "uint8"),
        ]
    ]
    + [
        pytest.param(
            node(op, t(dtype, 1, 2, 2), attributes={"kernel_shape": (1,)}),
            "operand dtype",
            dtype,
            id=f"{op} {dtype}",
        )
        for op, dtype in [
            ("Relu", "uint8"),
            ("Softmax", "int8"),
            ("ArgMax", "int64"),
            ("MaxPool", "int32"),
            ("AveragePool", "uint8"),
            ("GlobalAveragePool", "int8"),
            ("Clip", "int16"),
        ]
    ]
    + [
        pytest.param(
            node("Add", t("float32", 2), t("int8", 2)),
            "operand dtype",
            "int8",
            id="Add of two dtypes",
        ),
        pytest.param(
            node("Clip", t("int8", 2), f32(1)),
            "operand dtype",
            "float32",
            id="Clip bound of another dtype",
        ),
        pytest.param(
            node("QuantizeLinear", t("int32", 2), f32(1)),
            "operand dtype",
            "int32",
            id="QuantizeLinear int32",
        ),
        pytest.param(
            node("DequantizeLinear", t("int16", 2), f32(1)),
            "operand dtype",
            "int16",
            id="DequantizeLinear int16",
        ),
        pytest.param(
            node("QuantizeLinear", t("float32", 2), f32(1), const("int16", 0)),
            "operand dtype",
            "int16",
            id="QuantizeLinear to int16",
        ),
        pytest.param(
            node("DequantizeLinear", t("int8", 2), f32(1), const("uint8", 0)),
            "operand dtype",
            "uint8",
            id="zero point of another dtype",
        ),
        pytest.param(
            node("Reshape", X, const("int32", [4])), "operand dtype", "int32", id="Reshape by int32"
        ),
    ]
)

SHAPES = [
    pytest.param(
        node("Add", t("float32", 2, 3), t("float32", 4)),
        "operand shape",
        "[2, 3] and [4]",
        id="no broadcast",
    ),
    pytest.param(
        node("MatMul", t("float32", 2, 3), t("float32", 4, 2)),
        "operand shape",
        "depth 3 against 4",
        id="MatMul depth",
    ),
    pytest.param(
        node("MatMul", t("float32"), t("float32", 4, 2)),
        "operand shape",
        "scalar",
        id="MatMul of a scalar",
    ),
    pytest.param(
        node("MatMul", t("float32", 2, 1, 1), t("float32", 3, 1, 1)),
        "operand shape",
        "[2] and [3]",
        id="MatMul batches",
    ),
    pytest.param(
        node("MatMul", t("float32", 0), t("float32", 0)),
        "operand shape",
        "float32[0]",
        id="MatMul of nothing",
    ),
    pytest.param(
        node("Gemm", t("float32", 2, 3), t("float32", 2, 3)),
        "operand shape",
        "depth 3 against 2",
        id="Gemm depth",
    ),
    pytest.param(
        node("Gemm", t("float32", 2, 3, 1), t("float32", 3, 3)),
        "operand shape",
        "float32[2,3,1]",
        id="Gemm of rank 3",
    ),
    pytest.param(
        node("Gemm", t("float32", 1, 3), t("float32", 3, 4), t("float32", 2, 4)),
        "operand shape",
        "[2, 4]",
        id="Gemm c would stretch the result",
    ),
    pytest.param(
        node("Gemm", t("float32", 1, 3), t("float32", 3, 4), t("float32", 1, 1, 4)),
        "operand shape",
        "[1, 1, 4]",
        id="Gemm c of rank 3",
    ),
    pytest.param(
        node("Clip", X, t("float32", 1)),
        "operand shape",
        "float32[1]",
        id="Clip bound that is no scalar",
    ),
    pytest.param(
        conv({}, t("float32", 1, 4, 5)), "operand shape", "float32[1,4,5]", id="Conv ranks differ"
    ),
    pytest.param(
        conv({}, t("float32", 1, 4), np.ones((2, 4), np.float32)),
        "operand shape",
        "float32[1,4]",
        id="Conv without spatial axes",
    ),
    pytest.param(
        conv({}, t("float32", 1, 4, 5, 5, 5, 5), np.ones((2, 4, 1, 1, 1, 1), np.float32)),
        "operand shape",
        "1 to 3 spatial",
        id="Conv with four",
    ),
    pytest.param(
        conv({}, t("float32", 1, 4, 2, 5)),
        "operand shape",
        "extent 3",
        id="kernel larger than the input",
    ),
    pytest.param(
        conv({}, t("float32", 1, 4, 0, 5)),
        "operand shape",
        "float32[1,4,0,5]",
        id="Conv of nothing",
    ),
    pytest.param(
        conv({}, X, W, f32(1, 2, 3)),
        "operand shape",
        "float32[3]",
        id="Conv bias of another length",
    ),
    pytest.param(
        node("MaxPool", t("float32", 1, 4), attributes={"kernel_shape": ()}),
        "operand shape",
        "1 to 3",
        id="MaxPool without spatial axes",
    ),
    pytest.param(
        node("GlobalAveragePool", t("float32", 1, 4)),
        "operand shape",
        "float32[1,4]",
        id="GlobalAveragePool without",
    ),
    pytest.param(
        node("Softmax", t("float32", 2, 0)),
        "operand shape",
        "float32[2,0]",
        id="Softmax of nothing",
    ),
    pytest.param(
        node("ArgMax", t("float32", 0)), "operand shape", "float32[0]", id="ArgMax of nothing"
    ),
    pytest.param(
        node("Reshape", X, const("int64", [[4]])),
        "operand shape",
        "int64[1,1]",
        id="Reshape by a matrix",
    ),
    pytest.param(
        node("Reshape", X, const("int64", [1] * 7)),
        "operand shape",
        "int64[7]",
        id="Reshape to rank 7",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 2, 3), f32(1, 2)),
        "operand shape",
        "3 values",
        id="scales against the axis",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 2), f32(1), const("uint8", [0])),
        "operand shape",
        "uint8[1]",
        id="zero point shaped unlike the scale",
    ),
    pytest.param(
        node(
            "QuantizeLinear",
            t("float32", 2, 4),
            np.ones((2, 2), np.float32),
            attributes={"axis": 0},
        ),
        "operand shape",
        "(2, 2)",
        id="scale of rank 2",
    ),
]

CONSTANTS = [
    pytest.param(
        node("Conv", X, t("float32", 2, 4, 3, 3)),
        "constant operand",
        "weights",
        id="run-time Conv weights",
    ),
    pytest.param(
        node("ConvInteger", t("uint8", 1, 1, 3), t("int8", 1, 1, 3)),
        "constant operand",
        "weights",
        id="run-time ConvInteger weights",
    ),
    pytest.param(
        node("Reshape", X, t("int64", 1)), "constant operand", "shape", id="run-time Reshape shape"
    ),
    pytest.param(
        node("QuantizeLinear", X, t("float32")),
        "constant operand",
        "scale",
        id="run-time QuantizeLinear scale",
    ),
    pytest.param(
        node("QuantizeLinear", X, f32(1), t("int8")),
        "constant operand",
        "zero point",
        id="run-time QuantizeLinear zero point",
    ),
    pytest.param(
        node("DequantizeLinear", t("int8", 1), t("float32")),
        "constant operand",
        "scale",
        id="run-time DequantizeLinear scale",
    ),
    pytest.param(
        node("MatMulInteger", t("int8", 1, 1), t("int8", 1, 1), t("int8")),
        "constant operand",
        "zero point",
        id="run-time MatMulInteger zero point",
    ),
]

VALUES = [
    pytest.param(
        node(
            "Reshape",
            t("float32", 2, 3),
            const("int64", lengths),
            attributes={"allowzero": allow_zero},
        ),
        "operand value",
        "[",
        id=f"{lengths}",
    )
    for lengths, allow_zero in [
        ([4, 2], 0),
        ([-1, -1], 0),
        ([-2, 3], 0),
        ([-1, 4], 0),
        ([2, 3, 0], 0),
        ([0, -1], 1),
        ([0, 3], 1),
        ([], 0),
        ([2**62, 4], 0),
    ]
]

ALL = [*COUNTS, *DTYPES, *SHAPES, *CONSTANTS, *VALUES]


@pytest.mark.parametrize(("view", "rule", "value"), ALL)
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")
