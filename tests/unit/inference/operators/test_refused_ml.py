"""The operators of ai.onnx.ml refuse what breaks their rules, and say why."""

import numpy as np
import pytest
from onnx import helper

from cvm.inference.cost import Cost
from cvm.inference.faults import InputOutOfRange, InvalidModel
from cvm.inference.graph import AttributeValue, NodeView
from cvm.inference.model_file import parse_model
from cvm.inference.operators.tree_ensemble import MAX_DEPTH
from cvm.inference.tensor_type import TensorType
from tests.unit.inference.onnx_models import encoded, model_of, value
from tests.unit.inference.operators.nodes import node, run_node, spec_of, t

X = t("float32", 1, 2)
Attributes = dict[str, AttributeValue]


def floats(*values: float) -> tuple[np.float32, ...]:
    return tuple(map(np.float32, values))


STUMP: Attributes = {
    "nodes_treeids": (0, 0, 0),
    "nodes_nodeids": (0, 1, 2),
    "nodes_featureids": (1, 0, 0),
    "nodes_modes": ("BRANCH_LEQ", "LEAF", "LEAF"),
    "nodes_values": floats(0.5, 0, 0),
    "nodes_truenodeids": (1, 0, 0),
    "nodes_falsenodeids": (2, 0, 0),
    "target_treeids": (0, 0),
    "target_nodeids": (1, 2),
    "target_ids": (0, 0),
    "target_weights": floats(1, 2),
    "n_targets": 1,
}
CLASSES: Attributes = {
    **{name.replace("target_", "class_"): item for name, item in STUMP.items()},
    "class_ids": (0, 2),
    "classlabels_int64s": (1, 2, 3),
}
del CLASSES["n_targets"]
BINARY: Attributes = {**CLASSES, "class_ids": (0, 0), "classlabels_int64s": (1, 2)}
LINEAR: Attributes = {
    "classlabels_ints": (1, 2),
    "coefficients": floats(1, 2, 3, 4),
    "intercepts": floats(0, 0),
}
MACHINE: Attributes = {
    "classlabels_ints": (1, 2),
    "coefficients": floats(1, 2),
    "kernel_params": floats(1, 0, 3),
    "kernel_type": "RBF",
    "rho": floats(0),
    "support_vectors": floats(1, 2, 3, 4),
    "vectors_per_class": (1, 1),
}
SVR: Attributes = {
    "coefficients": floats(1, 2),
    "kernel_params": floats(1, 0, 3),
    "kernel_type": "RBF",
    "n_supports": 2,
    "rho": floats(0),
    "support_vectors": floats(1, 2, 3, 4),
}


def tree(x: TensorType = X, **changes: AttributeValue) -> NodeView:
    return node("TreeEnsembleRegressor", x, attributes={**STUMP, **changes})


def classes(base: Attributes = CLASSES, **changes: AttributeValue) -> NodeView:
    return node("TreeEnsembleClassifier", X, attributes={**base, **changes})


def linear(**changes: AttributeValue) -> NodeView:
    return node("LinearClassifier", X, attributes={**LINEAR, **changes})


def machine(**changes: AttributeValue) -> NodeView:
    return node("SVMClassifier", X, attributes={**MACHINE, **changes})


def svr(**changes: AttributeValue) -> NodeView:
    return node("SVMRegressor", X, attributes={**SVR, **changes})


def chain(depth: int) -> NodeView:
    """Return a tree of one path with a leaf at each of its branches."""
    size = 2 * depth + 1
    ids = range(size)
    is_leaf = [index % 2 == 1 or index == size - 1 for index in ids]
    leaves = tuple(index for index in ids if is_leaf[index])
    return tree(
        nodes_treeids=(0,) * size,
        nodes_nodeids=tuple(ids),
        nodes_featureids=(0,) * size,
        nodes_modes=tuple("LEAF" if leaf else "BRANCH_LT" for leaf in is_leaf),
        nodes_values=floats(*[0.0] * size),
        nodes_truenodeids=tuple(index + 1 for index in ids),
        nodes_falsenodeids=tuple(index + 2 for index in ids),
        target_treeids=(0,) * len(leaves),
        target_nodeids=leaves,
        target_ids=(0,) * len(leaves),
        target_weights=floats(*[1.0] * len(leaves)),
    )


