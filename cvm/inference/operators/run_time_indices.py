"""The check of indices that are known only at run time."""

import numpy as np

from cvm.inference.faults import InputOutOfRange
from cvm.inference.tensor_type import Array


def checked_indices(node: str, indices: Array, length: int) -> Array:
    """Return int64 indices in [0, length - 1]; a negative one counts from the end.

    Raises `InputOutOfRange` naming the first, in row-major order, outside
    [-length, length - 1].
    """
    wide = indices.astype(np.int64)
    outside = (wide < -length) | (wide >= length)
    if outside.any():
        raise InputOutOfRange(node, int(wide[outside][0]), length)
    return np.asarray(np.where(wide < 0, wide + length, wide))
