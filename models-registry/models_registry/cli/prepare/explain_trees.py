"""Explains tree ensembles by second ensembles of the same branches whose leaves hold the answer.

They take the same branches as the model, ties and NaN included, as they have its nodes. Their
leaves hold whole numbers of which float32 keeps every partial sum (`MAX_WHOLE`), so that the sums
are exact in any order.

Contributions: the value of a leaf is its weight in units, rounded half to even; the value of a
branch is the mean of its children's, by `nodes_hitrates` (equal parts where none is above 0),
rounded likewise. A branch on the path adds the value of the child taken minus its own to its
feature (Saabas 2014, "Interpreting random forests"), so a path's sum telescopes: the root's value
and the contributions give the leaf's value, in the same integers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from cvm.inference.operators.op_spec import ML_DOMAIN
from cvm.inference.operators.post_transform import MAX_TARGETS
from cvm.inference.operators.tree_ensemble import TreeEnsemble
from cvm.inference.operators.tree_ensemble_classifier import TreeEnsembleClassifierParameters
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import DraftNode, FreshNames
from models_registry.cli.prepare.explained_node import ExplainedNode, feature_names
from models_registry.cli.prepare.explanation import (
    CONTRIBUTIONS,
    LEAVES,
    PATH,
    Explanation,
    Wanted,
)
from models_registry.cli.prepare.faults import CannotPrepare

MAX_WHOLE = 2**24
"""Up to here float32 holds every whole number."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the leaves of the second ensemble hold: (node, column, whole number), and the bases."""

    nodes: Array
    columns: Array
    weights: Array
    base: Array


@dataclass(frozen=True, slots=True)
class _Contributions:
    """Columns of contributions in some unit; `largest` sum of one, `rounding` of a whole score."""

    columns: _Columns
    unit: float
    largest: float
    rounding: float


class _Forest:
    """The trees of the model, what their nodes are called, and what hangs from what."""

    def __init__(self, found: ExplainedNode) -> None:
        self.found = found
        self.trees: TreeEnsemble = found.parameters.trees
        node = found.node
        self.tree_ids = np.array(node.ints("nodes_treeids"), np.int64)
        self.node_ids = np.array(node.ints("nodes_nodeids"), np.int64)
        self.tree_numbers = np.unique(self.tree_ids, return_inverse=True)[1]
        own = np.arange(len(self.node_ids))
        self.is_leaf = self.trees.true_children == own
        self.parents = np.full(len(own), -1)
        for children in (self.trees.true_children, self.trees.false_children):
            self.parents[children[~self.is_leaf]] = own[~self.is_leaf]

    def paths(self) -> Iterator[list[int]]:
        """Give the way from the root to each leaf."""
        parents = self.parents.tolist()
        for leaf in np.flatnonzero(self.is_leaf).tolist():
            path = [leaf]
            while (parent := parents[path[-1]]) >= 0:
                path.append(parent)
            yield path[::-1]

    def levels(self) -> list[Array]:
        """Return the branches by their distance from the root."""
        found, level = [], self.trees.roots
        while (level := level[~self.is_leaf[level]]).size:
            found.append(level)
            children = (self.trees.true_children[level], self.trees.false_children[level])
            level = np.concatenate(children)
        return found


def explain_trees(found: ExplainedNode, wanted: Wanted, fresh: FreshNames) -> Explanation:
    """Add the output to the draft and return what it means; raises `CannotPrepare`."""
    forest = _Forest(found)
    match wanted.kind:
        case "leaves":
            return _add_leaves(forest, fresh)
        case "path":
            return _add_path(forest, fresh)
        case _:
            return _add_contributions(forest, wanted.unit, fresh)


def _add_leaves(forest: _Forest, fresh: FreshNames) -> Explanation:
    """Give each tree a column, to which its leaf alone adds its id: exact, as 0 + id is."""
    leaves = np.flatnonzero(forest.is_leaf)
    count = len(forest.trees.roots)
    ids = _ids(forest, leaves)
    columns = _Columns(leaves, forest.tree_numbers[leaves], ids, np.zeros(count))
    meaning = "by tree, in ascending order of their ids, the node id of the leaf that was reached"
    return _add_output(forest, LEAVES, columns, (count,), fresh, meaning)


def _add_path(forest: _Forest, fresh: FreshNames) -> Explanation:
    """Give each tree a column per step: -1, to which the leaf adds id + 1 of the node there."""
    steps = int(forest.trees.depths.max()) + 1
    count = len(forest.trees.roots)
    leaves: list[int] = []
    nodes: list[int] = []
    places: list[int] = []
    for path in forest.paths():
        first = int(forest.tree_numbers[path[0]]) * steps
        leaves += [path[-1]] * len(path)
        nodes += path
        places += range(first, first + len(path))
    weights = _ids(forest, np.array(nodes)) + 1
    base = np.full(count * steps, -1.0)
    columns = _Columns(np.array(leaves), np.array(places), weights, base)
    meaning = (
        "by tree, in ascending order of their ids, the node ids from the root to the leaf, then -1"
    )
    return _add_output(forest, PATH, columns, (count, steps), fresh, meaning)