def circle() -> NodeView:
    """Return a root that is a leaf, and two nodes that are each other's children."""
    return tree(
        nodes_treeids=(0,) * 5,
        nodes_nodeids=(0, 1, 2, 3, 4),
        nodes_featureids=(0,) * 5,
        nodes_modes=("LEAF", "BRANCH_LT", "BRANCH_LT", "LEAF", "LEAF"),
        nodes_values=floats(0, 0, 0, 0, 0),
        nodes_truenodeids=(0, 2, 1, 0, 0),
        nodes_falsenodeids=(0, 3, 4, 0, 0),
        target_nodeids=(0, 3),
    )


TREES = [
    pytest.param(tree(t("uint8", 1, 2)), "operand dtype", "uint8", id="rows of uint8"),
    pytest.param(tree(t("float32", 1, 1, 2)), "operand shape", "[1,1,2]", id="rows of rank 3"),
    pytest.param(tree(t("float32", 0, 2)), "operand shape", "[0,2]", id="no rows"),
    pytest.param(tree(t("float32", 1, 1)), "attribute value", "holds 1, x has 1", id="feature"),
    pytest.param(tree(nodes_featureids=(-1, 0, 0)), "attribute value", "-1", id="feature below 0"),
    pytest.param(tree(nodes_treeids=(0, 0)), "attribute value", "2 elements", id="list too short"),
    pytest.param(tree(nodes_values=(0, 0, 0)), "attribute type", "floats", id="values of integers"),
    pytest.param(
        tree(nodes_values=floats(np.inf, 0, 0)), "attribute value", "infinity", id="infinite value"
    ),
    pytest.param(
        tree(nodes_modes=("BRANCH_MEMBER", "LEAF", "LEAF")),
        "attribute value",
        "BRANCH_MEMBER",
        id="unknown mode",
    ),
    pytest.param(tree(nodes_modes=()), "attribute value", "no nodes", id="no nodes"),
    pytest.param(
        tree(nodes_missing_value_tracks_true=(2, 0, 0)), "attribute value", "0 or 1", id="tracks 2"
    ),
    pytest.param(tree(nodes_nodeids=(0, 1, 1)), "tree", "node 1 of tree 0", id="node twice"),
    pytest.param(
        tree(nodes_truenodeids=(7, 0, 0)), "tree", "tree 0 has no node 7", id="no such child"
    ),
    pytest.param(
        tree(nodes_treeids=(0, 1, 0)), "tree", "tree 0 has no node 1", id="child of another tree"
    ),
    pytest.param(tree(nodes_falsenodeids=(1, 0, 0)), "tree", "two nodes", id="one child twice"),
    pytest.param(tree(nodes_truenodeids=(0, 0, 0)), "tree", "first node", id="its own child"),
    pytest.param(
        tree(nodes_modes=("LEAF", "BRANCH_LT", "LEAF"), nodes_truenodeids=(0, 0, 0),
             nodes_falsenodeids=(0, 2, 0)),
        "tree", "the first node of tree 0", id="root is not first",
    ),
    pytest.param(
        tree(nodes_modes=("LEAF", "LEAF", "LEAF")), "tree", "2 nodes", id="nodes without a parent"
    ),
    pytest.param(circle(), "tree", "or a circle", id="circle"),
    pytest.param(chain(MAX_DEPTH + 1), "tree", "deeper than 256", id="too deep by one"),
    pytest.param(chain(5 * MAX_DEPTH), "tree", "deeper than 256", id="much too deep"),
    pytest.param(tree(target_nodeids=(0, 2)), "tree", "node 0 is no leaf", id="weight of a branch"),
    pytest.param(tree(target_treeids=(0, 4)), "tree", "no tree 4", id="weight of no tree"),
    pytest.param(tree(target_nodeids=(1, 9)), "tree", "no node 9", id="weight of no node"),
    pytest.param(tree(target_ids=(0, 1)), "attribute value", "holds 1", id="target out of range"),
    pytest.param(
        tree(target_treeids=(), target_nodeids=(), target_ids=(), target_weights=()),
        "attribute value", "no weights", id="no weights",
    ),
    pytest.param(tree(n_targets=0), "attribute value", "n_targets 0", id="no targets"),
    pytest.param(tree(n_targets=2**40), "attribute value", str(2**40), id="too many targets"),
    pytest.param(tree(base_values=floats(1, 2)), "attribute value", "2 elements", id="base values"),
    pytest.param(tree(aggregate_function="MEDIAN"), "attribute value", "MEDIAN", id="aggregate"),
    pytest.param(
        tree(post_transform="LOGISTIC"), "attribute value", "one score", id="transform of one score"
    ),
    pytest.param(classes(post_transform="PROBIT"), "attribute value", "PROBIT", id="PROBIT"),
    pytest.param(
        tree(nodes_values_as_tensor=np.zeros(3, np.float32)), "attribute value", "twice",
        id="values twice",
    ),
    pytest.param(
        tree(target_weights_as_tensor=np.zeros(2)), "attribute type", "float32",
        id="weights of float64",
    ),
    pytest.param(
        classes(classlabels_strings=("a", "b")), "attribute value", "prepare", id="text labels"
    ),
    pytest.param(classes(classlabels_int64s=(1,)), "attribute value", "1 labels", id="one label"),
    pytest.param(
        classes(base_values=floats(1)), "attribute value", "1 elements", id="one base for three"
    ),
    pytest.param(
        classes(BINARY, class_ids=(1, 1)), "attribute value", "column 0", id="binary of column 1"
    ),
    pytest.param(
        classes(BINARY, post_transform="SOFTMAX"), "attribute value", "disagree", id="SOFTMAX"
    ),
    pytest.param(
        classes(BINARY, base_values=floats(1, 2)), "attribute value", "2 elements",
        id="binary of two bases",
    ),
]  # fmt: skip

