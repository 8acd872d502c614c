"""Tree ensembles: a thread for each row and tree finds a leaf, then one for each row adds up."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.backends.cuda.scores import (
    add_label_of_sign,
    add_labels,
    add_transformed,
    rows_of,
    side_by_side,
)
from cvm.inference.operators.tree_ensemble import TreeEnsemble
from cvm.inference.operators.tree_ensemble_classifier import (
    HALF,
    LOGISTIC_MARGIN,
    PROBABILITY,
    TreeEnsembleClassifierParameters,
)
from cvm.inference.operators.tree_ensemble_regressor import TreeEnsembleRegressorParameters
from cvm.inference.tensor_type import Array

Builder = Callable[[LaunchBuilder], None]

SOURCE = "models"


def collected(
    composer: Composer, trees: TreeEnsemble, rows: Tensor, base: Array, kernel: str
) -> Tensor:
    """Return what rows collect (rows, columns): `leaf_sums`, `least` or `greatest` weights."""
    count = len(trees.roots)
    lists = (trees.roots, trees.features, trees.values, trees.ways)
    tables = [composer.constant(table).place for table in lists]
    tables += [composer.constant(t).place for t in (trees.true_children, trees.false_children)]
    leaves = composer.scratch("int32", rows.shape[0], count)
    walk = (leaves.size, count, rows.shape[1])
    composer.launch(SOURCE, "find_leaves", leaves.size, leaves.place, rows.place, *tables, *walk)
    weights = [
        composer.constant(t).place for t in (trees.starts, trees.columns, trees.weights, base)
    ]
    y = composer.scratch("float32", rows.shape[0], base.size)
    seen = composer.scratch("uint8", *y.shape)
    extents = (rows.shape[0], count, base.size, int(kernel == "least"))
    name = "leaf_sums" if kernel == "leaf_sums" else "leaf_extremes"
    words = (y.place, leaves.place, *weights, seen.place)
    composer.launch(SOURCE, name, rows.shape[0], *words, *extents)
    return y


def build_regressor(builder: LaunchBuilder) -> None:
    """Launch TreeEnsembleRegressor-3."""
    composer = Composer(builder)
    by: TreeEnsembleRegressorParameters = builder.node.parameters
    rows = rows_of(composer, by.given)
    if by.aggregate == "SUM":
        sums = collected(composer, by.trees, rows, by.base, "leaf_sums")
    elif by.aggregate == "AVERAGE":
        sums = collected(composer, by.trees, rows, np.zeros_like(by.base), "leaf_sums")
        sums = composer.binary("div", sums, composer.number(len(by.trees.roots)), sums)
    else:
        kernel = "least" if by.aggregate == "MIN" else "greatest"
        sums = collected(composer, by.trees, rows, by.base, kernel)
    if by.aggregate != "SUM":
        sums = composer.binary("add", sums, composer.constant(by.base), sums)
    add_transformed(composer, by.post_transform, sums, composer.result())


def build_classifier(builder: LaunchBuilder) -> None:
    """Launch TreeEnsembleClassifier-3."""
    composer = Composer(builder)
    by: TreeEnsembleClassifierParameters = builder.node.parameters
    sums = collected(composer, by.trees, rows_of(composer, by.given), by.base, "leaf_sums")
    labels, scores = composer.result(0), composer.result(1)
    if not by.binary:
        add_labels(composer, by.labels, sums, labels)
        add_transformed(composer, by.post_transform, sums, scores)
        return
    is_share = by.binary == PROBABILITY
    add_label_of_sign(composer, by.labels, sums, HALF if is_share else np.float32(0), labels)
    if is_share:
        other = composer.binary("sub", composer.number(1), sums)
    else:
        other = composer.function("neg", sums)
    pair = side_by_side(composer, other, sums)
    transform = "LOGISTIC" if by.binary == LOGISTIC_MARGIN else "NONE"
    add_transformed(composer, transform, pair, scores)


ML_BUILDERS = MappingProxyType[str, Builder](
    {"TreeEnsembleClassifier": build_classifier, "TreeEnsembleRegressor": build_regressor}
)
