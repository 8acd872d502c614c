"""Probabilities of classes out of those of pairs of classes.

The second method of T.-F. Wu, C.-J. Lin, R. C. Weng, "Probability estimates for multi-class
classification by pairwise coupling", JMLR 5 (2004), in the form that libsvm made common.
"""

import numpy as np

from cvm.inference.exact.hyperbolic import sigmoid32
from cvm.inference.tensor_type import Array

ROUNDS = 100
COUPLING_STEPS = 8
"""Scalar steps of one round for each pair of classes in order."""

TOLERANCE = np.float32(0.005)
LEAST, GREATEST = np.float32(1e-7), np.float32(1) - np.float32(1e-7)
ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)


def pair_probability(scores: Array, a: Array, b: Array) -> Array:
    """Return the chance of the first class of each pair: sigmoid32(-(s * a + b)), bounded.

    A product and a sum, each rounded once; the result is moved into [LEAST, GREATEST], and a
    NaN to LEAST.
    """
    with np.errstate(all="ignore"):
        chance = sigmoid32(-(scores * a + b))
    chance = np.where(chance > LEAST, chance, LEAST)
    return np.where(chance < GREATEST, chance, GREATEST)


def coupled(chances: Array, classes: int) -> Array:
    """Return float32 (rows, classes) out of the chances of pairs (rows, pairs).

    Every step is one float32 operation, sums ascend from +0. With r[i, j] the chance of i against
    j (r[j, i] = 1 - r[i, j]):

    1. Q[i, i] = sum over j != i of r[j, i] * r[j, i]; Q[i, j] = -(r[j, i] * r[i, j]) for i < j
       and Q[j, i] = Q[i, j]; p[i] = 1 / classes
    2. at most ROUNDS times: q[i] = sum of Q[i, j] * p[j]; c = sum of p[i] * q[i]; end if every
       |q[i] - c| < TOLERANCE / classes; else for i ascending: d = (c - q[i]) / Q[i, i];
       p[i] = p[i] + d; c = ((c + d * (d * Q[i, i] + 2 * q[i])) / (1 + d)) / (1 + d); then for
       every j q[j] = (q[j] + d * Q[i, j]) / (1 + d) and p[j] = p[j] / (1 + d)
    """
    rows = chances.shape[0]
    result = np.empty((rows, classes), np.float32)
    with np.errstate(all="ignore"):
        for row in range(rows):
            result[row] = _coupled_row(_matrix(chances[row], classes), classes)
    return result


def _matrix(chances: Array, classes: int) -> Array:
    """Return Q of one row."""
    r = np.zeros((classes, classes), np.float32)
    pair = 0
    for i in range(classes):
        for j in range(i + 1, classes):
            r[i, j] = chances[pair]
            r[j, i] = ONE - chances[pair]
            pair += 1
    q = np.zeros((classes, classes), np.float32)
    for i in range(classes):
        for j in range(classes):
            if j != i:
                q[i, i] = q[i, i] + r[j, i] * r[j, i]
        for j in range(i + 1, classes):
            q[i, j] = q[j, i] = -(r[j, i] * r[i, j])
    return q


def _coupled_row(matrix: Array, classes: int) -> Array:
    """Return the probabilities that one Q gives."""
    count = np.asarray(classes).astype(np.float32)
    p = np.full(classes, ONE / count, np.float32)
    tolerance = TOLERANCE / count
    for _ in range(ROUNDS):
        q = np.zeros(classes, np.float32)
        c = ZERO
        for j in range(classes):
            q = q + matrix[:, j] * p[j]
        for i in range(classes):
            c = c + p[i] * q[i]
        if (np.abs(q - c) < tolerance).all():
            break
        for i in range(classes):
            d = (c - q[i]) / matrix[i, i]
            p[i] = p[i] + d
            c = (c + d * (d * matrix[i, i] + TWO * q[i])) / (ONE + d) / (ONE + d)
            q = (q + d * matrix[i]) / (ONE + d)
            p = p / (ONE + d)
    return p
