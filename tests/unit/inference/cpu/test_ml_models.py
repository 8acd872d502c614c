"""The models of ai.onnx.ml have the definition's bits on drawn trees, machines and rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.backends.cpu.tree_nodes import bits_before
from cvm.inference.backends.cpu.trees import FEW_ROWS, ROWS, TREES
from cvm.inference.graph import AttributeValue
from cvm.inference.operators.tree_ensemble import WAYS_TO_TRUE
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    HOSTILE,
    assert_equals_definition,
    draw,
    draw_finite,
    draw_hostile,
)

LEVEL = LEVELS[-1]
"""These kernels are the same at every level."""

Attributes = dict[str, AttributeValue]
TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]
MODES = [mode for mode in WAYS_TO_TRUE if mode != "LEAF"]
FINITE = HOSTILE[np.isfinite(HOSTILE)]


def numbers(values: Any) -> tuple[np.float32, ...]:
    """Return a list attribute of float32."""
    return tuple(np.asarray(values, np.float32).reshape(-1))


def drawn_trees(
    seed: int, trees: int, features: int, columns: int, prefix: str, is_dense: bool = False
) -> Attributes:
    """Return trees of all modes and uneven depths, some of them one leaf.

    A leaf holds a weight for each column where `is_dense`, else 0 to 2 weights of any column.
    """
    rng = np.random.default_rng(seed)
    nodes: list[list[Any]] = []
    weights: list[tuple[int, int, int, np.float32]] = []

    def grow(tree: int, depth: int) -> int:
        own = len(nodes)
        if depth == 0 or rng.random() < 0.2:
            nodes.append([tree, own, "LEAF", 0, np.float32(0), 0, 0, 0])
            held = int(rng.integers(0, 3)) if weights else 1
            targets = range(columns) if is_dense else rng.integers(columns, size=held).tolist()
            weights.extend(
                (tree, own, target, np.float32(rng.choice(FINITE[:-4]))) for target in targets
            )
            return own
        value = np.float32(rng.choice(FINITE) if rng.random() < 0.5 else rng.standard_normal())
        mode = MODES[int(rng.integers(len(MODES)))]
        feature, missing = int(rng.integers(features)), int(rng.integers(2))
        nodes.append([tree, own, mode, feature, value, 0, 0, missing])
        nodes[own][5], nodes[own][6] = grow(tree, depth - 1), grow(tree, depth - 1)
        return own

    for tree in rng.permutation(trees).tolist():
        grow(tree, int(rng.integers(0, 7)))
    names = ("treeids", "nodeids", "modes", "featureids", "values", "truenodeids", "falsenodeids")
    attributes: Attributes = {
        f"nodes_{name}": tuple(node[index] for node in nodes) for index, name in enumerate(names)
    }
    attributes["nodes_missing_value_tracks_true"] = tuple(node[7] for node in nodes)
    for index, name in enumerate(("treeids", "nodeids", "ids")):
        attributes[f"{prefix}_{name}"] = tuple(int(weight[index]) for weight in weights)
    attributes[f"{prefix}_weights"] = tuple(weight[3] for weight in weights)
    return attributes


def rows(seed: int, *shape: int) -> list[Array]:
    """Return ordinary rows, hostile rows and integers."""
    return [
        draw(seed, "float32", *shape),
        draw_hostile(seed, *shape),
        draw(seed, "int32", *shape),
        draw(seed, "int64", *shape),
    ]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    trees=st.integers(1, 20),
    classes=st.integers(3, 5),
    transform=st.sampled_from(TRANSFORMS),
    has_base=st.booleans(),
    is_dense=st.booleans(),
)
def test_tree_classifiers(
    seed: int, trees: int, classes: int, transform: str, has_base: bool, is_dense: bool
) -> None:
    attributes = drawn_trees(seed, trees, 4, classes, "class", is_dense)
    attributes |= {"classlabels_int64s": tuple(range(classes)), "post_transform": transform}
    if has_base:
        attributes["base_values"] = numbers(draw(seed, "float32", classes))
    for x in rows(seed, 3, 4):
        assert_equals_definition(LEVEL, "TreeEnsembleClassifier", attributes, [x], outputs=2)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("seed", range(4))
def test_binary_tree_classifiers(seed: int, transform: str) -> None:
    attributes = drawn_trees(seed, 9, 4, 1, "class")
    attributes |= {"classlabels_int64s": (5, 6), "post_transform": transform}
    if seed % 2:
        weights = np.abs(np.array(attributes["class_weights"], np.float32))
        attributes["class_weights"] = numbers(weights)
    for x in rows(seed, 5, 4):
        assert_equals_definition(LEVEL, "TreeEnsembleClassifier", attributes, [x], outputs=2)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    targets=st.integers(1, 3),
    aggregate=st.sampled_from(["SUM", "AVERAGE", "MIN", "MAX"]),
)
def test_tree_regressors(seed: int, targets: int, aggregate: str) -> None:
    attributes = drawn_trees(seed, 11, 3, targets, "target")
    attributes |= {
        "n_targets": targets,
        "aggregate_function": aggregate,
        "base_values": numbers(draw(seed, "float32", targets)),
    }
    for x in rows(seed, 3, 3):
        assert_equals_definition(LEVEL, "TreeEnsembleRegressor", attributes, [x])


@pytest.mark.parametrize("is_dense", [True, False])
@pytest.mark.parametrize("count", [1, FEW_ROWS, FEW_ROWS + 1, ROWS - 1, ROWS, 2 * ROWS + 3])
def test_trees_on_few_and_many_rows(count: int, is_dense: bool) -> None:
    attributes = drawn_trees(count, TREES + 1, 5, 2, "target", is_dense) | {"n_targets": 2}
    for x in rows(count, count, 5):
        assert_equals_definition(LEVEL, "TreeEnsembleRegressor", attributes, [x])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tracks_true", [0, 1])
@pytest.mark.parametrize("value", FINITE, ids=[f"{bits:08x}" for bits in FINITE.view(np.uint32)])
def test_a_branch_on_every_side_of_its_value(
    mode: str, tracks_true: int, value: np.float32
) -> None:
    attributes: Attributes = {
        "nodes_treeids": (0, 0, 0),
        "nodes_nodeids": (0, 1, 2),
        "nodes_featureids": (0, 0, 0),
        "nodes_modes": (mode, "LEAF", "LEAF"),
        "nodes_values": numbers([value, 0, 0]),
        "nodes_truenodeids": (1, 0, 0),
        "nodes_falsenodeids": (2, 0, 0),
        "nodes_missing_value_tracks_true": (tracks_true, 0, 0),
        "target_treeids": (0, 0),
        "target_nodeids": (1, 2),
        "target_ids": (0, 0),
        "target_weights": numbers([1, 2]),
    }
    near = int(value.view(np.uint32)) + np.array([-1, 0, 1])
    neighbours = near.astype(np.uint32).view(np.float32)
    x = np.concatenate([HOSTILE, neighbours]).reshape(-1, 1)
    assert_equals_definition(LEVEL, "TreeEnsembleRegressor", attributes, [x])


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        pytest.param(0x3F800000, 0x3F7FFFFF, id="1"),
        pytest.param(0xBF800000, 0xBF800001, id="-1"),
        pytest.param(0x00000000, 0x80000001, id="0"),
        pytest.param(0x80000000, 0x80000001, id="-0"),
        pytest.param(0x00000001, 0x00000000, id="the least subnormal"),
        pytest.param(0x80000001, 0x80000002, id="the greatest below zero"),
        pytest.param(0x00800000, 0x007FFFFF, id="the least normal"),
        pytest.param(0xFF7FFFFF, 0xFF800000, id="the least: -inf"),
    ],
)
def test_the_float_before_a_value(bits: int, expected: int) -> None:
    values = np.array([bits], np.uint32).view(np.float32)
    assert bits_before(values).tolist() == [expected]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("features", [1, 3, 70])
def test_linear_models(features: int, transform: str) -> None:
    for weights in (draw(1, "float32", 3, features), draw_finite(2, 3, features)):
        attributes: Attributes = {
            "coefficients": numbers(weights),
            "intercepts": numbers(draw(3, "float32", 3)),
            "post_transform": transform,
        }
        for x in rows(4, 5, features):
            labels: Attributes = {"classlabels_ints": (3, 1, 2)}
            given_labels = attributes | labels
            assert_equals_definition(LEVEL, "LinearClassifier", given_labels, [x], outputs=2)
            targets: Attributes = {"targets": 3}
            assert_equals_definition(LEVEL, "LinearRegressor", attributes | targets, [x])


KERNELS = [
    pytest.param("LINEAR", (0, 0, 0), id="LINEAR"),
    pytest.param("POLY", (0.5, -0.25, 3), id="POLY"),
    pytest.param("POLY", (0.5, -0.25, 0), id="POLY of degree 0"),
    pytest.param("RBF", (0.125, 0, 3), id="RBF"),
    pytest.param("SIGMOID", (0.125, 0.5, 3), id="SIGMOID"),
]


@pytest.mark.parametrize(("kernel", "parameters"), KERNELS)
@pytest.mark.parametrize("probabilities", [False, True], ids=["pairs", "probabilities"])
@pytest.mark.parametrize("counts", [(9, 8), (3, 0, 20), (1, 2, 3, 4)], ids=str)
def test_support_vector_machines(
    kernel: str, parameters: tuple[float, ...], probabilities: bool, counts: tuple[int, ...]
) -> None:
    vectors, classes, features = sum(counts), len(counts), 5
    pairs = classes * (classes - 1) // 2
    machine: Attributes = {
        "kernel_type": kernel,
        "kernel_params": numbers(parameters),
        "support_vectors": numbers(draw(1, "float32", vectors, features) / 8),
    }
    classifier: Attributes = {
        "classlabels_ints": tuple(range(classes)),
        "coefficients": numbers(draw(2, "float32", classes - 1, vectors)),
        "vectors_per_class": counts,
        "rho": numbers(draw(3, "float32", pairs)),
    }
    if probabilities:
        classifier["prob_a"] = numbers(draw(4, "float32", pairs))
        classifier["prob_b"] = numbers(draw(5, "float32", pairs))
    regressor: Attributes = {
        "coefficients": numbers(draw(2, "float32", vectors)),
        "n_supports": vectors,
        "one_class": int(probabilities),
        "rho": numbers([0.5]),
    }
    for x in rows(6, 4, features):
        attributes = machine | classifier
        assert_equals_definition(LEVEL, "SVMClassifier", attributes, [x], outputs=2)
        assert_equals_definition(LEVEL, "SVMRegressor", machine | regressor, [x])


@pytest.mark.parametrize("shape", [(3, 5), (7,), (2, 300)], ids=str)
def test_rows_before_a_model(shape: tuple[int, ...]) -> None:
    features = shape[-1]
    scaler: Attributes = {
        "offset": numbers(draw(1, "float32", features)),
        "scale": numbers(draw_finite(2, features)),
    }
    one: Attributes = {"offset": numbers([0.5]), "scale": numbers([3])}
    for x in rows(3, *shape):
        assert_equals_definition(LEVEL, "Scaler", scaler, [x])
        assert_equals_definition(LEVEL, "Scaler", one, [x])
        for norm in ("L1", "L2", "MAX"):
            assert_equals_definition(LEVEL, "Normalizer", {"norm": norm}, [x])
        places = np.array([[0, -1, features - 1, -features]], np.int64)
        for constants in ({1}, set[int]()):
            inputs = [x, places]
            assert_equals_definition(LEVEL, "ArrayFeatureExtractor", {}, inputs, constants)
