"""8-bit values as the integer kernels carry them: signed bytes, four consecutive k to a word."""

from math import prod

import numpy as np

from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.tensor_type import Array, Shape

TERMS_PER_WORD = 4
SIGN_BITS = 0x80
OFFSETS = {"int8": 0, "uint8": 128}
"""What is subtracted from a value, and so from its zero point, to make it a signed byte."""


def flip_of(dtype: str) -> int:
    """Return the bits that turn a byte into a signed one: value - 128 for uint8."""
    return SIGN_BITS if dtype == "uint8" else 0


def words_of(depth: int) -> int:
    """Return how many words hold so many terms."""
    return -(-depth // TERMS_PER_WORD)


def carried_zero(zero: Array, dtype: str) -> Array:
    """Return int32 zero points, less the offset of their dtype."""
    return (np.asarray(zero, np.int32) - np.int32(OFFSETS[dtype])).astype(np.int32)


def carried(values: Array) -> Array:
    """Return 8-bit values as int8, less the offset of their dtype."""
    return (values.astype(np.int16) - OFFSETS[str(values.dtype)]).astype(np.int8)


def packed_along(values: Array, shape: Shape, axis: int) -> Array:
    """Return words (outer, words, inner) of 8-bit values (*shape), packed along one axis."""
    outer, length, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    padded = np.zeros((outer, words_of(length) * TERMS_PER_WORD, inner), np.int8)
    padded[:, :length] = carried(values).reshape(outer, length, inner)
    quads = padded.reshape(outer, -1, TERMS_PER_WORD, inner).swapaxes(2, 3)
    return np.ascontiguousarray(quads).view("<i4")[..., 0]


def result_words(
    builder: LaunchBuilder, multiplier: Array | None, zero: int, dtype: str
) -> tuple[Word, ...]:
    """Return the fields of `Result` in `kernels/integer_sums.cuh`; no multiplier means int32."""
    place: Place | None = None if multiplier is None else builder.table(multiplier)
    return (builder.result(), place, zero, *LIMITS.get(dtype, (0, 0)))
