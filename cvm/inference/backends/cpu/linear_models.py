"""Linear models and support vector machines: dot products of one row with many weights at once.

Weights lie by feature, so that whole vectors of sums take one feature after the other.
"""

from typing import Any

import numpy as np

from cvm.inference.backends.cpu import scores
from cvm.inference.backends.cpu.scalar_operations import fma_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import exp32, sigmoid32, tanh32
from cvm.inference.operators.linear_classifier import LinearClassifierParameters
from cvm.inference.operators.linear_regressor import LinearRegressorParameters
from cvm.inference.operators.linear_scores import LinearScores
from cvm.inference.operators.pair_coupling import GREATEST, LEAST, ROUNDS, TOLERANCE
from cvm.inference.operators.support_vectors import KERNELS, SupportVectors
from cvm.inference.operators.svm_classifier import SvmClassifierParameters
from cvm.inference.operators.svm_regressor import SvmRegressorParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

POLY, RBF, SIGMOID = (KERNELS.index(name) for name in ("POLY", "RBF", "SIGMOID"))


@kernel
def dot_row(x: Array, weights: Array, sums: Array) -> None:
    """Equal `operators.linear_scores.dot_rows` of one row; weights are (features, sums), flat."""
    count = len(sums)
    for j in range(count):
        sums[j] = np.float32(0)
    for k in range(len(x)):
        feature, first = x[k], k * count
        for j in range(count):
            sums[j] = fma_f32(feature, weights[first + j], sums[j])


@kernel
def distance_row(x: Array, vectors: Array, sums: Array) -> None:
    """Equal `operators.support_vectors.squared_distances` of one row; vectors by feature."""
    count = len(sums)
    for j in range(count):
        sums[j] = np.float32(0)
    for k in range(len(x)):
        feature, first = x[k], k * count
        for j in range(count):
            difference = feature - vectors[first + j]
            sums[j] = fma_f32(difference, difference, sums[j])


