"""Builds the tree ensembles that are timed: 100 trees, as scikit-learn's forests are exported."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from bench.networks import IR_VERSION, OPSET

SEED = 20_015
ML_VERSION = 3
TREES = 100
DEPTH = 8
FEATURES = 64
CLASSES = 10
EARLIEST_LEAF = 4
EARLY_LEAF_SHARE = 0.1
"""Of the nodes between `EARLIEST_LEAF` and `DEPTH`, these many are leaves."""

COLUMNS = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")


class TreeBuilder:
    """Draws trees and lists their nodes and the weights of their leaves."""

    def __init__(self, columns: int) -> None:
        self.nodes: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self.leaves: list[tuple[int, int, int, float]] = []
        self._columns = columns
        self._rng = np.random.default_rng(SEED)

    def grow(self, tree: int, first: int, level: int) -> int:
        """Add a node and all below it; return its number in its tree, which starts at `first`."""
        place = len(self.nodes["treeids"])
        node = place - first
        for name, column in self.nodes.items():
            column.append("LEAF" if name == "modes" else 0.0 if name == "values" else 0)
        self.nodes["treeids"][place], self.nodes["nodeids"][place] = tree, node
        is_early = level >= EARLIEST_LEAF and self._rng.random() < EARLY_LEAF_SHARE
        if level == DEPTH or is_early:
            for index, weight in enumerate(self._weights()):
                self.leaves.append((tree, node, index, weight / TREES))
            return node
        self.nodes["modes"][place] = "BRANCH_LEQ"
        self.nodes["featureids"][place] = int(self._rng.integers(FEATURES))
        self.nodes["values"][place] = float(np.float32(self._rng.standard_normal()))
        self.nodes["truenodeids"][place] = self.grow(tree, first, level + 1)
        self.nodes["falsenodeids"][place] = self.grow(tree, first, level + 1)
        return node

    def _weights(self) -> list[float]:
        """Return a leaf's chances, or its number where it has one."""
        if self._columns == 1:
            return [float(self._rng.standard_normal())]
        return [float(chance) for chance in self._rng.dirichlet(np.ones(self._columns))]

    def attributes(self, prefix: str) -> dict[str, Any]:
        """Return the attributes of `TREES` trees; weights go by the name of `prefix`."""
        for tree in range(TREES):
            self.grow(tree, len(self.nodes["treeids"]), 0)
        tree_ids, node_ids, ids, weights = (list(part) for part in zip(*self.leaves, strict=True))
        return {
            **{f"nodes_{name}": column for name, column in self.nodes.items()},
            f"{prefix}_treeids": tree_ids,
            f"{prefix}_nodeids": node_ids,
            f"{prefix}_ids": ids,
            f"{prefix}_weights": weights,
        }


def tree_classifier(rows: int) -> onnx.ModelProto:
    """Return a forest that gives each row a label and `CLASSES` probabilities."""
    node = helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "probabilities"],
        name="trees",
        domain="ai.onnx.ml",
        classlabels_int64s=list(range(CLASSES)),
        **TreeBuilder(CLASSES).attributes("class"),
    )
    label = helper.make_tensor_value_info("label", TensorProto.INT64, [rows])
    chances = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [rows, CLASSES])
    return ensemble(node, rows, [label, chances])


def tree_regressor(rows: int) -> onnx.ModelProto:
    """Return a forest that gives each row a number."""
    attributes = TreeBuilder(1).attributes("target")
    attributes["n_targets"] = 1
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], name="trees", domain="ai.onnx.ml", **attributes
    )
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, 1])
    return ensemble(node, rows, [y])


def ensemble(
    node: onnx.NodeProto, rows: int, outputs: list[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    """Return the model of one node."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, FEATURES])
    graph = helper.make_graph([node], "trees", [x], outputs)
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_VERSION)]
    return helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION)
