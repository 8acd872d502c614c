"""Trees as nested Python values, their ONNX form, and a walk of its own over them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tests.unit.models_registry.prepared import ordinary


@dataclass(frozen=True)
class Leaf:
    """A leaf and what it adds to each score."""

    weights: Mapping[int, float]
    rate: float = 1.0


@dataclass(frozen=True)
class Branch:
    """A comparison of a feature with a value; a NaN goes to `true` where `missing` says so."""

    feature: int
    value: float
    true: "Tree"
    false: "Tree"
    mode: str = "BRANCH_LEQ"
    missing: bool = False
    rate: float = 1.0


Tree = Leaf | Branch


@dataclass
class Ensemble:
    """Trees by id, and what their node has beside them."""

    trees: Mapping[int, Tree]
    features: int
    scores: int = 1
    kind: str = "TreeEnsembleRegressor"
    attributes: dict[str, Any] = field(default_factory=dict)

    def ordered(self) -> list[Tree]:
        """Return the trees by ascending id."""
        return [self.trees[number] for number in sorted(self.trees)]


TAKES_TRUE = {
    "BRANCH_LEQ": lambda x, value: x <= value,
    "BRANCH_LT": lambda x, value: x < value,
    "BRANCH_GTE": lambda x, value: x >= value,
    "BRANCH_GT": lambda x, value: x > value,
    "BRANCH_EQ": lambda x, value: x == value,
    "BRANCH_NEQ": lambda x, value: x != value,
}


def nodes_of(tree: Tree) -> Iterator[Tree]:
    """Give the nodes of a tree, each branch before its true and then its false side."""
    yield tree
    if isinstance(tree, Branch):
        yield from nodes_of(tree.true)
        yield from nodes_of(tree.false)


def node_id(tree: Tree, node: Tree) -> int:
    """Return a node's id: 10, 13, 16 ... in the order of `nodes_of`."""
    return 10 + 3 * next(place for place, one in enumerate(nodes_of(tree)) if one is node)


def path_of(tree: Tree, row: Sequence[float]) -> list[Tree]:
    """Return the nodes from the root to the leaf that a row reaches."""
    path = [tree]
    while isinstance(node := path[-1], Branch):
        x = np.float32(row[node.feature])
        takes = node.missing if np.isnan(x) else TAKES_TRUE[node.mode](x, np.float32(node.value))
        path.append(node.true if takes else node.false)
    return path


def ensemble_model(ensemble: Ensemble, rows: int = 1) -> onnx.ModelProto:
    """Return an ordinary file of ai.onnx.ml 3 with input x and the trees in the order given."""
    lists: dict[str, list[Any]] = {}

    def add(**values: Any) -> None:
        for name, value in values.items():
            lists.setdefault(name, []).append(value)

    prefix = "class" if ensemble.kind == "TreeEnsembleClassifier" else "target"
    for tree_id, tree in ensemble.trees.items():
        for node in nodes_of(tree):
            own, is_branch = node_id(tree, node), isinstance(node, Branch)
            add(nodes_treeids=tree_id, nodes_nodeids=own, nodes_hitrates=float(node.rate))
            add(
                nodes_modes=node.mode if isinstance(node, Branch) else "LEAF",
                nodes_featureids=node.feature if isinstance(node, Branch) else 0,
                nodes_values=float(node.value) if isinstance(node, Branch) else 0.0,
                nodes_truenodeids=node_id(tree, node.true) if isinstance(node, Branch) else 0,
                nodes_falsenodeids=node_id(tree, node.false) if isinstance(node, Branch) else 0,
                nodes_missing_value_tracks_true=int(isinstance(node, Branch) and node.missing),
            )
            for score, weight in {} if is_branch else node.weights.items():  # type: ignore[union-attr]
                names = ("treeids", "nodeids", "ids", "weights")
                values = (tree_id, own, score, float(weight))
                add(**{f"{prefix}_{n}": v for n, v in zip(names, values, strict=True)})
    outputs = ["y"]
    attributes: dict[str, Any] = {**lists, **ensemble.attributes}
    if prefix == "class":
        outputs = ["label", "y"]
        attributes["classlabels_int64s"] = list(range(max(ensemble.scores, 2)))
    else:
        attributes["n_targets"] = ensemble.scores
    node = helper.make_node(ensemble.kind, ["x"], outputs, domain="ai.onnx.ml", **attributes)
    x = np.zeros((rows, ensemble.features), np.float32)
    return ordinary([node], {"x": x}, outputs, ml_opset=3)
