"""Folds over the middle of (outer, length, inner): sums in order, products, Max and Min."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cvm.inference.backends.cpu.elementwise import Six
from cvm.inference.backends.cpu.scalar_operations import sqrt_f32
from cvm.inference.backends.cpu.transcendental import log32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

PLAIN = 0
MAGNITUDE = 1
SQUARE = 2

ROWS = 8
"""Rows that are summed side by side: a sum in order is a chain; eight of them fill the adders."""

BLOCK = 1024
"""Columns that are summed side by side, so that their partial sums stay in the first cache."""

LANES = 64
"""Integers of a row that are folded side by side."""

INFINITY_BITS = 0x7F800000
"""The bits of +inf; a greater magnitude is a NaN."""


@cache
def sum_rows(operation: int) -> Callable[..., None]:
    """Return the kernel that sums each row of (rows, length): `ordered_sum`, or wrapping integers.

    `operation` says whether the values, their magnitudes or their squares are added; each
    square is rounded first. `zero` holds one 0 of the dtype.
    """

    @kernel
    def sum_all(x: Array, length: int, zero: Array, y: Array) -> None:
        rows = len(y)
        for row in range(0, rows - ROWS + 1, ROWS):
            t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = zero[0]
            for start in range(0, length, CHUNK):
                size = min(CHUNK, length - start)
                first = row * length + start
                c0 = x[first : first + size]
                c1 = x[first + length : first + length + size]
                c2 = x[first + 2 * length : first + 2 * length + size]
                c3 = x[first + 3 * length : first + 3 * length + size]
                c4 = x[first + 4 * length : first + 4 * length + size]
                c5 = x[first + 5 * length : first + 5 * length + size]
                c6 = x[first + 6 * length : first + 6 * length + size]
                c7 = x[first + 7 * length : first + 7 * length + size]
                p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = zero[0]
                for i in range(size):
                    p0 += prepared(operation, c0[i])
                    p1 += prepared(operation, c1[i])
                    p2 += prepared(operation, c2[i])
                    p3 += prepared(operation, c3[i])
                    p4 += prepared(operation, c4[i])
                    p5 += prepared(operation, c5[i])
                    p6 += prepared(operation, c6[i])
                    p7 += prepared(operation, c7[i])
                t0, t1, t2, t3 = t0 + p0, t1 + p1, t2 + p2, t3 + p3
                t4, t5, t6, t7 = t4 + p4, t5 + p5, t6 + p6, t7 + p7
            y[row], y[row + 1], y[row + 2], y[row + 3] = t0, t1, t2, t3
            y[row + 4], y[row + 5], y[row + 6], y[row + 7] = t4, t5, t6, t7
        for row in range(rows // ROWS * ROWS, rows):
            total = zero[0]
            for start in range(0, length, CHUNK):
                first = row * length + start
                partial = zero[0]
                chunk = x[first : first + min(CHUNK, length - start)]
                for i in range(len(chunk)):
                    partial += prepared(operation, chunk[i])
                total += partial
            y[row] = total

    return sum_all


@cache
def sum_columns(operation: int) -> Callable[..., None]:
    """Return the kernel that sums along the middle axis of (outer, length, inner); see `sum_rows`.

    `partial` holds `BLOCK` elements.
    """

    @kernel
    def sum_all(
        x: Array, outer: int, length: int, inner: int, zero: Array, partial: Array, y: Array
    ) -> None:
        for item in range(outer):
            for column in range(0, inner, BLOCK):
                width = min(BLOCK, inner - column)
                out = item * inner + column
                total, part = y[out : out + width], partial[:width]
                total[:] = zero[0]
                for start in range(0, length, CHUNK):
                    part[:] = zero[0]
                    for i in range(start, min(start + CHUNK, length)):
                        at = (item * length + i) * inner + column
                        values = x[at : at + width]
                        for j in range(width):
                            part[j] += prepared(operation, values[j])
                    for j in range(width):
                        total[j] += part[j]

    return sum_all


@kernel
def prepared(operation: int, value: np.float32) -> np.float32:
    """Return what is added up of a value."""
    if operation == MAGNITUDE:
        return -value if value < 0 else value
    if operation == SQUARE:
        return value * value
    return value


@kernel
def product(x: Array, outer: int, length: int, inner: int, one: Array, y: Array) -> None:
    """Equal `operators.reduce_prod` along the middle axis of (outer, length, inner)."""
    for item in range(outer):
        out = item * inner
        for j in range(inner):
            y[out + j] = one[0]
        for i in range(length):
            at = (item * length + i) * inner
            for j in range(inner):
                y[out + j] *= x[at + j]


@cache
def extreme(is_max: bool) -> Callable[..., None]:
    """Return the fold of Max or Min for integers along the middle axis; see `fold_blocks`."""
    takes_greater = 1 if is_max else 0

    @kernel
    def fold(x: Array, outer: int, length: int, inner: int, lanes: Array, y: Array) -> None:
        for item in range(outer):
            values = x[item * length * inner : (item + 1) * length * inner]
            if inner == 1:
                y[item] = fold_row(takes_greater, values, lanes)
            else:
                chosen = y[item * inner : (item + 1) * inner]
                copy_into(values, chosen)
                fold_blocks(takes_greater, values[inner:], chosen)

    return fold


@kernel
def copy_into(source: Array, target: Array) -> None:
    """Copy as many elements as the target has."""
    for i in range(len(target)):
        target[i] = source[i]


@kernel
def fold_blocks(takes_greater: int, values: Array, chosen: Array) -> None:
    """Fold block after block of integers, as long as `chosen` each, into it.

    What each column of blocks folds to does not depend on the others, so whole vectors do it.
    """
    width = len(chosen)
    for first in range(0, len(values) - width + 1, width):
        block = values[first : first + width]
        if takes_greater == 1:
            for j in range(width):
                chosen[j] = block[j] if block[j] > chosen[j] else chosen[j]
        else:
            for j in range(width):
                chosen[j] = block[j] if block[j] < chosen[j] else chosen[j]


@kernel
def fold_row(takes_greater: int, values: Array, lanes: Array) -> np.int32:
    """Fold one row of integers, in lanes as far as they are filled; no order changes the result."""
    best: np.int32 = values[0]
    whole = len(values) // LANES * LANES
    if whole > 0:
        copy_into(values, lanes)
        fold_blocks(takes_greater, values[LANES:whole], lanes)
        for i in range(LANES):
            best = lanes[i] if (lanes[i] > best) == (takes_greater == 1) else best
    rest = values[whole:]
    for i in range(len(rest)):
        best = rest[i] if (rest[i] > best) == (takes_greater == 1) else best
    return best


@kernel
def order_key(is_max: int, bits: np.int32) -> np.int32:
    """Return an int32 that orders like the float32 with these bits, -0 below +0.

    The magnitude of a negative number is turned over, which is its own inverse. A NaN comes out
    first: its key is the greatest of all for Max (1) and the least for Min (0), again a NaN's.
    """
    if np.int32(bits & 0x7FFFFFFF) > INFINITY_BITS:
        return np.int32(0x7FFFFFFF if is_max == 1 else -0x80000000)
    return turned_over(bits)


@kernel
def turned_over(bits: np.int32) -> np.int32:
    """Return the bits, all but the sign inverted where the sign is set."""
    return np.int32(bits ^ np.int32((bits >> 31) & 0x7FFFFFFF))


@cache
def extreme_of_floats(is_max: bool) -> Callable[..., None]:
    """Return the fold of Max or Min for float32, given and written as their bits.

    `keys` holds the keys of one slice: they are folded as integers.
    """
    takes_greater = 1 if is_max else 0

    @kernel
    def fold(
        x: Array, outer: int, length: int, inner: int, lanes: Array, keys: Array, y: Array
    ) -> None:
        for item in range(outer):
            first = item * length * inner
            if inner == 1:
                row = x[first : first + length]
                for i in range(length):
                    keys[i] = order_key(takes_greater, row[i])
                y[item] = turned_over(fold_row(takes_greater, keys[:length], lanes))
                continue
            chosen = y[item * inner : (item + 1) * inner]
            block = keys[:inner]
            for i in range(length):
                values = x[first + i * inner : first + (i + 1) * inner]
                for j in range(inner):
                    block[j] = order_key(takes_greater, values[j])
                if i == 0:
                    copy_into(block, chosen)
                else:
                    fold_blocks(takes_greater, block, chosen)
            for j in range(inner):
                chosen[j] = turned_over(chosen[j])

    return fold


@kernel
def permute(x: Array, lengths: Six, steps: Six, y: Array) -> None:
    """Write the elements of x in the row-major order of six axes with these lengths and strides."""
    inner, step = lengths[5], steps[5]
    for index in range(len(y) // inner):
        rest, start = index, 0
        for axis in range(4, -1, -1):
            start += rest % lengths[axis] * steps[axis]
            rest //= lengths[axis]
        for j in range(inner):
            y[index * inner + j] = x[start + j * step]


@kernel
def divide(y: Array, divisor: np.float32) -> None:
    """Replace each float32 by its quotient."""
    for i in range(len(y)):
        y[i] = y[i] / divisor


@kernel
def divide_integers(y: Array, divisor: int) -> None:
    """Replace each integer by its quotient, truncated toward zero; the divisor is positive."""
    for i in range(len(y)):
        value = np.int64(y[i])
        quotient = value // divisor
        if quotient < 0 and quotient * divisor != value:
            quotient += 1
        y[i] = quotient


@kernel
def square_roots(y: Array) -> None:
    """Replace each float32 by its square root."""
    for i in range(len(y)):
        y[i] = sqrt_f32(y[i])


@kernel
def integer_square_roots(y: Array, limit: np.float32, greatest: int) -> None:
    """Replace each integer by the root of its float32, truncated; below 0 by 0.

    A root of at least `limit` would be beyond the dtype and gives `greatest`.
    """
    for i in range(len(y)):
        root = sqrt_f32(np.float32(y[i]))
        if root != root:
            y[i] = 0
        elif root >= limit:
            y[i] = greatest
        else:
            y[i] = np.int64(root)


@kernel
def logarithms(y: Array) -> None:
    """Replace each float32 by its logarithm."""
    for i in range(len(y)):
        y[i] = log32(y[i])


@kernel
def integer_logarithms(y: Array, least: int) -> None:
    """Replace each integer by the logarithm of its float32, truncated; that of 0 is `least`."""
    for i in range(len(y)):
        logarithm = log32(np.float32(y[i]))
        if logarithm != logarithm:
            y[i] = 0
        elif y[i] == 0:
            y[i] = least
        else:
            y[i] = np.int64(logarithm)
