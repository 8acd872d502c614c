"""What ai.onnx.ml's classifiers share: integer labels, and a label beside the scores."""

import numpy as np

from cvm.inference.exact.ordering import index_of_largest
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import strings_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import integer_list
from cvm.inference.tensor_type import Array, TensorType

MAX_CLASSES = 2**16


def integer_labels(view: NodeView, integers: str, texts: str) -> Array:
    """Return the class labels, int64 and at least two; labels that are texts are refused."""
    if strings_attribute(view, texts):
        raise refusal(
            view,
            "attribute value",
            f"{texts}: labels are integers here; `cvm model prepare` maps texts to their places",
        )
    labels = integer_list(view, integers)
    if not 2 <= labels.size <= MAX_CLASSES:
        found = f"{integers} lists {labels.size} labels"
        raise refusal(view, "attribute value", f"{found}; taken: 2 to {MAX_CLASSES}")
    return labels


def label_and_scores(rows: int, columns: int) -> tuple[TensorType, ...]:
    """Return the types of a classifier's outputs: int64 (rows), float32 (rows, columns)."""
    return TensorType("int64", (rows,)), TensorType("float32", (rows, columns))


def labels_of_largest(labels: Array, scores: Array) -> Array:
    """Return the label of the largest score of each row; the first of equals, NaN above all."""
    return np.asarray(labels[index_of_largest(np.moveaxis(scores, 1, 0), last=False)])
