"""Each rule on attributes refuses the node that breaks it, and says which rule and value."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from tests.unit.inference.operators.nodes import Operand, const, f32, node, spec_of, t

W = np.ones((2, 4, 3, 3), np.float32)
X = t("float32", 1, 4, 5, 5)
POOL: dict[str, AttributeValue] = {"kernel_shape": (2, 2)}
HUGE = 2**62


def conv(
    attributes: dict[str, AttributeValue], x: Operand = X, w: Operand = W, *rest: Operand
) -> NodeView:
    return node("Conv", x, w, *rest, attributes=attributes)


def max_pool(**attributes: AttributeValue) -> NodeView:
    return node("MaxPool", X, attributes={**POOL, **attributes})


ATTRIBUTES = [
    pytest.param(conv({"group": 0}), "attribute value", "group 0", id="group 0"),
    pytest.param(conv({"group": -1}), "attribute value", "group -1", id="group below 0"),
    pytest.param(conv({"group": 2}), "attribute value", "group 2", id="group against the channels"),
    pytest.param(
        conv({"group": 3}, t("float32", 1, 12, 5, 5)),
        "attribute value",
        "group 3",
        id="group against the filters",
    ),
    pytest.param(
        conv({"kernel_shape": (3, 2)}),
        "attribute value",
        "(3, 2)",
        id="kernel_shape against the weights",
    ),
    pytest.param(conv({"strides": (0, 1)}), "attribute value", "found 0", id="stride 0"),
    pytest.param(conv({"strides": (1, -2)}), "attribute value", "found -2", id="stride below 0"),
    pytest.param(conv({"strides": (1,)}), "attribute value", "found 1", id="too few strides"),
    pytest.param(conv({"dilations": (HUGE, 1)}), "attribute value", str(HUGE), id="huge dilation"),
    pytest.param(conv({"pads": (0, 0, 0, HUGE)}), "attribute value", str(HUGE), id="huge pad"),
    pytest.param(conv({"pads": (0, 0, 0, -1)}), "attribute value", "found -1", id="pad below 0"),
    pytest.param(conv({"pads": (1, 1)}), "attribute value", "4 values", id="too few pads"),
    pytest.param(conv({"auto_pad": "SAME"}), "attribute value", "'SAME'", id="unknown auto_pad"),
    pytest.param(
        conv({"auto_pad": "VALID", "pads": (1, 1, 1, 1)}),
        "attribute value",
        "VALID",
        id="auto_pad and pads",
    ),
    pytest.param(node("MaxPool", X), "attribute value", "kernel_shape", id="no kernel_shape"),
    pytest.param(max_pool(kernel_shape=(2, 0)), "attribute value", "found 0", id="kernel 0"),
    pytest.param(
        max_pool(kernel_shape=(2, 2, 2)), "attribute value", "found 3", id="kernel of another rank"
    ),
    pytest.param(
        max_pool(storage_order=1), "attribute value", "storage_order", id="column-major indices"
    ),
    pytest.param(max_pool(ceil_mode=2), "attribute value", "found 2", id="ceil_mode 2"),
    pytest.param(
        max_pool(ceil_mode=1, auto_pad="VALID"),
        "attribute value",
        "VALID",
        id="ceil_mode with VALID",
    ),
    pytest.param(
        max_pool(ceil_mode=1, auto_pad="SAME_UPPER"),
        "attribute value",
        "SAME_UPPER",
        id="ceil_mode with SAME_UPPER",
    ),
    pytest.param(
        max_pool(pads=(2, 0, 0, 0)),
        "attribute value",
        "padding alone",
        id="first window on padding",
    ),
    pytest.param(
        max_pool(pads=(0, 0, 0, 2)), "attribute value", "padding alone", id="last window on padding"
    ),
    pytest.param(
        max_pool(pads=(1, 1, 1, 1), dilations=(6, 6)),
        "attribute value",
        "padding alone",
        id="a step over the whole axis",
    ),
    pytest.param(
        node("Softmax", t("float32", 2, 2), attributes={"axis": 2}),
        "attribute value",
        "found 2",
        id="Softmax axis",
    ),
    pytest.param(
        node("Softmax", t("float32")), "attribute value", "found -1", id="Softmax of a scalar"
    ),
    pytest.param(
        node("ArgMax", t("float32", 2), attributes={"axis": -2}),
        "attribute value",
        "found -2",
        id="ArgMax axis",
    ),
    pytest.param(
        node("ArgMax", t("float32", 2), attributes={"keepdims": 2}),
        "attribute value",
        "found 2",
        id="keepdims 2",
    ),
    pytest.param(
        node("Flatten", t("float32", 2), attributes={"axis": 2}),
        "attribute value",
        "found 2",
        id="Flatten axis",
    ),
    pytest.param(
        node("Gemm", t("float32", 1, 1), t("float32", 1, 1), attributes={"transA": -1}),
        "attribute value",
        "found -1",
        id="transA -1",
    ),
    pytest.param(
        node(
            "Gemm", t("float32", 1, 1), t("float32", 1, 1), attributes={"alpha": np.float32("inf")}
        ),
        "attribute value",
        "inf",
        id="alpha infinite",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 4), f32(1, 2), attributes={"block_size": 2}),
        "attribute value",
        "block",
        id="blocked QuantizeLinear",
    ),
    pytest.param(
        node("DequantizeLinear", t("int8", 4), f32(1, 2), attributes={"block_size": 2}),
        "attribute value",
        "block",
        id="blocked DequantizeLinear",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 4), f32(1, 2), attributes={"axis": 1}),
        "attribute value",
        "found 1",
        id="QuantizeLinear axis",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 4), f32(1), attributes={"output_dtype": 5}),
        "attribute value",
        "found 5",
        id="QuantizeLinear to int16",
    ),
    pytest.param(
        node(
            "QuantizeLinear",
            t("float32", 4),
            f32(1),
            const("int8", 0),
            attributes={"output_dtype": 2},
        ),
        "attribute value",
        "int8",
        id="two result dtypes",
    ),
    pytest.param(
        node("QuantizeLinear", t("float32", 4), f32(1), attributes={"saturate": 0}),
        "attribute value",
        "saturate",
        id="no saturation",
    ),
]

ATTRIBUTE_TYPES = [
    pytest.param(conv({"group": "2"}), "attribute value", "'2'", id="group is text"),
    pytest.param(conv({"strides": 2}), "attribute value", "2", id="strides is one integer"),
    pytest.param(
        conv({"strides": (np.float32(1), np.float32(1))}),
        "attribute value",
        "strides",
        id="strides are floats",
    ),
    pytest.param(conv({"auto_pad": 1}), "attribute value", "1", id="auto_pad is an integer"),
    pytest.param(
        node("Gemm", t("float32", 1, 1), t("float32", 1, 1), attributes={"alpha": 1}),
        "attribute value",
        "alpha",
        id="alpha is an integer",
    ),
]

ATTRIBUTE_TYPES = [
    pytest.param(conv({"group": "2"}), "attribute type", "'2'", id="group is text"),
    pytest.param(conv({"strides": 2}), "attribute type", "2", id="strides is one integer"),
    pytest.param(
        conv({"strides": (np.float32(1), np.float32(1))}),
        "attribute type",
        "strides",
        id="strides are floats",
    ),
    pytest.param(conv({"auto_pad": 1}), "attribute type", "1", id="auto_pad is an integer"),
    pytest.param(
        node("Gemm", t("float32", 1, 1), t("float32", 1, 1), attributes={"alpha": 1}),
        "attribute type",
        "alpha",
        id="alpha is an integer",
    ),
]

ALL = [*ATTRIBUTES, *ATTRIBUTE_TYPES]


@pytest.mark.parametrize(("view", "rule", "value"), ALL)
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")
