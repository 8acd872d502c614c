"""Tree ensembles: many rows, or many trees, are walked side by side; leaves are added in order."""

from typing import Any

import numpy as np

from cvm.inference.backends.cpu import definition, scores
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.tree_nodes import lowered
from cvm.inference.operators.feature_rows import FeatureRows
from cvm.inference.operators.tree_ensemble import TreeEnsemble
from cvm.inference.operators.tree_ensemble_classifier import (
    LOGISTIC_MARGIN,
    PROBABILITY,
    TreeEnsembleClassifierParameters,
)
from cvm.inference.operators.tree_ensemble_regressor import TreeEnsembleRegressorParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import inlined, kernel

TREES = 16
"""Trees that are walked side by side for a single row: their loads do not wait for each other."""

ROWS = 64
"""Rows that are walked side by side: with the nodes of one tree they fill the first cache."""

FEW_ROWS = 4
"""So many rows are walked one after the other, each down `TREES` trees at once."""


@inlined
def child(x: Array, row: int, words: Array, values: Array, place: np.uint32) -> np.uint32:
    """Return where a row goes from the node at `place`: right unless its feature is <= value."""
    is_left = x[np.uint64(row + words[place])] <= values[place + np.uint32(1)]
    below: np.uint32 = words[place + (np.uint32(2) if is_left else np.uint32(3))]
    return below


@inlined
def add_leaf(
    node: np.uint32,
    starts: Array,
    columns: Array,
    weights: Array,
    is_dense: bool,
    sums: Array,
    start: int,
) -> None:
    """Add what a leaf holds to the sums of a row, which are at `start`, in the file's order."""
    first, count = np.uint64(starts[node]), starts[node + np.uint32(1)] - starts[node]
    for i in range(count):
        column = i if is_dense else columns[first + np.uint64(i)]
        sums[np.uint64(start + column)] += weights[first + np.uint64(i)]