@kernel
def linear_rows(x: Array, features: int, weights: Array, intercepts: Array, y: Array) -> None:
    """Equal `operators.linear_scores.linear_sums` on flat rows."""
    width = len(weights) // features
    for row in range(len(y) // width):
        sums = y[row * width : (row + 1) * width]
        dot_row(x[row * features : (row + 1) * features], weights, sums)
        if len(intercepts) > 0:
            for j in range(width):
                sums[j] += intercepts[j]


@kernel
def kernel_row(
    x: Array,
    vectors: Array,
    kind: int,
    gamma: np.float32,
    coef0: np.float32,
    degree: int,
    values: Array,
) -> None:
    """Equal `operators.support_vectors.kernels` of one row."""
    if kind == RBF:
        distance_row(x, vectors, values)
        for j in range(len(values)):
            values[j] = exp32(values[j] * -gamma)
        return
    dot_row(x, vectors, values)
    if kind == SIGMOID:
        for j in range(len(values)):
            values[j] = tanh32(values[j] * gamma + coef0)
    if kind == POLY:
        for j in range(len(values)):
            t = values[j] * gamma + coef0
            power = np.float32(1)
            for _ in range(degree):
                power = power * t
            values[j] = power


@kernel
def fused_sum(values: Array, weights: Array, total: np.float32) -> np.float32:
    """Fold products into a total, ascending, each fused with its addition."""
    for i in range(len(values)):
        total = fma_f32(values[i], weights[i], total)
    return total


@kernel
def svm_values(
    x: Array,
    features: int,
    vectors: Array,
    kind: int,
    gamma: np.float32,
    coef0: np.float32,
    degree: int,
    coefficients: Array,
    rho: np.float32,
    one_class: bool,
    values: Array,
    y: Array,
) -> None:
    """Equal `operators.svm_regressor` on flat rows; no vectors: the features are the terms."""
    for row in range(len(y)):
        terms = x[row * features : (row + 1) * features]
        if len(vectors) > 0:
            kernel_row(terms, vectors, kind, gamma, coef0, degree, values)
            terms = values
        result = fused_sum(terms, coefficients, np.float32(0)) + rho
        if one_class:
            result = np.float32(1) if result > np.float32(0) else np.float32(-1)
        y[row] = result


@kernel
def svm_pairs(
    x: Array,
    features: int,
    vectors: Array,
    kind: int,
    gamma: np.float32,
    coef0: np.float32,
    degree: int,
    coefficients: Array,
    starts: Array,
    rho: Array,
    labels: Array,
    values: Array,
    votes: Array,
    pairs: Array,
    chosen: Array,
) -> None:
    """Equal steps 1 to 3 of `operators.svm_classifier` on flat rows; `pairs` is (rows, pairs)."""
    classes, count = len(labels), len(values)
    for row in range(len(chosen)):
        kernel_row(
            x[row * features : (row + 1) * features], vectors, kind, gamma, coef0, degree, values
        )
        for i in range(classes):
            votes[i] = 0
        place = row * len(rho)
        for i in range(classes):
            first, last = starts[i], starts[i + 1]
            for j in range(i + 1, classes):
                of_i = coefficients[(j - 1) * count + first : (j - 1) * count + last]
                total = fused_sum(values[first:last], of_i, np.float32(0))
                begin, end = starts[j], starts[j + 1]
                of_j = coefficients[i * count + begin : i * count + end]
                total = fused_sum(values[begin:end], of_j, total)
                total += rho[place - row * len(rho)]
                pairs[place] = total
                place += 1
                votes[i if total > np.float32(0) else j] += 1
        best = 0
        for i in range(1, classes):
            if votes[i] > votes[best]:
                best = i
        chosen[row] = labels[best]


@kernel
def both_signs(pairs: Array, y: Array) -> None:
    """Write -s and s of each s."""
    for i in range(len(pairs)):
        y[2 * i] = -pairs[i]
        y[2 * i + 1] = pairs[i]


@kernel
def bounded_chance(score: np.float32, a: np.float32, b: np.float32) -> np.float32:
    """Equal `operators.pair_coupling.pair_probability`."""
    chance = sigmoid32(-(score * a + b))
    chance = chance if chance > LEAST else LEAST
    return chance if chance < GREATEST else GREATEST


@kernel
def couple(
    pairs: Array, a: Array, b: Array, classes: int, matrix: Array, q: Array, y: Array
) -> None:
    """Equal `operators.pair_coupling.coupled` of the chances of flat rows of pairs."""
    tolerance = TOLERANCE / np.float32(classes)
    for row in range(len(y) // classes):
        p = y[row * classes : (row + 1) * classes]
        scores_of_row = pairs[row * len(a) : (row + 1) * len(a)]
        fill_matrix(scores_of_row, a, b, classes, matrix)
        for i in range(classes):
            p[i] = np.float32(1) / np.float32(classes)
        for _ in range(ROUNDS):
            c = np.float32(0)
            for i in range(classes):
                total = np.float32(0)
                for j in range(classes):
                    total += matrix[i * classes + j] * p[j]
                q[i] = total
                c += p[i] * total
            is_close = True
            for i in range(classes):
                distance = q[i] - c
                distance = -distance if distance < np.float32(0) else distance
                is_close = is_close and distance < tolerance
            if is_close:
                break
            for i in range(classes):
                own = matrix[i * classes + i]
                d = (c - q[i]) / own
                p[i] += d
                whole = np.float32(1) + d
                c = (c + d * (d * own + np.float32(2) * q[i])) / whole / whole
                for j in range(classes):
                    q[j] = (q[j] + d * matrix[i * classes + j]) / whole
                    p[j] = p[j] / whole


@kernel
def fill_matrix(pairs: Array, a: Array, b: Array, classes: int, matrix: Array) -> None:
    """Equal the matrix Q of `operators.pair_coupling`."""
    for i in range(classes):
        matrix[i * classes + i] = np.float32(0)
    pair = 0
    for i in range(classes):
        for j in range(i + 1, classes):
            chance = bounded_chance(pairs[pair], a[pair], b[pair])
            other = np.float32(1) - chance
            matrix[i * classes + j] = -(other * chance)
            matrix[j * classes + i] = -(other * chance)
            matrix[i * classes + i] += other * other
            matrix[j * classes + j] += chance * chance
            pair += 1


def add_linear(builder: StepBuilder, model: LinearScores, y: Any) -> None:
    """Plan the sums of a linear model."""
    builder.add(
        linear_rows,
        scores.float_rows(builder),
        model.given.features,
        by_feature(model.coefficients),
        np.ascontiguousarray(model.intercepts),
        y,
    )


def by_feature(weights: Array) -> Array:
    """Return weights (count, features) as flat (features, count)."""
    return np.ascontiguousarray(weights.transpose()).reshape(-1)


def build_regressor(builder: StepBuilder) -> None:
    """Plan a LinearRegressor."""
    parameters: LinearRegressorParameters = builder.node.parameters
    y = flat(builder.results[0])
    add_linear(builder, parameters.scores, y)
    scores.add_transform(builder, parameters.post_transform, parameters.scores.columns, y)


def build_classifier(builder: StepBuilder) -> None:
    """Plan a LinearClassifier."""
    parameters: LinearClassifierParameters = builder.node.parameters
    chosen, result = (flat(array) for array in builder.results)
    if parameters.is_binary:
        sums = builder.scratch("float32", parameters.scores.given.rows)
        add_linear(builder, parameters.scores, sums)
        builder.add(scores.margin_scores, sums, False, parameters.labels, chosen, result)
        scores.add_transform(builder, "LOGISTIC", 2, result)
        return
    add_linear(builder, parameters.scores, result)
    scores.add_labels(builder, parameters.labels, result, chosen)
    scores.add_transform(builder, parameters.post_transform, parameters.labels.size, result)


def machine_arguments(machine: SupportVectors | None) -> tuple[Any, ...]:
    """Return what a kernel is told of the support vectors: none for a line."""
    if machine is None:
        return np.zeros(0, np.float32), 0, np.float32(0), np.float32(0), 0
    kind = KERNELS.index(machine.kernel)
    return by_feature(machine.vectors), kind, machine.slope, machine.coef0, machine.degree


def build_svm_regressor(builder: StepBuilder) -> None:
    """Plan an SVMRegressor."""
    parameters: SvmRegressorParameters = builder.node.parameters
    builder.add(
        svm_values,
        scores.float_rows(builder),
        parameters.given.features,
        *machine_arguments(parameters.machine),
        np.ascontiguousarray(parameters.coefficients),
        parameters.rho,
        parameters.one_class,
        builder.scratch("float32", parameters.coefficients.size),
        flat(builder.results[0]),
    )


def build_svm_classifier(builder: StepBuilder) -> None:
    """Plan an SVMClassifier."""
    parameters: SvmClassifierParameters = builder.node.parameters
    chosen, result = (flat(array) for array in builder.results)
    rows, classes = parameters.given.rows, parameters.labels.size
    is_direct = not parameters.prob_a.size and classes > 2
    pairs = result if is_direct else builder.scratch("float32", rows * parameters.rho.size)
    builder.add(
        svm_pairs,
        scores.float_rows(builder),
        parameters.given.features,
        *machine_arguments(parameters.machine),
        flat(parameters.coefficients),
        np.array(parameters.starts, np.int64),
        parameters.rho,
        parameters.labels,
        builder.scratch("float32", parameters.starts[-1]),
        builder.scratch("int64", classes),
        pairs,
        chosen,
    )
    if parameters.prob_a.size:
        matrix = builder.scratch("float32", classes * classes)
        q = builder.scratch("float32", classes)
        builder.add(couple, pairs, parameters.prob_a, parameters.prob_b, classes, matrix, q, result)
    elif classes == 2:
        builder.add(both_signs, pairs, result)
    scores.add_transform(builder, parameters.post_transform, parameters.columns, result)