def _ids(forest: _Forest, nodes: Array) -> Array:
    ids = forest.node_ids[nodes]
    wrong = ids[(ids < 0) | (ids >= MAX_WHOLE)]
    if wrong.size:
        raise CannotPrepare(
            f"--explain: {forest.found.node.label()} has a node with the id {wrong[0]}; ids that "
            f"float32 keeps lie from 0 to {MAX_WHOLE - 1}"
        )
    return ids


def _add_contributions(forest: _Forest, unit: float | None, fresh: FreshNames) -> Explanation:
    values, base = _real_values(forest)
    made = _in_unit(forest, values, base, unit) if unit else _in_fitting_unit(forest, values, base)
    if made.largest > MAX_WHOLE:
        raise CannotPrepare(
            f"--explain contributions:{made.unit:.9g}: contributions reach {made.largest:,.0f} "
            f"units, float32 counts to {MAX_WHOLE:,}; leave UNIT out, or give at least "
            f"{made.unit * made.largest / MAX_WHOLE:.3g}"
        )
    features = forest.found.features
    meaning = (
        f"of {counted(features, 'feature')} to {_scores_text(forest, len(base))}; place "
        f"{features} holds the base value, and the sum of all places is the score"
    )
    return _add_output(
        forest, CONTRIBUTIONS, made.columns, (len(base), features + 1), fresh, meaning, made
    )


def _scores_text(forest: _Forest, scores: int) -> str:
    parameters = forest.found.parameters
    is_one = isinstance(parameters, TreeEnsembleClassifierParameters) and bool(parameters.binary)
    what = f"the score of label {parameters.labels[1]}" if is_one else counted(scores, "score")
    transform = parameters.post_transform
    return f"{what}, before {transform}" if transform != "NONE" else what


def _real_values(forest: _Forest) -> tuple[Array, Array]:
    """Return what each node adds to each score, and the base values; float64."""
    parameters, trees = forest.found.parameters, forest.trees
    aggregate = getattr(parameters, "aggregate", "SUM")
    if aggregate not in ("SUM", "AVERAGE"):
        raise CannotPrepare(
            f"--explain contributions: {forest.found.node.label()} takes the {aggregate} of its "
            "trees, which is no sum; leaves and path explain it"
        )
    values = np.zeros((len(forest.node_ids), parameters.base.size))
    places = np.repeat(np.arange(len(forest.node_ids)), np.diff(trees.starts))
    np.add.at(values, (places, trees.columns), trees.weights.astype(np.float64))
    parts = len(trees.roots) if aggregate == "AVERAGE" else 1
    return values / parts, parameters.base.astype(np.float64)


def _in_fitting_unit(forest: _Forest, values: Array, base: Array) -> _Contributions:
    """Return contributions in the smallest power of two in which every sum stays exact."""
    largest = max(float(np.abs(values).max()), float(np.abs(base).max()))
    if not largest:
        return _in_unit(forest, values, base, 1.0)
    unit = 2.0 ** (np.frexp(largest)[1] - 24)
    reached = _in_unit(forest, values, base, unit).largest
    unit *= 2.0 ** (np.frexp(max(reached, 1.0) / MAX_WHOLE)[1])
    while (made := _in_unit(forest, values, base, unit)).largest > MAX_WHOLE:
        unit *= 2.0
    return made


def _in_unit(forest: _Forest, values: Array, base: Array, unit: float) -> _Contributions:
    """Return contributions in a unit, by leaf, without those that are 0."""
    exact = values / unit
    whole = _whole_values(forest, np.rint(exact))
    whole_base = np.rint(base / unit)
    roots = whole[forest.trees.roots].sum(axis=0)
    width = forest.found.features + 1
    bases = np.zeros((len(base), width))
    bases[:, -1] = roots + whole_base
    entries = [_path_columns(forest, path, whole, width) for path in forest.paths()]
    nodes, columns, weights = (np.concatenate(part) for part in zip(*entries, strict=True))
    made = _Columns(nodes, columns, weights, bases.reshape(-1))
    worst = _sums_of_worst(forest.tree_numbers[nodes], columns, np.abs(weights), bases.size)
    errors = np.where(forest.is_leaf[:, None], np.abs(whole - exact), 0.0)
    by_tree = np.zeros((len(forest.trees.roots), len(base)))
    np.maximum.at(by_tree, forest.tree_numbers, errors)
    rounding = by_tree.sum(axis=0) + np.abs(whole_base - base / unit)
    largest = max(float(worst.max()), float(np.abs(bases).max()))
    return _Contributions(made, unit, largest, float(rounding.max()))


