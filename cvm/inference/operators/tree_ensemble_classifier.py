"""TreeEnsembleClassifier: scores of classes summed over decision trees, and the best class."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.hyperbolic import sigmoid32
from cvm.inference.graph import NodeView
from cvm.inference.operators.classification import (
    integer_labels,
    label_and_scores,
    labels_of_largest,
)
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.post_transform import (
    post_transform_attribute,
    transform_cost,
    transformed,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.tree_ensemble import (
    NODE_ATTRIBUTES,
    NODE_WEIGHT_LISTS,
    TreeEnsemble,
    base_values,
    parse_trees,
    summed,
)
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = NODE_WEIGHT_LISTS | {
    "base_values",
    "class_ids",
    "class_nodeids",
    "class_treeids",
    "class_weights",
    "classlabels_int64s",
}

PROBABILITY, MARGIN, LOGISTIC_MARGIN = "PROBABILITY", "MARGIN", "LOGISTIC_MARGIN"
"""What the one column of a binary classifier holds, if all its trees give only one."""

HALF, ONE = np.float32(0.5), np.float32(1)


@dataclass(frozen=True, slots=True)
class TreeEnsembleClassifierParameters:
    """The trees over the rows, the labels, and the base value of each column.

    `binary` is empty, or says what the one column of a two-class ensemble means.
    """

    given: FeatureRows
    trees: TreeEnsemble
    labels: Array
    base: Array
    binary: str
    post_transform: str


def parse(view: NodeView) -> TreeEnsembleClassifierParameters:
    """Check the trees, at least two integer labels, and one base value for each column or none.

    Two classes of which only column 0 has weights are a binary ensemble; runtimes disagree about
    other single columns, and about SOFTMAX of one.
    """
    given = feature_rows(view)
    labels = integer_labels(view, "classlabels_int64s", "classlabels_strings")
    transform = post_transform_attribute(view, labels.size)
    trees = parse_trees(view, given.features, "class", labels.size)
    is_binary = labels.size == 2 and not (trees.columns != trees.columns[0]).any()
    binary = _binary_meaning(view, trees, transform) if is_binary else ""
    base = base_values(view, 1 if binary else labels.size)
    return TreeEnsembleClassifierParameters(given, trees, labels, base, binary, transform)


def _binary_meaning(view: NodeView, trees: TreeEnsemble, transform: str) -> str:
    """Return what the only column of a two-class ensemble holds."""
    if trees.columns[0] != 0:
        raise refusal(view, "attribute value", "class_ids is 1 throughout; one column is column 0")
    if transform == "LOGISTIC":
        return LOGISTIC_MARGIN
    if transform != "NONE":
        raise refusal(
            view, "attribute value", f"post_transform {transform} of one column: runtimes disagree"
        )
    return MARGIN if (trees.weights < 0).any() else PROBABILITY


def output_types(
    parameters: TreeEnsembleClassifierParameters, _view: NodeView
) -> tuple[TensorType, ...]:
    """Return int64 (rows) and float32 (rows, classes)."""
    return label_and_scores(parameters.given.rows, parameters.labels.size)


def cost(
    parameters: TreeEnsembleClassifierParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the walk, one comparison for each score, and the transform."""
    size = outputs[1].size
    walk = parameters.trees.walk_cost(parameters.given.rows, parameters.base.size)
    return walk + Cost(elementwise=size) + transform_cost(parameters.post_transform, size)


def tree_ensemble_classifier(
    parameters: TreeEnsembleClassifierParameters, x: Array
) -> tuple[Array, ...]:
    """Return TreeEnsembleClassifier-3: labels int64 (rows), scores float32 (rows, classes).

    The sum of a column starts at its base value; trees are added in ascending order of their ids,
    the weights of a leaf in the file's order, each addition rounded once. How a branch is taken:
    `tree_ensemble.leaves`. The label is that of the largest sum, the first of equals; the scores
    are the sums after `post_transform`.

    A binary ensemble (two labels, weights of column 0 only) has one sum s. As in onnxruntime:

    * NONE, no weight below 0: scores 1 - s, s; the second label where s > 0.5
    * NONE otherwise: scores -s, s; the second label where s > 0
    * LOGISTIC: scores sigmoid32(-s), sigmoid32(s); the second label where s > 0 (onnxruntime wants
      0.5 where no weight is below 0, though the scores are the same)
    """
    rows = as_float_rows(parameters.given, x)
    with np.errstate(all="ignore"):
        sums = summed(parameters.trees, rows, parameters.base)
        if not parameters.binary:
            labels = labels_of_largest(parameters.labels, sums)
            return labels, transformed(parameters.post_transform, sums)
        s = sums[:, 0]
        threshold = HALF if parameters.binary == PROBABILITY else np.float32(0)
        other = ONE - s if parameters.binary == PROBABILITY else -s
    scores = np.stack([other, s], axis=1)
    if parameters.binary == LOGISTIC_MARGIN:
        scores = sigmoid32(scores)
    return np.where(s > threshold, parameters.labels[1], parameters.labels[0]), scores


TREE_ENSEMBLE_CLASSIFIER = OpSpec(
    "TreeEnsembleClassifier",
    3,
    NODE_ATTRIBUTES
    | WEIGHT_LISTS
    | {
        "base_values_as_tensor",
        "class_weights_as_tensor",
        "classlabels_strings",
        "post_transform",
    },
    parse,
    output_types,
    cost,
    tree_ensemble_classifier,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
