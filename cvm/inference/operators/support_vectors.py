"""Support vector machines: the kernel between a row and every support vector.

Shared by SVMClassifier-1 and SVMRegressor-1 of ai.onnx.ml.
"""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.fused_multiply_add import fma32
from cvm.inference.exact.hyperbolic import tanh32
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.linear_scores import dot_rows
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import float_list
from cvm.inference.tensor_type import Array

KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
MAX_DEGREE = 32

FULL_GROUP = 8
"""Vectors from which on they are worked on side by side."""

STEPS = {"LINEAR": 0, "POLY": 2, "RBF": 1, "SIGMOID": 2}
"""Scalar steps for each support vector beside the fused ones, powers and transcendentals."""


@dataclass(frozen=True, slots=True)
class SupportVectors:
    """float32 vectors (count, features) and a kernel; its gamma is `slope`."""

    vectors: Array
    kernel: str
    slope: np.float32
    coef0: np.float32
    degree: int

    def kernel_cost(self, rows: int) -> Cost:
        """Count the kernels of some rows, and the vectors, read once for every row."""
        count, features = self.vectors.shape
        size, steps = rows * count, STEPS[self.kernel]
        if self.kernel == "RBF":
            steps += features
        if self.kernel == "POLY":
            steps += self.degree * SERIAL // 2
        scalar = 2 * SERIAL if count < FULL_GROUP else 0
        return Cost(
            float32_macs=size * features,
            elementwise=size * (steps + scalar * features) + 3 * RUN * rows,
            transcendental=size if self.kernel in ("RBF", "SIGMOID") else 0,
            bytes_moved=rows * self.vectors.nbytes,
            weight_bytes=self.vectors.nbytes,
        )


def support_vectors(view: NodeView, count: int, features: int) -> SupportVectors:
    """Check `count` support vectors and the kernel; a kernel that is not LINEAR has parameters.

    `kernel_params` is gamma, coef0, degree; the degree of POLY is a whole number up to MAX_DEGREE.
    """
    kernel = string_attribute(view, "kernel_type", "LINEAR")
    if kernel not in KERNELS:
        known = ", ".join(KERNELS)
        raise refusal(view, "attribute value", f"kernel_type {kernel!r:.40}; taken: {known}")
    numbers = float_list(view, "kernel_params")
    if numbers.size != 3 and (numbers.size or kernel != "LINEAR"):
        raise refusal(view, "attribute value", f"kernel_params has {numbers.size} elements, not 3")
    gamma, coef0, degree = numbers if numbers.size else np.zeros(3, np.float32)
    if kernel == "POLY" and (not 0 <= degree <= MAX_DEGREE or degree != np.trunc(degree)):
        raise refusal(
            view, "attribute value", f"degree {degree} is no whole number up to {MAX_DEGREE}"
        )
    vectors = float_list(view, "support_vectors")
    if vectors.size != count * features:
        found = f"support_vectors has {vectors.size} elements"
        raise refusal(view, "attribute value", f"{found}, {count} of {features} features needed")
    whole_degree = int(degree) if kernel == "POLY" else 0
    return SupportVectors(vectors.reshape(count, features), kernel, gamma, coef0, whole_degree)


def kernels(machine: SupportVectors, rows: Array) -> Array:
    """Return float32 (rows, count): the kernel of each row and each support vector v.

    A dot product is `acc = fma(a, b, acc)` from +0 with features ascending; every other step is
    rounded once.

    * LINEAR: x . v
    * POLY: t = (x . v) * gamma + coef0, a product and a sum; then 1, multiplied by t degree times
    * RBF: d = x - v; exp32((-gamma) * (d . d))
    * SIGMOID: tanh32((x . v) * gamma + coef0), a product and a sum
    """
    with np.errstate(all="ignore"):
        if machine.kernel == "RBF":
            return exp32(squared_distances(rows, machine.vectors) * -machine.slope)
        dots = dot_rows(rows, machine.vectors)
        if machine.kernel == "LINEAR":
            return dots
        t = dots * machine.slope + machine.coef0
        if machine.kernel == "SIGMOID":
            return tanh32(t)
        power = np.ones_like(t)
        for _ in range(machine.degree):
            power = power * t
        return power


def squared_distances(rows: Array, vectors: Array) -> Array:
    """Return float32 (rows, count): d . d of d = x - v, fused from +0, features ascending."""
    sums = np.zeros((rows.shape[0], vectors.shape[0]), np.float32)
    for k in range(rows.shape[1]):
        difference = rows[:, k, np.newaxis] - vectors[:, k]
        sums = fma32(difference, difference, sums)
    return sums
