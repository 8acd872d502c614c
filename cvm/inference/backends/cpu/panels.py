"""Packing of matrices into panels: `size` rows side by side for every index of the dot product.

An integer panel packs the layout of a feature level: a word of four bytes (the left operand int8,
the right one uint8, a value of the other kind being moved by 128 together with its zero point), or
a word of two int16 from which the zero points are already subtracted.
"""

from dataclasses import dataclass

import numpy as np

from cvm.inference.backends.cpu.feature_level import QUADS, FeatureLevel
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

SIGN = 128
"""What int8 and uint8 are apart; as a byte, the bit that differs."""


def pack_rows(matrix: Array, size: int) -> Array:
    """Pack a matrix (m, k) into panels (ceil(m / size), k, size); missing rows are zero."""
    count, depth = matrix.shape
    panels = -(-count // size)
    padded = np.zeros((panels * size, depth), matrix.dtype)
    padded[:count] = matrix
    return np.ascontiguousarray(padded.reshape(panels, size, depth).transpose(0, 2, 1))


@kernel
def pack_strided(
    source: Array,
    row_stride: int,
    depth_stride: int,
    count: int,
    rows: int,
    depth: int,
    size: int,
    out: Array,
) -> None:
    """Pack `count` strided float32 matrices into panels of `size` rows, as `pack_rows` does."""
    panels = (rows + size - 1) // size
    for panel in range(count * panels):
        first = panel % panels * size
        present = min(size, rows - first)
        start = panel // panels * rows * depth + first * row_stride
        target = out[panel * size * depth : (panel + 1) * size * depth]
        if present < size:
            target[:] = 0
        if depth_stride == 1:
            for r in range(present):
                values = source[start + r * row_stride :]
                for k in range(depth):
                    target[k * size + r] = values[k]
        else:
            for k in range(depth):
                values, line = source[start + k * depth_stride :], target[k * size :]
                if row_stride == 1:
                    for r in range(present):
                        line[r] = values[r]
                else:
                    for r in range(present):
                        line[r] = values[r * row_stride]


@dataclass(frozen=True, slots=True)
class WordMatrix:
    """A matrix (m, k) of 8-bit values as int32 words (m, ceil(k / word_depth)).

    `zeros` and `sums` have one int32 per row: the zero point in the packed domain and the sum of
    the packed values. Both are 0 where zero points are subtracted before packing.
    """

    words: Array
    zeros: Array
    sums: Array


def words_of(matrix: Array, zeros: Array, level: FeatureLevel, is_left: bool) -> WordMatrix:
    """Return a matrix (m, k) of int8 or uint8, with a zero point per row, as words of a level."""
    rows, depth = matrix.shape
    words = -(-depth // level.word_depth)
    values = np.zeros((rows, words * level.word_depth), np.int32)
    values[:, :depth] = matrix
    zeros = np.broadcast_to(zeros, (rows,)).astype(np.int32)
    if level.word_depth != QUADS:
        values[:, :depth] -= zeros[:, None]
        packed = values.astype(np.int16).view(np.int32)
        return WordMatrix(packed, np.zeros(rows, np.int32), np.zeros(rows, np.int32))
    shift = packed_shift(str(matrix.dtype), is_left)
    values[:, :depth] += shift
    sums = values[:, :depth].sum(axis=1, dtype=np.int32)
    packed = values.astype(np.int8 if is_left else np.uint8).view(np.int32)
    return WordMatrix(packed, zeros + np.int32(shift), sums)


def packed_shift(dtype: str, is_left: bool) -> int:
    """Return what a value of `int8` or `uint8` gains when it becomes int8 (left) or uint8."""
    if is_left:
        return -SIGN if dtype == "uint8" else 0
    return SIGN if dtype == "int8" else 0


@kernel
def pack_quads(
    source: Array,
    row_stride: int,
    depth_stride: int,
    count: int,
    rows: int,
    depth: int,
    size: int,
    flip: int,
    is_left: bool,
    sums: Array,
    out: Array,
) -> None:
    """Pack the bytes of `count` strided matrices as words of four, each byte xor `flip`.

    Panels are those of `pack_rows`; the sum of each row is written too, its packed bytes taken as
    int8 (left) or uint8. Rows that are missing in the last panel keep what is there.
    """
    words = (depth + 3) // 4
    panel_rows = (rows + size - 1) // size * size
    sign = SIGN if is_left else 0
    for row in range(count * rows):
        matrix, r = row // rows, row % rows
        start = matrix * rows * depth + r * row_stride
        at = (matrix * panel_rows + r // size * size) * words + r % size
        total = np.int32(0)
        whole = depth // 4 if depth_stride == 1 else 0
        values, target = source[start:], out[at:]
        for word in range(whole):
            first = np.int32(values[4 * word]) ^ flip
            second = np.int32(values[4 * word + 1]) ^ flip
            third = np.int32(values[4 * word + 2]) ^ flip
            fourth = np.int32(values[4 * word + 3]) ^ flip
            target[word * size] = np.int32(first | (second << 8) | (third << 16) | (fourth << 24))
            total += np.int32((first ^ sign) + (second ^ sign) + (third ^ sign) + (fourth ^ sign))
        total = np.int32(total - 4 * whole * sign)
        for word in range(whole, words):
            packed = np.int64(0)
            for k in range(word * 4, min(word * 4 + 4, depth)):
                byte = np.int64(source[start + k * depth_stride]) ^ flip
                packed |= byte << (8 * (k - word * 4))
                total += np.int32((byte ^ sign) - sign)
            target[word * size] = np.int32(packed)
        sums[row] = total


@kernel
def pack_pairs(
    source: Array,
    row_stride: int,
    depth_stride: int,
    count: int,
    rows: int,
    depth: int,
    size: int,
    flip: int,
    zeros: Array,
    out: Array,
) -> None:
    """Pack `count` strided matrices as words of two int16, each (byte xor `flip`) - zeros[row].

    Panels are those of `pack_rows`. Rows missing in the last panel keep what is there.
    """
    words = (depth + 1) // 2
    panel_rows = (rows + size - 1) // size * size
    for row in range(count * rows):
        matrix, r = row // rows, row % rows
        start = matrix * rows * depth + r * row_stride
        at = (matrix * panel_rows + r // size * size) * words + r % size
        zero = np.int64(zeros[r])
        for word in range(words):
            k = 2 * word
            packed = ((np.int64(source[start + k * depth_stride]) ^ flip) - zero) & 0xFFFF
            if k + 1 < depth:
                high = (np.int64(source[start + (k + 1) * depth_stride]) ^ flip) - zero
                packed |= (high & 0xFFFF) << 16
            out[at + word * size] = np.int32(packed)
