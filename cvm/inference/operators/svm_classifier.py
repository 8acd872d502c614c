"""SVMClassifier: a vote between every two classes, and maybe their probabilities."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.classification import (
    integer_labels,
    label_and_scores,
    labels_of_largest,
)
from cvm.inference.operators.feature_rows import FeatureRows, as_float_rows, feature_rows
from cvm.inference.operators.linear_scores import dot_rows
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.pair_coupling import COUPLING_STEPS, ROUNDS, coupled, pair_probability
from cvm.inference.operators.post_transform import (
    post_transform_attribute,
    transform_cost,
    transformed,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.support_vectors import SupportVectors, kernels, support_vectors
from cvm.inference.operators.weight_lists import float_list, integer_list, require_length
from cvm.inference.tensor_type import Array, TensorType

MAX_PAIRED_CLASSES = 256
WEIGHT_LISTS = frozenset(
    {
        "classlabels_ints",
        "coefficients",
        "prob_a",
        "prob_b",
        "rho",
        "support_vectors",
        "vectors_per_class",
    }
)


@dataclass(frozen=True, slots=True)
class SvmClassifierParameters:
    """The machine and what each pair of classes (i, j), i < j, makes of its kernels.

    `starts` says where the vectors of each class start (and where the last end), `coefficients`
    is (classes - 1, vectors), `rho` and, unless empty, `prob_a` and `prob_b` hold one number a
    pair, in the order (0, 1), (0, 2) ... (1, 2) ...
    """

    given: FeatureRows
    machine: SupportVectors
    labels: Array
    starts: tuple[int, ...]
    coefficients: Array
    rho: Array
    prob_a: Array
    prob_b: Array
    post_transform: str

    @property
    def columns(self) -> int:
        """Return the scores of a row: classes with probabilities, else pairs, two for one."""
        return self.labels.size if self.prob_a.size else max(self.rho.size, 2)


def parse(view: NodeView) -> SvmClassifierParameters:
    """Check the rows, the labels, the vectors of each class and what belongs to each pair."""
    given = feature_rows(view)
    labels = integer_labels(view, "classlabels_ints", "classlabels_strings")
    if labels.size > MAX_PAIRED_CLASSES:
        found = f"classlabels_ints lists {labels.size} labels"
        raise refusal(view, "attribute value", f"{found}, limit {MAX_PAIRED_CLASSES}")
    starts = _starts(view, labels.size)
    machine = support_vectors(view, starts[-1], given.features)
    coefficients = float_list(view, "coefficients")
    require_length(view, {"coefficients": coefficients}, (labels.size - 1) * starts[-1])
    pairs = labels.size * (labels.size - 1) // 2
    rho, a, b = (float_list(view, name) for name in ("rho", "prob_a", "prob_b"))
    require_length(view, {"rho": rho}, pairs)
    if a.size or b.size:
        require_length(view, {"prob_a": a, "prob_b": b}, pairs)
    transform = post_transform_attribute(view, labels.size)
    if labels.size == 2 and not a.size and transform not in ("NONE", "LOGISTIC"):
        raise refusal(
            view, "attribute value", f"post_transform {transform} of one pair: runtimes disagree"
        )
    grid = coefficients.reshape(labels.size - 1, starts[-1])
    return SvmClassifierParameters(given, machine, labels, starts, grid, rho, a, b, transform)


def _starts(view: NodeView, classes: int) -> tuple[int, ...]:
    """Return where the support vectors of each class start, and their number."""
    counts = integer_list(view, "vectors_per_class")
    if counts.size == 0:
        raise refusal(
            view, "attribute value", "there are no support vectors; use LinearClassifier instead"
        )
    require_length(view, {"vectors_per_class": counts}, classes)
    starts = [0]
    for count in counts.tolist():
        if count < 0 or starts[-1] + count > 2**26:
            raise refusal(view, "attribute value", f"vectors_per_class holds {count}")
        starts.append(starts[-1] + count)
    if starts[-1] == 0:
        raise refusal(view, "attribute value", "vectors_per_class holds only zeros")
    return tuple(starts)


def output_types(parameters: SvmClassifierParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int64 (rows) and float32 (rows, scores)."""
    return label_and_scores(parameters.given.rows, parameters.columns)


