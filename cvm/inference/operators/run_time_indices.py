"""The check of indices that are known only at run time."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.faults import InputOutOfRange
from cvm.inference.tensor_type import Array


def checked_indices(node: str, indices: Array, lengths: Sequence[int]) -> Array:
    """Return int64 indices counted from the front, from those whose last axis is one tuple.

    Part k of a tuple indexes an axis of lengths[k]; a negative one counts from the end. Raises
    `InputOutOfRange` naming the first, in row-major order, outside [-length, length - 1].
    """
    wide = indices.astype(np.int64)
    bounds = np.broadcast_to(np.array(lengths, np.int64), wide.shape)
    outside = (wide < -bounds) | (wide >= bounds)
    if outside.any():
        raise InputOutOfRange(node, int(wide[outside][0]), int(bounds[outside][0]))
    return np.asarray(np.where(wide < 0, wide + bounds, wide))
