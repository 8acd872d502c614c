"""LinearClassifier: a dot product for each class, and the best class."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.hyperbolic import sigmoid32
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.classification import (
    integer_labels,
    label_and_scores,
    labels_of_largest,
)
from cvm.inference.operators.linear_scores import LinearScores, linear_scores, linear_sums
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.post_transform import (
    post_transform_attribute,
    transform_cost,
    transformed,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import float_list
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = frozenset({"classlabels_ints", "coefficients", "intercepts"})


@dataclass(frozen=True, slots=True)
class LinearClassifierParameters:
    """The scores, the labels, and the transform; two labels may share one score."""

    scores: LinearScores
    labels: Array
    post_transform: str

    @property
    def is_binary(self) -> bool:
        """Return whether there is one score for two labels."""
        return self.scores.columns == 1


def parse(view: NodeView) -> LinearClassifierParameters:
    """Check the rows, at least two integer labels, intercepts, and coefficients for each.

    Two labels may have one intercept: then `post_transform` is LOGISTIC, as runtimes disagree
    about the first column otherwise. `multi_class` is read over; no runtime uses it.
    """
    int_attribute(view, "multi_class", 0)
    labels = integer_labels(view, "classlabels_ints", "classlabels_strings")
    columns = float_list(view, "intercepts").size
    if columns != labels.size and (columns, labels.size) != (1, 2):
        found = f"intercepts has {columns} elements"
        raise refusal(view, "attribute value", f"{found}, there are {labels.size} labels")
    transform = post_transform_attribute(view, labels.size)
    if columns == 1 and transform != "LOGISTIC":
        raise refusal(
            view,
            "attribute value",
            f"post_transform {transform} of one score for two labels: runtimes disagree; "
            "give each label its coefficients",
        )
    return LinearClassifierParameters(linear_scores(view, columns), labels, transform)


def output_types(parameters: LinearClassifierParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int64 (rows) and float32 (rows, classes)."""
    return label_and_scores(parameters.scores.given.rows, parameters.labels.size)


def cost(
    parameters: LinearClassifierParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the products, the intercepts, a comparison for each score, and the transform."""
    size = outputs[1].size
    products = parameters.scores.product_cost()
    return products + Cost(elementwise=size) + transform_cost(parameters.post_transform, size)


def linear_classifier(parameters: LinearClassifierParameters, x: Array) -> tuple[Array, ...]:
    """Return LinearClassifier-1: labels int64 (rows), scores float32 (rows, classes).

    Each score is a dot product, `acc = fma(x, coefficient, acc)` from +0 with features ascending,
    then + intercept, rounded once. The label is that of the largest, the first of equals; the
    scores are then transformed by `post_transform`. One score s for two labels gives
    sigmoid32(-s), sigmoid32(s), and the second label where s > 0.
    """
    sums = linear_sums(parameters.scores, x)
    if not parameters.is_binary:
        labels = labels_of_largest(parameters.labels, sums)
        return labels, transformed(parameters.post_transform, sums)
    s = sums[:, 0]
    scores = sigmoid32(np.stack([-s, s], axis=1))
    return np.where(s > 0, parameters.labels[1], parameters.labels[0]), scores


LINEAR_CLASSIFIER = OpSpec(
    "LinearClassifier",
    1,
    WEIGHT_LISTS | {"classlabels_strings", "multi_class", "post_transform"},
    parse,
    output_types,
    cost,
    linear_classifier,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