def _whole_values(forest: _Forest, leaves: Array) -> Array:
    """Return the value of every node, given those of the leaves, from the deepest branches up."""
    rates = forest.found.node.attributes.get("nodes_hitrates")
    count = len(forest.node_ids)
    given = np.array(rates, np.float64) if isinstance(rates, tuple) and rates else np.ones(count)
    shares = np.where(np.isfinite(given) & (given > 0), given, 0.0)
    values = leaves.copy()
    for level in reversed(forest.levels()):
        true, false = forest.trees.true_children[level], forest.trees.false_children[level]
        known = shares[true] + shares[false] > 0
        taken = np.where(known, shares[true], 1.0)[:, None]
        other = np.where(known, shares[false], 1.0)[:, None]
        values[level] = np.rint((values[true] * taken + values[false] * other) / (taken + other))
    return values


def _path_columns(
    forest: _Forest, path: list[int], whole: Array, width: int
) -> tuple[Array, Array, Array]:
    """Return leaf, column and contribution for every feature of a path that changes a score.

    The leaf of the first column stands even with 0, as no ensemble is without weights.
    """
    steps = whole[path[1:]] - whole[path[:-1]]
    features, places = np.unique(forest.trees.features[path[:-1]], return_inverse=True)
    sums = np.zeros((len(features), whole.shape[1]))
    np.add.at(sums, places, steps)
    rows, scores = np.nonzero(sums)
    if not rows.size:
        return np.array(path[-1:]), np.zeros(1, np.int64), np.zeros(1)
    return np.full(len(rows), path[-1]), scores * width + features[rows], sums[rows, scores]


def _sums_of_worst(trees: Array, columns: Array, sizes: Array, count: int) -> Array:
    """Return, by column, the sum over the trees of the largest size in any leaf of each."""
    keys = trees * count + columns
    order = keys.argsort(kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    largest = np.maximum.reduceat(sizes[order], starts)
    sums = np.zeros(count)
    np.add.at(sums, columns[order][starts], largest)
    return sums


def _add_output(
    forest: _Forest,
    kind: str,
    columns: _Columns,
    shape: tuple[int, ...],
    fresh: FreshNames,
    meaning: str,
    made: _Contributions | None = None,
) -> Explanation:
    """Add TreeEnsembleRegressor, Cast to int32 and, for more axes, Reshape."""
    found = forest.found
    name = fresh.take(kind)
    nodes = [_ensemble(forest, columns, fresh.take(f"{name}_real"))]
    full_shape = (found.rows, *shape)
    flat = fresh.take(f"{name}_flat") if len(shape) > 1 else name
    to_integers = {"to": int(TensorProto.INT32)}
    nodes.append(DraftNode("Cast", [nodes[0].outputs[0]], [flat], dict(to_integers)))
    if len(shape) > 1:
        label = fresh.take(f"{name}_shape")
        found.draft.constants[label] = np.array(full_shape, np.int64)
        nodes.append(DraftNode("Reshape", [flat, label], [name]))
    found.draft.nodes += nodes
    found.draft.outputs.append(name)
    if made is None:
        return Explanation(kind, name, "int32", full_shape, meaning)
    rounding = (
        "the sum is exact" if not made.rounding else
        f"the sum lies within {made.rounding:.3g} units of the exact score"
    )  # fmt: skip
    names = feature_names(found)
    return Explanation(kind, name, "int32", full_shape, meaning, (made.unit,), rounding, names)


def _ensemble(forest: _Forest, columns: _Columns, output: str) -> DraftNode:
    """Return a regressor of the same nodes with other weights."""
    if columns.base.size > MAX_TARGETS:
        raise CannotPrepare(
            f"--explain: the output would have {columns.base.size} places, at most {MAX_TARGETS}"
        )
    node = forest.found.node
    attributes = {
        name: value
        for name, value in node.attributes.items()
        if name.startswith("nodes_") and "hitrates" not in name
    }
    attributes["n_targets"] = int(columns.base.size)
    attributes["target_treeids"] = tuple(forest.tree_ids[columns.nodes].tolist())
    attributes["target_nodeids"] = tuple(forest.node_ids[columns.nodes].tolist())
    attributes["target_ids"] = tuple(columns.columns.tolist())
    attributes["target_weights"] = tuple(columns.weights.astype(np.float32))
    if columns.base.any():
        attributes["base_values"] = tuple(columns.base.astype(np.float32))
    source = forest.found.source
    return DraftNode("TreeEnsembleRegressor", [source], [output], attributes, domain=ML_DOMAIN)
