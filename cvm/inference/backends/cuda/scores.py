"""What the models of ai.onnx.ml share: rows as float32, products, labels, transforms."""

import numpy as np

from cvm.inference.backends.cuda.choosing import add_slices
from cvm.inference.backends.cuda.composition import Composer, Tensor
from cvm.inference.backends.cuda.products_f32 import add_plain_product
from cvm.inference.operators.feature_rows import FeatureRows
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.operators.post_transform import HALF, NEAR_ZERO
from cvm.inference.tensor_type import Array


def rows_of(composer: Composer, given: FeatureRows) -> Tensor:
    """Return input 0 as float32 (rows, features)."""
    return composer.cast(composer.operand(0), "float32").shaped(given.rows, given.features)


def dot_rows(composer: Composer, rows: Tensor, weights: Array) -> Tensor:
    """Return the dot products (n, m) of rows (n, k) and constant weights (m, k)."""
    shape = (rows.shape[0], weights.shape[0])
    across = composer.constant(np.ascontiguousarray(weights.transpose()))
    y = composer.scratch("float32", *shape)
    product = MatrixProductShape(rows.shape, across.shape, (), shape)
    add_plain_product(composer.builder, product, y.place, rows.place, across.place)
    return y


def add_labels(composer: Composer, labels: Array, scores: Tensor, y: Tensor) -> None:
    """Append the label of the largest score of each row: the first of equals, NaN above all."""
    rows, classes = scores.shape
    index = composer.scratch("int64", rows)
    words = (index.place, scores.place, rows, classes, 1, 0)
    composer.launch("reductions", f"argmax_{scores.dtype}", rows, *words)
    places = composer.cast(index, "int32")
    add_slices(composer, composer.constant(labels), (labels.size, 1), places, y)


def add_label_of_sign(
    composer: Composer, labels: Array, score: Tensor, threshold: np.float32, y: Tensor
) -> None:
    """Append the second label where the one score of a row is above a threshold, else the first."""
    is_second = composer.binary("greater", score, composer.number(threshold))
    known = composer.constant(labels)
    composer.where(is_second.shaped(*y.shape), known.part(1), known.part(0), y)


def side_by_side(composer: Composer, left: Tensor, right: Tensor) -> Tensor:
    """Return two columns (rows, 1) as (rows, 2)."""
    rows = left.size
    y = composer.scratch("float32", rows, 2)
    for column, x in enumerate((left, right)):
        composer.walk((rows,), x, (1,), y.part(column, rows), (2,))
    return y


def add_transformed(composer: Composer, name: str, scores: Tensor, y: Tensor) -> None:
    """Append `operators.post_transform.transformed`."""
    if name == "NONE":
        composer.copy(scores, y)
    elif name == "LOGISTIC":
        composer.function("sigmoid", scores, y)
    else:
        _add_softmax(composer, scores, y, keeps_zeros=name == "SOFTMAX_ZERO")


def _add_softmax(composer: Composer, scores: Tensor, y: Tensor, keeps_zeros: bool) -> None:
    """Append the quotients of exponentials; with `keeps_zeros` those of SOFTMAX_ZERO."""
    greatest = composer.fold("maxima", scores, (1,))
    exponentials = composer.function("exp", composer.binary("sub", scores, greatest))
    if keeps_zeros:
        of_maximum = composer.function("exp", composer.function("neg", greatest))
        kept = composer.binary("mul", scores, of_maximum)
        sizes = composer.function("abs", scores)
        near = composer.binary("less_or_equal", sizes, composer.number(NEAR_ZERO))
        composer.where(near, kept, exponentials, exponentials)
    total = composer.fold("sums", exponentials, (1,))
    composer.binary("div", exponentials, total, y)
    if keeps_zeros:
        is_empty = composer.binary("equal", total, composer.number(0))
        composer.where(is_empty, composer.number(HALF), y, y)
