"""Reductions, norms, pools and recurrent layers refuse what breaks their rules, and say why."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import NodeView
from tests.unit.inference.operators.nodes import const, node, spec_of, t

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

ALL = [*REDUCTIONS]


@pytest.mark.parametrize(("view", "rule", "value"), ALL)
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")
