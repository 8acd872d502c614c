"""The linear models of ai.onnx.ml: rows of features times rows of coefficients, plus intercepts."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.matmul import ordered_product
from cvm.inference.operators.matrix_product import MatrixProductShape
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import float_list, require_length
from cvm.inference.tensor_type import Array


@dataclass(frozen=True, slots=True)
class LinearScores:
    """Rows of features; float32 coefficients (scores, features) and intercepts (scores) or none."""

    given: FeatureRows
    coefficients: Array
    intercepts: Array

    @property
    def columns(self) -> int:
        """Return the number of scores of a row."""
        return int(self.coefficients.shape[0])

    def product_cost(self) -> Cost:
        """Count the products, the intercepts, and the weights, each read once for every row."""
        size = self.given.rows * self.columns
        stored = self.coefficients.nbytes + self.intercepts.nbytes
        return Cost(
            float32_macs=size * self.given.features,
            elementwise=2 * SERIAL * size * self.given.features + size,
            bytes_moved=stored,
            weight_bytes=stored,
        )


def linear_scores(view: NodeView, columns: int) -> LinearScores:
    """Check the input and that there are coefficients for `columns` scores of its features."""
    given = feature_rows(view)
    coefficients = float_list(view, "coefficients")
    expected = columns * given.features
    if coefficients.size != expected:
        found = f"coefficients has {coefficients.size} elements"
        raise refusal(view, "attribute value", f"{found}, {columns} scores need {expected}")
    intercepts = float_list(view, "intercepts")
    if intercepts.size:
        require_length(view, {"intercepts": intercepts}, columns)
    return LinearScores(given, coefficients.reshape(columns, given.features), intercepts)


def dot_rows(rows: Array, weights: Array) -> Array:
    """Return float32 (n, m): each dot product of rows (n, k) and weights (m, k).

    One accumulator from +0: `acc = fma(x, w, acc)`, k ascending.
    """
    shape = (rows.shape[0], weights.shape[0])
    across = weights.transpose()
    return ordered_product(MatrixProductShape(rows.shape, across.shape, (), shape), rows, across)


def linear_sums(parameters: LinearScores, x: Array) -> Array:
    """Return the dot products of `dot_rows`; then + intercept, rounded once, if there are any."""
    sums = dot_rows(as_float_rows(parameters.given, x), parameters.coefficients)
    with np.errstate(all="ignore"):
        return sums + parameters.intercepts if parameters.intercepts.size else sums
