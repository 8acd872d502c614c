"""Polynomials in float64, one product and one sum for each coefficient."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.tensor_type import Array


def horner(coefficients: Sequence[float], t: Array) -> Array:
    """Return p = c[0], then p = p * t + c for each further coefficient c, highest power first.

    Every product and every sum is one float64 operation; nothing is fused.
    """
    p = np.full(t.shape, coefficients[0])
    for coefficient in coefficients[1:]:
        p = p * t + coefficient
    return p
