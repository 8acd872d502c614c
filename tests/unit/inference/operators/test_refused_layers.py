"""Reductions, norms, pools and recurrent layers refuse what breaks their rules, and say why."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from tests.unit.inference.operators.nodes import Operand, const, node, spec_of, t

X = t("float32", 2, 3, 4)

REDUCTIONS = [
    pytest.param(node("ReduceSum"), "operand count", "none", id="no data"),
    pytest.param(node("ReduceSum", t("uint8", 2)), "operand dtype", "uint8[2]", id="sum of uint8"),
    pytest.param(node("ReduceL2", t("bool", 2)), "operand dtype", "bool[2]", id="norm of bools"),
    pytest.param(node("ReduceMax", t("float32", 2, 0)), "operand shape", "[2,0]", id="no elements"),
    pytest.param(
        node("ReduceSum", X, t("int64", 1)), "constant operand", "axes", id="axes at run time"
    ),
    pytest.param(
        node("ReduceSum", X, const("int32", [0])), "operand dtype", "int32[1]", id="int32 axes"
    ),
    pytest.param(
        node("ReduceSum", X, const("int64", 0)), "operand shape", "int64[]", id="axes of rank 0"
    ),
    pytest.param(
        node("ReduceSum", X, const("int64", [0] * 7)), "operand shape", "int64[7]", id="seven axes"
    ),
    pytest.param(
        node("ReduceSum", X, const("int64", [3])), "operand value", "[3]", id="axis too large"
    ),
    pytest.param(
        node("ReduceSum", X, const("int64", [-4])), "operand value", "[-4]", id="axis too small"
    ),
    pytest.param(
        node("ReduceSum", X, const("int64", [1, -2])), "operand value", "[1, -2]", id="axis twice"
    ),
    pytest.param(
        node("ReduceMin", X, attributes={"keepdims": 2}), "attribute value", "2", id="keepdims 2"
    ),
    pytest.param(
        node("ReduceMin", X, attributes={"noop_with_empty_axes": np.float32(1)}),
        "attribute type",
        "noop_with_empty_axes",
        id="noop_with_empty_axes is a float",
    ),
]

C = t("float32", 3)
LN = "LayerNormalization"

NORMS = [
    pytest.param(node(LN, X), "operand count", "found x", id="no scale"),
    pytest.param(node(LN, X, t("float32", 3)), "operand shape", "[3]", id="scale of another shape"),
    pytest.param(
        node(LN, X, t("float32", 4), t("float32", 2, 2, 3, 4)),
        "operand shape",
        "[2, 2, 3, 4]",
        id="bias of more axes",
    ),
    pytest.param(node(LN, t("int32", 4), C), "operand dtype", "int32[4]", id="norm of integers"),
    pytest.param(
        node(LN, X, t("float32", 4), attributes={"stash_type": 11}),
        "attribute value",
        "found 11",
        id="float64 statistics",
    ),
    pytest.param(
        node(LN, X, t("float32", 4), attributes={"axis": 3}), "attribute value", "3", id="LN axis"
    ),
    pytest.param(
        node("InstanceNormalization", t("float32", 2, 3), C, C),
        "operand shape",
        "[2,3]",
        id="no spatial axis",
    ),
    pytest.param(
        node("InstanceNormalization", X, C, t("float32", 1)),
        "operand shape",
        "float32[1]",
        id="a bias for one channel",
    ),
    pytest.param(
        node("GroupNormalization", X, C, C), "attribute value", "num_groups 0", id="no num_groups"
    ),
    pytest.param(
        node("GroupNormalization", X, C, C, attributes={"num_groups": 2}),
        "attribute value",
        "num_groups 2",
        id="groups against the channels",
    ),
    pytest.param(
        node("GroupNormalization", X, C, C, attributes={"num_groups": 3, "stash_type": 10}),
        "attribute value",
        "found 10",
        id="float16 statistics",
    ),
    pytest.param(node("BatchNormalization", X, C, C, C), "operand count", "xxxx", id="no variance"),
    pytest.param(
        node("BatchNormalization", X, C, C, C, C, attributes={"training_mode": 1}),
        "attribute value",
        "training_mode",
        id="training",
    ),
    pytest.param(
        node("BatchNormalization", t("float32"), C, C, C, C),
        "operand shape",
        "float32[]",
        id="batch norm of a scalar",
    ),
    pytest.param(
        node("BatchNormalization", X, C, C, C, C, attributes={"epsilon": np.float32("nan")}),
        "attribute value",
        "nan",
        id="epsilon NaN",
    ),
    pytest.param(
        node("MeanVarianceNormalization", X),
        "operand value",
        "[0, 2, 3]",
        id="default axes of rank 3",
    ),
    pytest.param(node("LRN", X), "attribute value", "found 0", id="no size"),
    pytest.param(
        node("LRN", X, attributes={"size": 2**62}), "attribute value", str(2**62), id="huge size"
    ),
    pytest.param(
        node("GlobalMaxPool", t("float32", 2, 3)), "operand shape", "[2,3]", id="no plane to pool"
    ),
    pytest.param(
        node("GlobalLpPool", X, attributes={"p": 0}), "attribute value", "found 0", id="p of 0"
    ),
    pytest.param(
        node("LpPool", X, attributes={"kernel_shape": (2,), "p": -1}),
        "attribute value",
        "found -1",
        id="p below 0",
    ),
    pytest.param(
        node("DynamicQuantizeLinear", t("int8", 2)),
        "operand dtype",
        "int8[2]",
        id="quantised twice",
    ),
    pytest.param(
        node("LogSoftmax", t("float32")), "attribute value", "-1", id="LogSoftmax of a scalar"
    ),
]

IMAGE = t("float32", 1, 2, 4, 4)
WEIGHTS = np.ones((2, 3, 3, 3), np.float32)


def transposed(
    attributes: dict[str, AttributeValue], w: Operand = WEIGHTS, *rest: Operand
) -> NodeView:
    return node("ConvTranspose", IMAGE, w, *rest, attributes=attributes)


TRANSPOSED = [
    pytest.param(
        transposed({}, t("float32", 2, 3, 3, 3)),
        "constant operand",
        "weights",
        id="weights computed",
    ),
    pytest.param(
        transposed({}, np.ones((2, 3, 3), np.float32)), "operand shape", "[2,3,3]", id="rank of w"
    ),
    pytest.param(
        transposed({}, np.ones((3, 3, 3, 3), np.float32)),
        "attribute value",
        "[3,3,3,3]",
        id="rows of w",
    ),
    pytest.param(transposed({"group": 3}), "attribute value", "group 3", id="group of channels"),
    pytest.param(
        transposed({}, WEIGHTS, t("float32", 2)), "operand shape", "3 values", id="bias length"
    ),
    pytest.param(
        transposed({"kernel_shape": (2, 2)}), "attribute value", "(2, 2)", id="kernel_shape"
    ),
    pytest.param(
        transposed({"output_padding": (0, 1)}), "attribute value", "[0, 1]", id="output_padding"
    ),
    pytest.param(
        transposed({"pads": (3, 0, 3, 0)}), "operand shape", "[0, 6]", id="everything cut off"
    ),
    pytest.param(
        transposed({"output_shape": (2**62, 1)}),
        "attribute value",
        str(2**62),
        id="huge output_shape",
    ),
    pytest.param(
        transposed({"strides": (2**20, 1)}), "operand shape", "3145731", id="output too long"
    ),
    pytest.param(
        transposed({"auto_pad": "SAME_UPPER", "pads": (1, 1, 1, 1)}),
        "attribute value",
        "SAME_UPPER",
        id="auto_pad and pads of ConvTranspose",
    ),
    pytest.param(transposed({"auto_pad": "FULL"}), "attribute value", "FULL", id="auto_pad FULL"),
]

SEQUENCE = t("float32", 5, 2, 3)
W, R = np.ones((1, 16, 3), np.float32), np.ones((1, 16, 4), np.float32)


def lstm(attributes: dict[str, AttributeValue], *rest: Operand, r: Operand = R) -> NodeView:
    return node("LSTM", SEQUENCE, W, r, *rest, attributes=attributes)


RECURRENT = [
    pytest.param(node("LSTM", SEQUENCE, W), "operand count", "found xx", id="no weights of h"),
    pytest.param(
        lstm({}, r=t("float32", 1, 16, 4)), "constant operand", "hidden state", id="r computed"
    ),
    pytest.param(
        lstm({}, r=np.ones((1, 12, 4), np.float32)), "operand shape", "[1, 16, 4]", id="three gates"
    ),
    pytest.param(
        lstm({}, r=np.ones((), np.float32)), "operand shape", "[1, 0, 3]", id="r is a scalar"
    ),
    pytest.param(
        node("LSTM", t("float32", 5, 3), W, R), "operand shape", "three axes", id="no batch axis"
    ),
    pytest.param(
        lstm({}, t("float32", 1, 16)), "operand shape", "[1, 32]", id="half of the biases"
    ),
    pytest.param(
        lstm({"direction": "bidirectional"}), "operand shape", "[2, 16, 3]", id="one pass of two"
    ),
    pytest.param(lstm({"direction": "up"}), "attribute value", "'up'", id="unknown direction"),
    pytest.param(lstm({"hidden_size": 5}), "attribute value", "hidden_size 5", id="hidden_size"),
    pytest.param(lstm({"layout": 2}), "attribute value", "found 2", id="layout 2"),
    pytest.param(lstm({"clip": np.float32(-1)}), "attribute value", "-1", id="clip below 0"),
    pytest.param(
        lstm({"activations": ("Tanh", "Tanh")}),
        "attribute value",
        "Tanh",
        id="two of three activations",
    ),
    pytest.param(
        lstm({"activations": ("Tanh", "Tanh", "Swish")}),
        "attribute value",
        "Swish",
        id="unknown activation",
    ),
    pytest.param(
        lstm({"activations": ("Sigmoid", "ScaledTanh", "Tanh")}),
        "attribute value",
        "ScaledTanh has no default of alpha and beta",
        id="scaled tanh without its values",
    ),
    pytest.param(
        lstm({"activation_alpha": (np.float32(1),)}),
        "attribute value",
        "more values",
        id="spare alpha",
    ),
    pytest.param(
        lstm({"activations": (1, 2, 3)}), "attribute type", "texts", id="activations are integers"
    ),
    pytest.param(
        lstm({}, None, t("int32", 2)), "constant operand", "sequence_lens", id="lengths at run time"
    ),
    pytest.param(lstm({}, None, const("int32", [5, 0])), "operand value", "(5, 0)", id="length 0"),
    pytest.param(
        lstm({}, None, const("int32", [6, 1])), "operand value", "(6, 1)", id="length too large"
    ),
    pytest.param(
        lstm({}, None, const("int32", [5])), "operand shape", "2 values", id="one length of two"
    ),
    pytest.param(
        lstm({}, None, None, t("float32", 2, 1, 4)), "operand shape", "[1, 2, 4]", id="state axes"
    ),
    pytest.param(
        lstm({}, None, None, None, None, t("float32", 1, 16)),
        "operand shape",
        "[1, 12]",
        id="peepholes",
    ),
    pytest.param(lstm({"input_forget": 2}), "attribute value", "found 2", id="input_forget 2"),
]

ALL = [*REDUCTIONS, *NORMS, *TRANSPOSED, *RECURRENT]


@pytest.mark.parametrize(("view", "rule", "value"), ALL)
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")
