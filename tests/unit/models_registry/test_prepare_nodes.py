"""Single nodes that `prepare` takes or leaves, found by ONNX's own node tests."""

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, helper

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import CannotPrepare
from tests.unit.models_registry.prepared import operators, ordinary, prepare, ramp, run_prepared

X = {"x": ramp(2, 3)}


def test_a_dropout_of_training_is_refused_and_not_removed() -> None:
    weights = {"ratio": np.array(0.5, np.float32), "training": np.array(True)}
    model = ordinary(
        [helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])], X, ["y"], weights
    )
    with pytest.raises(CannotPrepare, match="training_mode must be false"):
        prepare(model)


def test_a_file_of_ml_operators_alone_need_not_import_the_default_ones() -> None:
    nodes = [helper.make_node("Binarizer", ["x"], ["y"], threshold=2.0, domain="ai.onnx.ml")]
    model = ordinary(nodes, X, ["y"], ml_opset=3)
    del model.opset_import[0]
    assert operators(prepare(model)) == ["Binarizer"]


def attribute_of_another_type() -> NodeProto:
    """Return a Transpose whose order is a text."""
    return helper.make_node("Transpose", ["x"], ["y"], perm="backwards")


MALFORMED = [
    pytest.param(
        helper.make_node("TopK", ["x"], ["y", "i"]), 9, "attribute k is missing", id="attribute"
    ),
    pytest.param(
        attribute_of_another_type(), 21, "attribute perm is 'backwards', not of its type", id="type"
    ),
    pytest.param(helper.make_node("Relu", [], ["y"]), 21, "0 inputs, not 1 to 1", id="no input"),
    pytest.param(
        helper.make_node("Relu", ["x", "x"], ["y"]), 21, "2 inputs, not 1 to 1", id="two inputs"
    ),
    pytest.param(
        helper.make_node("Gemm", ["", "x"], ["y"]), 21, "input A is missing", id="absent input"
    ),
    pytest.param(
        helper.make_node("Relu", ["x"], ["y", "z"]), 21, "2 outputs, not 1 to 1", id="two outputs"
    ),
    pytest.param(
        helper.make_node("GroupNormalization", ["x"], ["y"], num_groups=1),
        9,
        "1 inputs, not 3 to 3",
        id="operator of a later opset",
    ),
]


@pytest.mark.parametrize(("node", "opset", "reason"), MALFORMED)
def test_a_node_that_is_not_what_onnx_declares_is_refused(
    node: NodeProto, opset: int, reason: str
) -> None:
    with pytest.raises(
        CannotPrepare, match=f"{node.op_type} node 'y' is not what ONNX declares: {reason}"
    ):
        prepare(ordinary([node], X, ["y"], opset=opset))


def test_channels_that_groups_do_not_divide_are_refused() -> None:
    node = helper.make_node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=0)
    weights = {"s": np.ones(2, np.float32), "b": np.ones(2, np.float32)}
    with pytest.raises(CannotPrepare, match="0 groups of 4 channels"):
        prepare(ordinary([node], {"x": ramp(1, 4, 2)}, ["y"], weights, opset=18))


def test_a_norm_of_weights_of_unequal_lengths_is_not_folded() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "s", "s", "s", "v"], ["y"]),
    ]
    weights = {"w": ramp(4, 4, 1), "s": np.ones(4, np.float32), "v": np.ones(3, np.float32)}
    with pytest.raises(CannotPrepare, match="BatchNormalization node 'y'"):
        prepare(ordinary(nodes, {"x": ramp(1, 4, 2)}, ["y"], weights))


ONE: Array = np.array([[2.5]], np.float32)
FOUR: Array = np.array([[0, 1], [2, 3]], np.float32)
EMPTY_LISTS = [
    pytest.param("Reshape", {}, ONE, "Squeeze", 2.5, id="reshape to a scalar"),
    pytest.param("Expand", {}, ONE, "Identity", [[2.5]], id="expand"),
    pytest.param("Unsqueeze", {}, ONE, "Identity", [[2.5]], id="unsqueeze"),
    pytest.param("Tile", {}, ONE.reshape(()), "Identity", 2.5, id="tile a scalar"),
    pytest.param("ReduceSum", {}, FOUR, "ReduceSum", [[6.0]], id="reduce all"),
    pytest.param(
        "ReduceSum",
        {"noop_with_empty_axes": 1},
        FOUR,
        "ReduceSum",
        [[0.0, 1.0], [2.0, 3.0]],
        id="reduce nothing",
    ),
]


@pytest.mark.parametrize(("op_type", "attributes", "x", "made", "expected"), EMPTY_LISTS)
def test_an_empty_list_of_axes_or_lengths_is_left_out(
    op_type: str, attributes: dict[str, Any], x: Array, made: str, expected: object
) -> None:
    node = helper.make_node(op_type, ["x", "none"], ["y"], **attributes)
    model = ordinary([node], {"x": x}, ["y"], {"none": np.zeros(0, np.int64)})
    prepared = prepare(model)
    assert operators(prepared) == [made]
    assert run_prepared(prepared, {"x": x})[0].tolist() == expected