MODELS = [
    pytest.param(linear(coefficients=floats(1, 2)), "attribute value", "2 elements", id="short"),
    pytest.param(linear(intercepts=()), "attribute value", "0 elements", id="no intercepts"),
    pytest.param(
        linear(intercepts=floats(1), coefficients=floats(1, 2)), "attribute value", "disagree",
        id="one score, NONE",
    ),
    pytest.param(
        node("LinearRegressor", X, attributes={"coefficients": floats(1, 2), "targets": 0}),
        "attribute value", "targets 0", id="no targets",
    ),
    pytest.param(machine(vectors_per_class=()), "attribute value", "LinearClassifier", id="line"),
    pytest.param(machine(vectors_per_class=(2, -1)), "attribute value", "-1", id="negative count"),
    pytest.param(machine(vectors_per_class=(0, 0)), "attribute value", "zeros", id="no vectors"),
    pytest.param(machine(vectors_per_class=(2**62, 1)), "attribute value", str(2**62), id="huge"),
    pytest.param(machine(kernel_type="COSINE"), "attribute value", "COSINE", id="unknown kernel"),
    pytest.param(machine(kernel_params=()), "attribute value", "0 elements", id="no parameters"),
    pytest.param(machine(rho=floats(1, 2)), "attribute value", "2 elements", id="rho"),
    pytest.param(machine(prob_a=floats(1)), "attribute value", "prob_b", id="half of prob"),
    pytest.param(machine(post_transform="SOFTMAX"), "attribute value", "one pair", id="SOFTMAX"),
    pytest.param(
        machine(kernel_type="POLY", kernel_params=floats(1, 0, 2.5)), "attribute value", "2.5",
        id="degree of a half",
    ),
    pytest.param(
        machine(kernel_type="POLY", kernel_params=floats(1, 0, 33)), "attribute value", "33",
        id="degree too high",
    ),
    pytest.param(svr(n_supports=-1), "attribute value", "-1", id="n_supports below 0"),
    pytest.param(svr(n_supports=3), "attribute value", "2 elements", id="n_supports"),
    pytest.param(svr(n_targets=2), "attribute value", "n_targets", id="two targets"),
    pytest.param(svr(post_transform="LOGISTIC"), "attribute value", "one score", id="transform"),
]  # fmt: skip