def cost(
    parameters: SvmClassifierParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the kernels, the sums of the pairs, the coupling, the votes and the transform."""
    rows, classes = parameters.given.rows, parameters.labels.size
    stored = parameters.coefficients.nbytes + 3 * parameters.rho.nbytes
    total = Cost(
        float32_macs=rows * parameters.coefficients.size,
        elementwise=rows * (2 * parameters.rho.size + classes),
        bytes_moved=stored,
        weight_bytes=stored,
    )
    if parameters.prob_a.size:
        steps = ROUNDS * classes * classes * COUPLING_STEPS
        total += Cost(
            elementwise=rows * (steps + 5 * parameters.rho.size),
            transcendental=rows * parameters.rho.size,
        )
    total += parameters.machine.kernel_cost(rows)
    return total + transform_cost(parameters.post_transform, outputs[1].size)


def svm_classifier(parameters: SvmClassifierParameters, x: Array) -> tuple[Array, ...]:
    """Return SVMClassifier-1: labels int64 (rows), scores float32 (rows, scores).

    1. The kernels of the row: `support_vectors.kernels`.
    2. For each pair i < j: acc = fma(coefficient, kernel, acc) from +0, over the vectors of class
       i with row j - 1 of the coefficients, then over those of class j with row i; then s = acc +
       rho, rounded once. Class i gets a vote where s > 0, else class j.
    3. The label is that of the class with most votes, the first of equals.
    4. With `prob_a` and `prob_b` the scores are `pair_coupling.coupled`, else the s of the pairs
       (two classes: -s, s).
    5. `post_transform` of the scores.
    """
    rows = as_float_rows(parameters.given, x)
    labels = np.empty(rows.shape[0], np.int64)
    scores = np.empty((rows.shape[0], parameters.columns), np.float32)
    for index, row in enumerate(rows):
        values = kernels(parameters.machine, row.reshape(1, -1))[0]
        votes, pairs = _votes(parameters, values)
        labels[index : index + 1] = labels_of_largest(parameters.labels, votes.reshape(1, -1))
        scores[index] = _scores(parameters, pairs.reshape(1, -1))[0]
    return labels, scores


def _votes(parameters: SvmClassifierParameters, values: Array) -> tuple[Array, Array]:
    """Return the votes for each class and the s of each pair, given the kernels of one row."""
    classes, starts = parameters.labels.size, parameters.starts
    votes, pairs = np.zeros(classes, np.int64), np.empty(parameters.rho.size, np.float32)
    index = 0
    for i in range(classes):
        for j in range(i + 1, classes):
            of_i, of_j = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            weights = (parameters.coefficients[j - 1, of_i], parameters.coefficients[i, of_j])
            terms = np.concatenate([values[of_i], values[of_j]]).reshape(1, -1)
            total = dot_rows(terms, np.concatenate(weights).reshape(1, -1))[0, 0]
            with np.errstate(all="ignore"):
                pairs[index] = total + parameters.rho[index]
            votes[i if pairs[index] > 0 else j] += 1
            index += 1
    return votes, pairs


def _scores(parameters: SvmClassifierParameters, pairs: Array) -> Array:
    """Return the scores of one row (1, scores) out of the s of its pairs (1, pairs)."""
    if parameters.prob_a.size:
        chances = pair_probability(pairs, parameters.prob_a, parameters.prob_b)
        return transformed(parameters.post_transform, coupled(chances, parameters.labels.size))
    if parameters.labels.size == 2:
        pairs = np.concatenate([-pairs, pairs], axis=1)
    return transformed(parameters.post_transform, pairs)


SVM_CLASSIFIER = OpSpec(
    "SVMClassifier",
    1,
    WEIGHT_LISTS | {"classlabels_strings", "kernel_params", "kernel_type", "post_transform"},
    parse,
    output_types,
    cost,
    svm_classifier,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
