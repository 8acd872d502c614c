"""Linear models and support vector machines, as steps of `Composer` and `kernels/models.cu`."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.backends.cuda.scores import (
    add_label_of_sign,
    add_labels,
    add_transformed,
    dot_rows,
    rows_of,
    side_by_side,
)
from cvm.inference.operators.linear_classifier import LinearClassifierParameters
from cvm.inference.operators.linear_regressor import LinearRegressorParameters
from cvm.inference.operators.linear_scores import LinearScores
from cvm.inference.operators.pair_coupling import GREATEST, LEAST
from cvm.inference.operators.support_vectors import SupportVectors
from cvm.inference.operators.svm_classifier import SvmClassifierParameters
from cvm.inference.operators.svm_regressor import SvmRegressorParameters

Builder = Callable[[LaunchBuilder], None]


def linear_sums(composer: Composer, by: LinearScores) -> Tensor:
    """Return `operators.linear_scores.linear_sums` of input 0."""
    sums = dot_rows(composer, rows_of(composer, by.given), by.coefficients)
    if not by.intercepts.size:
        return sums
    return composer.binary("add", sums, composer.constant(by.intercepts), sums)


def build_linear_regressor(builder: LaunchBuilder) -> None:
    """Launch LinearRegressor-1."""
    composer = Composer(builder)
    by: LinearRegressorParameters = builder.node.parameters
    add_transformed(
        composer, by.post_transform, linear_sums(composer, by.scores), composer.result()
    )


def build_linear_classifier(builder: LaunchBuilder) -> None:
    """Launch LinearClassifier-1."""
    composer = Composer(builder)
    by: LinearClassifierParameters = builder.node.parameters
    sums = linear_sums(composer, by.scores)
    labels, scores = composer.result(0), composer.result(1)
    if not by.is_binary:
        add_labels(composer, by.labels, sums, labels)
        add_transformed(composer, by.post_transform, sums, scores)
        return
    add_label_of_sign(composer, by.labels, sums, np.float32(0), labels)
    pair = side_by_side(composer, composer.function("neg", sums), sums)
    composer.function("sigmoid", pair, scores)


def kernels(composer: Composer, machine: SupportVectors, rows: Tensor) -> Tensor:
    """Return `operators.support_vectors.kernels` (rows, count)."""
    if machine.kernel == "RBF":
        vectors = composer.constant(machine.vectors)
        count, width = machine.vectors.shape
        y = composer.scratch("float32", rows.shape[0], count)
        words = (y.place, rows.place, vectors.place, y.size, count, width)
        composer.launch("models", "squared_distances", y.size, *words)
        return composer.function(
            "exp", composer.binary("mul", y, composer.number(-machine.slope), y)
        )
    dots = dot_rows(composer, rows, machine.vectors)
    if machine.kernel == "LINEAR":
        return dots
    scaled = composer.binary("mul", dots, composer.number(machine.slope), dots)
    t = composer.binary("add", scaled, composer.number(machine.coef0), scaled)
    if machine.kernel == "SIGMOID":
        return composer.function("tanh", t)
    power = composer.scratch("float32", *t.shape)
    composer.fill(composer.number(1), power)
    for _ in range(machine.degree):
        composer.binary("mul", power, t, power)
    return power


def build_svm_regressor(builder: LaunchBuilder) -> None:
    """Launch SVMRegressor-1."""
    composer = Composer(builder)
    by: SvmRegressorParameters = builder.node.parameters
    terms, y = rows_of(composer, by.given), composer.result()
    if by.machine is not None:
        terms = kernels(composer, by.machine, terms)
    total = dot_rows(composer, terms, by.coefficients.reshape(1, -1))
    if not by.one_class:
        composer.binary("add", total, composer.number(by.rho), y)
        return
    moved = composer.binary("add", total, composer.number(by.rho), total)
    is_inside = composer.binary("greater", moved, composer.number(0))
    composer.where(is_inside, composer.number(1), composer.number(-1), y)


def build_svm_classifier(builder: LaunchBuilder) -> None:
    """Launch SVMClassifier-1: scores of the pairs, votes, and maybe their coupling."""
    composer = Composer(builder)
    by: SvmClassifierParameters = builder.node.parameters
    labels, scores = composer.result(0), composer.result(1)
    pairs = _pair_scores(composer, by)
    rows, classes = by.given.rows, by.labels.size
    votes = composer.scratch("int32", rows, classes)
    composer.launch("models", "count_votes", rows, votes.place, pairs.place, rows, classes)
    add_labels(composer, by.labels, votes, labels)
    if by.prob_a.size:
        pairs = _coupled(composer, by, pairs)
    elif classes == 2:
        pairs = side_by_side(composer, composer.function("neg", pairs), pairs)
    add_transformed(composer, by.post_transform, pairs, scores)


def _pair_scores(composer: Composer, by: SvmClassifierParameters) -> Tensor:
    """Return the score (rows, pairs) of every pair of classes."""
    values = kernels(composer, by.machine, rows_of(composer, by.given))
    classes = np.array(np.triu_indices(by.labels.size, 1), np.int32).transpose()
    tables = (by.coefficients, by.rho, np.array(by.starts, np.int32), classes)
    places = [composer.constant(np.ascontiguousarray(table)).place for table in tables]
    y = composer.scratch("float32", by.given.rows, by.rho.size)
    extents = (y.size, by.rho.size, values.shape[1])
    composer.launch("models", "pair_scores", y.size, y.place, values.place, *places, *extents)
    return y


def _coupled(composer: Composer, by: SvmClassifierParameters, pairs: Tensor) -> Tensor:
    """Return `operators.pair_coupling.coupled` (rows, classes)."""
    t = composer.binary("mul", pairs, composer.constant(by.prob_a))
    t = composer.binary("add", t, composer.constant(by.prob_b), t)
    chances = composer.function("sigmoid", composer.function("neg", t))
    for bound, comparison in ((LEAST, "greater"), (GREATEST, "less")):
        limit = composer.number(bound)
        composer.where(composer.binary(comparison, chances, limit), chances, limit, chances)
    rows, classes = by.given.rows, by.labels.size
    y, sums = (composer.scratch("float32", rows, classes) for _ in range(2))
    matrices = composer.scratch("float32", rows, classes, classes)
    words = (y.place, chances.place, matrices.place, sums.place, rows, classes)
    composer.launch("models", "couple", rows, *words)
    return y


ML_BUILDERS = MappingProxyType[str, Builder](
    {
        "LinearClassifier": build_linear_classifier,
        "LinearRegressor": build_linear_regressor,
        "SVMClassifier": build_svm_classifier,
        "SVMRegressor": build_svm_regressor,
    }
)