ROWS = [
    pytest.param(
        node("Scaler", X, attributes={"offset": floats(0, 0, 0), "scale": floats(1)}),
        "attribute value", "3 elements", id="offsets",
    ),
    pytest.param(
        node("Normalizer", X, attributes={"norm": "L3"}), "attribute value", "L3", id="no such norm"
    ),
    pytest.param(
        node("Imputer", X, attributes={"replaced_value_float": np.float32(np.inf)}),
        "attribute type", "inf", id="replaces infinity",
    ),
    pytest.param(
        node("Imputer", t("int64", 1, 2), attributes={"imputed_value_floats": floats(1)}),
        "attribute value", "int64s has 0", id="floats for integers",
    ),
    pytest.param(
        node("LabelEncoder", X, attributes={"keys_strings": ("a",), "values_int64s": (1,)}),
        "attribute value", "texts", id="text keys",
    ),
    pytest.param(
        node("LabelEncoder", X, attributes={"keys_int64s": (1,), "values_int64s": (1,)}),
        "operand dtype", "keys are int64", id="keys of another dtype",
    ),
    pytest.param(
        node("LabelEncoder", X, attributes={"keys_floats": floats(0, -0.0),
                                            "values_int64s": (1, 2)}),
        "attribute value", "twice", id="both zeros",
    ),
    pytest.param(
        node("OneHotEncoder", t("int64", 1), attributes={"cats_int64s": (1,), "zeros": 0}),
        "attribute value", "zeros 0", id="unknown is an error",
    ),
    pytest.param(
        node("OneHotEncoder", t("int64", 1), attributes={"cats_int64s": (1, 1)}),
        "attribute value", "twice", id="category twice",
    ),
    pytest.param(
        node("FeatureVectorizer", X, t("float32", 2, 2)), "operand shape", "[2,2]", id="rows"
    ),
    pytest.param(
        node("FeatureVectorizer", X, attributes={"inputdimensions": (2**40,)}),
        "attribute value", str(2**40), id="huge width",
    ),
    pytest.param(
        node("ArrayFeatureExtractor", t("float32"), t("int64", 1)), "operand shape", "axis",
        id="data of rank 0",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("view", "rule", "value"), [*TREES, *MODELS, *ROWS])
def test_refuses_with_rule_and_value(view: NodeView, rule: str, value: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == rule
    assert value in caught.value.detail.removeprefix(f"{view.op_type} node 'n': ")


def test_a_tree_of_the_greatest_depth_runs() -> None:
    last = run_node(chain(MAX_DEPTH), np.array([[1, 0]], np.float32))
    assert last.tolist() == [[1.0]]


def test_weights_may_stand_in_a_tensor() -> None:
    changes: Attributes = {"target_weights_as_tensor": np.array([1, 2], np.float32)}
    attributes = {name: item for name, item in STUMP.items() if name != "target_weights"}
    view = node("TreeEnsembleRegressor", X, attributes={**attributes, **changes})
    assert run_node(view, np.array([[0, 1]], np.float32)).tolist() == [[2.0]]


def test_a_feature_index_out_of_range_is_a_fault_of_the_input() -> None:
    view = node("ArrayFeatureExtractor", X, t("int64", 2))
    with pytest.raises(InputOutOfRange) as caught:
        run_node(view, np.zeros((1, 2), np.float32), np.array([0, 2], np.int64))
    assert (caught.value.index, caught.value.size) == (2, 2)


COSTS = [
    pytest.param(
        tree(t("float32", 3, 2)),
        Cost(
            elementwise=(16 * 2 + 5 * 2 + 3 * 2) * 32, bytes_moved=2 * 64 + 3 * 2 * 8,
            weight_bytes=64,
        ),
        id="one branch, one weight, one base",
    ),
    pytest.param(
        linear(post_transform="SOFTMAX"),
        Cost(
            float32_macs=4, elementwise=4 * 64 + 2 + 2 + 8, transcendental=2, bytes_moved=24,
            weight_bytes=24,
        ),
        id="LinearClassifier",
    ),
    pytest.param(
        svr(),
        Cost(
            float32_macs=4 + 2, elementwise=1 + 2 * (3 + 2 * 64) + 3 * 1024, transcendental=2,
            bytes_moved=24, weight_bytes=24,
        ),
        id="SVMRegressor, RBF",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("view", "expected"), COSTS)
def test_counts(view: NodeView, expected: Cost) -> None:
    spec = spec_of(view.op_type)
    parameters = spec.parse(view)
    assert spec.cost(parameters, view, spec.output_types(parameters, view)) == expected


REFUSED = [
    pytest.param("ZipMap", "prepare` removes it", id="ZipMap"),
    pytest.param("CategoryMapper", "texts", id="CategoryMapper"),
    pytest.param("TreeEnsemble", "ai.onnx.ml 5", id="TreeEnsemble of a later version"),
]


@pytest.mark.parametrize(("op", "reason"), REFUSED)
def test_operators_that_are_refused_by_name(op: str, reason: str) -> None:
    made = helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml")
    model = model_of([made], [value("x", (1, 2))], [value("y", (1, 2))])
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    with pytest.raises(InvalidModel, match=reason):
        parse_model(encoded(model))


def test_a_list_of_weights_is_no_tensor_in_a_file() -> None:
    weights = helper.make_tensor("", 1, [2], [1.0, 2.0])
    made = helper.make_node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml")
    made.attribute.append(helper.make_attribute("coefficients", weights))
    model = model_of([made], [value("x", (1, 2))], [value("y", (1, 1))])
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    with pytest.raises(InvalidModel, match="'coefficients' is a tensor, not a list"):
        parse_model(encoded(model))