@kernel
def walk_trees(
    x: Array,
    features: int,
    words: Array,
    values: Array,
    roots: Array,
    depths: Array,
    slots: Array,
    places: Array,
    starts: Array,
    columns: Array,
    weights: Array,
    is_dense: bool,
    base: Array,
    sums: Array,
) -> None:
    """Equal `operators.tree_ensemble.summed` on flat rows; `values` is the memory of `words`.

    The trees stand by depth in `roots`, `TREES` of at most one depth of `depths` together; tree t
    is at `slots[t]`. A leaf is its own child, so that a shallower tree waits there.
    """
    width = len(base)
    for row in range(len(sums) // width):
        for block in range(len(depths)):
            first = block * TREES
            lanes = places[first : first + TREES]
            for lane in range(TREES):
                lanes[lane] = roots[first + lane]
            for _ in range(depths[block]):
                for lane in range(TREES):
                    lanes[lane] = child(x, row * features, words, values, lanes[lane])
        start = row * width
        for column in range(width):
            sums[start + column] = base[column]
        for tree in range(len(slots)):
            node = places[slots[tree]] >> np.uint32(2)
            add_leaf(node, starts, columns, weights, is_dense, sums, start)


@kernel
def walk_rows(
    x: Array,
    features: int,
    words: Array,
    values: Array,
    roots: Array,
    depths: Array,
    places: Array,
    starts: Array,
    columns: Array,
    weights: Array,
    is_dense: bool,
    base: Array,
    sums: Array,
) -> None:
    """Equal `walk_trees`, `ROWS` rows side by side down one tree after the other."""
    width = len(base)
    rows = len(sums) // width
    for i in range(len(sums)):
        sums[i] = base[i % width]
    for first in range(0, rows, ROWS):
        lanes = places[: min(ROWS, rows - first)]
        for tree in range(len(roots)):
            for lane in range(len(lanes)):
                lanes[lane] = roots[tree]
            for _ in range(depths[tree]):
                for lane in range(len(lanes)):
                    row = (first + lane) * features
                    lanes[lane] = child(x, row, words, values, lanes[lane])
            for lane in range(len(lanes)):
                start = (first + lane) * width
                node = lanes[lane] >> np.uint32(2)
                add_leaf(node, starts, columns, weights, is_dense, sums, start)


@kernel
def repeat_features(x: Array, features: int, y: Array) -> None:
    """Write each row twice, the second time with -inf for NaN."""
    for row in range(len(x) // features):
        source = x[row * features :]
        target, second = y[2 * row * features :], y[(2 * row + 1) * features :]
        for i in range(features):
            value = source[i]
            target[i] = value
            second[i] = value if value == value else np.float32(-np.inf)


@kernel
def divide_and_add(sums: Array, count: np.float32, base: Array) -> None:
    """Replace each sum s of a row by s / count + base."""
    width = len(base)
    for i in range(len(sums)):
        sums[i] = sums[i] / count + base[i % width]


def build_classifier(builder: StepBuilder) -> None:
    """Plan a TreeEnsembleClassifier."""
    parameters: TreeEnsembleClassifierParameters = builder.node.parameters
    chosen, result = (flat(array) for array in builder.results)
    given, base = parameters.given, parameters.base
    if not parameters.binary:
        add_walk(builder, given, parameters.trees, base, result)
        scores.add_labels(builder, parameters.labels, result, chosen)
        scores.add_transform(builder, parameters.post_transform, base.size, result)
        return
    sums = builder.scratch("float32", given.rows)
    add_walk(builder, given, parameters.trees, base, sums)
    is_probability = parameters.binary == PROBABILITY
    builder.add(scores.margin_scores, sums, is_probability, parameters.labels, chosen, result)
    if parameters.binary == LOGISTIC_MARGIN:
        scores.add_transform(builder, "LOGISTIC", 2, result)


def build_regressor(builder: StepBuilder) -> None:
    """Plan a TreeEnsembleRegressor; MIN and MAX run by the definition."""
    parameters: TreeEnsembleRegressorParameters = builder.node.parameters
    trees, base = parameters.trees, parameters.base
    if parameters.aggregate not in ("SUM", "AVERAGE"):
        definition.build(builder)
        return
    result = flat(builder.results[0])
    averages = parameters.aggregate == "AVERAGE"
    start = np.zeros_like(base) if averages else base
    add_walk(builder, parameters.given, trees, start, result)
    if averages:
        builder.add(divide_and_add, result, np.float32(len(trees.roots)), base)
    scores.add_transform(builder, parameters.post_transform, base.size, result)


def add_walk(
    builder: StepBuilder, given: FeatureRows, trees: TreeEnsemble, base: Array, sums: Any
) -> None:
    """Plan the sums of every row, from `base`."""
    nodes = lowered(trees, given.features)
    x, features = scores.float_rows(builder), given.features
    if nodes.reads_repeated:
        repeated = builder.scratch("float32", 2 * given.rows * features)
        builder.add(repeat_features, x, features, repeated)
        x, features = repeated, 2 * features
    walked = (x, features, nodes.words, nodes.words.view(np.float32))
    leaves = (trees.starts, trees.columns, trees.weights, is_dense(trees, base.size), base, sums)
    if given.rows > FEW_ROWS:
        places = builder.scratch("uint32", ROWS)
        builder.add(walk_rows, *walked, nodes.roots, nodes.depths, places, *leaves)
        return
    order = nodes.depths.argsort(kind="stable")
    slots = np.empty(len(order), np.int32)
    slots[order] = np.arange(len(order))
    padded = np.concatenate([order, np.repeat(order[-1:], -len(order) % TREES)])
    depths = np.ascontiguousarray(nodes.depths[padded][TREES - 1 :: TREES])
    places = builder.scratch("uint32", len(padded))
    builder.add(walk_trees, *walked, nodes.roots[padded], depths, slots, places, *leaves)


def is_dense(trees: TreeEnsemble, width: int) -> bool:
    """Say whether each leaf holds one weight for each column, in order."""
    counts = np.unique(trees.starts[1:] - trees.starts[:-1])
    return set(counts.tolist()) <= {0, width} and bool(
        (trees.columns.reshape(-1, width) == np.arange(width)).all()
    )
