"""How the scores of ai.onnx.ml's models become what they return: `post_transform`."""

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.hyperbolic import sigmoid32
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

MAX_TARGETS = 2**16
"""Scores that a regressor may give for one row."""

NEAR_ZERO = np.float32(1e-7)
"""SOFTMAX_ZERO takes a score up to this magnitude for 0."""

HALF = np.float32(0.5)

STEPS = {"NONE": 0, "LOGISTIC": 0, "SOFTMAX": 4, "SOFTMAX_ZERO": 5}
"""Scalar steps for each score, beside one transcendental unless the transform is NONE."""


def post_transform_attribute(view: NodeView, columns: int) -> str:
    """Return the transform of a model with `columns` scores, each of a row of its own.

    PROBIT is refused, as runtimes approximate it by different constants; so is a transform of one
    score alone, which onnxruntime leaves out.
    """
    name = string_attribute(view, "post_transform", "NONE")
    if name not in STEPS:
        known = ", ".join(STEPS)
        raise refusal(view, "attribute value", f"post_transform {name!r:.40}; taken: {known}")
    if name != "NONE" and columns == 1:
        raise refusal(
            view,
            "attribute value",
            f"post_transform {name} of one score: runtimes disagree; apply it in a node after NONE",
        )
    return name


def transform_cost(name: str, size: int) -> Cost:
    """Count the steps of a transform of `size` scores."""
    return Cost(elementwise=size * STEPS[name], transcendental=0 if name == "NONE" else size)


def transformed(name: str, scores: Array) -> Array:
    """Return float32 scores (rows, columns) transformed row by row, each step rounded once.

    * LOGISTIC: `sigmoid32` of each.
    * SOFTMAX: m = fold of Max along the row; e = exp32(v - m); e / ordered_sum(e).
    * SOFTMAX_ZERO: m and the quotient likewise, but a v with |v| <= NEAR_ZERO gives
      e = v * exp32(-m), which keeps a zero; where the sum is 0, each score is 0.5.
    """
    if name == "NONE":
        return scores
    if name == "LOGISTIC":
        return sigmoid32(scores)
    columns = np.ascontiguousarray(np.moveaxis(scores, 1, 0))
    greatest = columns[0]
    for column in columns[1:]:
        greatest = larger(greatest, column)
    with np.errstate(all="ignore"):
        exponentials = exp32(columns - greatest)
        if name == "SOFTMAX_ZERO":
            kept = columns * exp32(-greatest)
            exponentials = np.where(np.abs(columns) <= NEAR_ZERO, kept, exponentials)
        total = ordered_sum(exponentials)
        quotients = exponentials / total
        if name == "SOFTMAX_ZERO":
            quotients = np.where(total == 0, HALF, quotients)
    return np.ascontiguousarray(np.moveaxis(quotients, 0, 1))
