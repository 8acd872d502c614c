"""The one order in which float32 terms that are no dot product are added up."""

import numpy as np

from cvm.inference.tensor_type import Array

CHUNK = 256
"""Terms are folded in chunks of this many, then the chunk totals are folded."""


def ordered_sum(terms: Array) -> Array:
    """Add float32 `terms` (n, ...) along the first axis, giving an array of shape (...).

    Chunks of 256 consecutive terms (the last may be shorter) are each folded ascending from
    +0; the chunk totals are then folded ascending from +0. Every addition rounds once. An
    empty sum is +0, and no sum is -0. The caller lays reduced axes out in row-major order.
    """
    total = np.zeros(terms.shape[1:], np.float32)
    with np.errstate(all="ignore"):
        for start in range(0, terms.shape[0], CHUNK):
            partial = np.zeros(terms.shape[1:], np.float32)
            for term in terms[start : start + CHUNK]:
                partial = partial + term
            total = total + partial
    return np.asarray(total)


def mean(terms: Array) -> Array:
    """Return `ordered_sum(terms)` divided by float32(n), one rounding each."""
    count = np.asarray(terms.shape[0]).astype(np.float32)
    with np.errstate(all="ignore"):
        return np.asarray(ordered_sum(terms) / count)
