"""Tree ensembles: eight trees are walked side by side, then their leaves are added up in order."""

import numpy as np

from cvm.inference.backends.cpu import definition, scores
from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.feature_rows import FeatureRows
from cvm.inference.operators.tree_ensemble import TreeEnsemble
from cvm.inference.operators.tree_ensemble_classifier import (
    LOGISTIC_MARGIN,
    PROBABILITY,
    TreeEnsembleClassifierParameters,
)
from cvm.inference.operators.tree_ensemble_regressor import TreeEnsembleRegressorParameters
from cvm.inference.tensor_type import Array

LANES = 8
"""Trees that are walked side by side: their loads do not wait for each other."""

NODE_WORDS = 4
"""A node is 16 bytes: 16 * feature + ways, value, false child, true child."""


@kernel
def sum_leaves(
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
    base: Array,
    sums: Array,
) -> None:
    """Equal `operators.tree_ensemble.summed` on flat rows; `values` is the memory of `words`.

    The trees stand by depth in `roots`, `LANES` of one depth of `depths` together; tree t is at
    `slots[t]`. A leaf is its own child, so that a shallower tree waits there.
    """
    width = len(base)
    for row in range(len(sums) // width):
        first = row * features
        for block in range(len(depths)):
            start = block * LANES
            for lane in range(LANES):
                places[start + lane] = roots[start + lane]
            for _ in range(depths[block]):
                for lane in range(LANES):
                    word = places[start + lane] * NODE_WORDS
                    head = words[word]
                    feature, value = x[first + (head >> 4)], values[word + 1]
                    relation = np.int32(feature == value)
                    relation += np.int32(2) * np.int32(feature > value)
                    relation += np.int32(3) * np.int32(feature != feature)
                    places[start + lane] = words[word + 2 + ((head >> relation) & 1)]
        out = row * width
        for column in range(width):
            sums[out + column] = base[column]
        for tree in range(len(slots)):
            leaf = places[slots[tree]]
            for i in range(starts[leaf], starts[leaf + 1]):
                sums[out + columns[i]] += weights[i]


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
    builder: StepBuilder, given: FeatureRows, trees: TreeEnsemble, base: Array, sums: object
) -> None:
    """Plan the sums of every row, from `base`."""
    words = node_words(trees)
    order = trees.depths.argsort(kind="stable")
    slots = np.empty(len(order), np.int32)
    slots[order] = np.arange(len(order))
    spare = -len(order) % LANES
    padded = np.concatenate([order, np.repeat(order[-1:], spare)])
    builder.add(
        sum_leaves,
        scores.float_rows(builder),
        given.features,
        words,
        words.view(np.float32),
        trees.roots[padded],
        np.ascontiguousarray(trees.depths[padded][LANES - 1 :: LANES]),
        slots,
        builder.scratch("int32", len(padded)),
        trees.starts,
        trees.columns,
        trees.weights,
        base,
        sums,
    )


def node_words(trees: TreeEnsemble) -> Array:
    """Return the nodes as int32, `NODE_WORDS` each; a value stands there by its bits."""
    words = np.empty((len(trees.values), NODE_WORDS), np.int32)
    words[:, 0] = trees.features * 16 + trees.ways
    words[:, 1] = np.ascontiguousarray(trees.values).view(np.int32)
    words[:, 2] = trees.false_children
    words[:, 3] = trees.true_children
    return words.reshape(-1)
