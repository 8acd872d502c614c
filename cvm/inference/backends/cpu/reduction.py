"""The Reduce operators: folds over the middle of (outer, length, inner), rows side by side."""

from collections.abc import Callable
from functools import cache
from math import prod

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.compilation import kernel
from cvm.inference.backends.cpu.elementwise import Six, as_six
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.global_lp_pool import GlobalLpPoolParameters
from cvm.inference.operators.reduction import ReductionParameters
from cvm.inference.tensor_type import Array, Shape

PLAIN = 0
MAGNITUDE = 1
SQUARE = 2

ROWS = 8
"""Rows that are summed side by side: a sum in order is a chain; eight of them fill the adders."""

BLOCK = 1024
"""Columns that are summed side by side, so that their partial sums stay in the first cache."""

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
            first = row * length
            t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = zero[0]
            for start in range(0, length, CHUNK):
                p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = zero[0]
                for i in range(first + start, first + min(start + CHUNK, length)):
                    p0 += prepared(operation, x[i])
                    p1 += prepared(operation, x[i + length])
                    p2 += prepared(operation, x[i + 2 * length])
                    p3 += prepared(operation, x[i + 3 * length])
                    p4 += prepared(operation, x[i + 4 * length])
                    p5 += prepared(operation, x[i + 5 * length])
                    p6 += prepared(operation, x[i + 6 * length])
                    p7 += prepared(operation, x[i + 7 * length])
                t0, t1, t2, t3 = t0 + p0, t1 + p1, t2 + p2, t3 + p3
                t4, t5, t6, t7 = t4 + p4, t5 + p5, t6 + p6, t7 + p7
            y[row], y[row + 1], y[row + 2], y[row + 3] = t0, t1, t2, t3
            y[row + 4], y[row + 5], y[row + 6], y[row + 7] = t4, t5, t6, t7
        for row in range(rows // ROWS * ROWS, rows):
            total = zero[0]
            for start in range(0, length, CHUNK):
                partial = zero[0]
                for i in range(row * length + start, row * length + min(start + CHUNK, length)):
                    partial += prepared(operation, x[i])
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
                for j in range(width):
                    y[out + j] = zero[0]
                for start in range(0, length, CHUNK):
                    for j in range(width):
                        partial[j] = zero[0]
                    for i in range(start, min(start + CHUNK, length)):
                        at = (item * length + i) * inner + column
                        for j in range(width):
                            partial[j] += prepared(operation, x[at + j])
                    for j in range(width):
                        y[out + j] += partial[j]

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
    """Return the fold of Max or Min for integers along the middle axis."""
    takes_greater = 1 if is_max else 0

    @kernel
    def fold(x: Array, outer: int, length: int, inner: int, y: Array) -> None:
        for item in range(outer):
            first = item * length * inner
            if inner == 1:
                best = x[first]
                for i in range(first + 1, first + length):
                    value = x[i]
                    best = value if (value > best) == (takes_greater == 1) else best
                y[item] = best
                continue
            out = item * inner
            for j in range(inner):
                y[out + j] = x[first + j]
            for i in range(1, length):
                at = first + i * inner
                for j in range(inner):
                    value, chosen = x[at + j], y[out + j]
                    y[out + j] = value if (value > chosen) == (takes_greater == 1) else chosen

    return fold


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
    """Return the fold of Max or Min for float32, given and written as their bits."""
    takes_greater = 1 if is_max else 0

    @kernel
    def fold(x: Array, outer: int, length: int, inner: int, y: Array) -> None:
        for item in range(outer):
            first = item * length * inner
            if inner == 1:
                best = order_key(takes_greater, x[first])
                for i in range(first + 1, first + length):
                    key = order_key(takes_greater, x[i])
                    best = key if (key > best) == (takes_greater == 1) else best
                y[item] = turned_over(best)
                continue
            out = item * inner
            for j in range(inner):
                y[out + j] = order_key(takes_greater, x[first + j])
            for i in range(1, length):
                at = first + i * inner
                for j in range(inner):
                    key, best = order_key(takes_greater, x[at + j]), y[out + j]
                    y[out + j] = key if (key > best) == (takes_greater == 1) else best
            for j in range(inner):
                y[out + j] = turned_over(y[out + j])

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
        y[i] = np.sqrt(y[i])


@kernel
def integer_square_roots(y: Array, limit: np.float32, greatest: int) -> None:
    """Replace each integer by the root of its float32, truncated; below 0 by 0.

    A root of at least `limit` would be beyond the dtype and gives `greatest`.
    """
    for i in range(len(y)):
        root = np.sqrt(np.float32(y[i]))
        if root != root:
            y[i] = 0
        elif root >= limit:
            y[i] = greatest
        else:
            y[i] = np.int64(root)


Extents = tuple[int, int, int]


def source_and_extents(builder: StepBuilder, dtype: type[np.generic]) -> tuple[Array, Extents]:
    """Return the data, its bytes read as `dtype`, and its shape as (outer, length, inner).

    Reduced axes that do not stand side by side are brought together by a copy.
    """
    parameters: ReductionParameters = builder.node.parameters
    x = flat(builder.operand(0)).view(dtype)
    groups = merged_groups(parameters.input_shape, parameters.axes)
    reduced = [index for index, (_, is_reduced) in enumerate(groups) if is_reduced]
    if len(reduced) <= 1:
        at = reduced[0] if reduced else len(groups)
        sizes = [length for length, _ in groups]
        return x, (prod(sizes[:at]), prod(sizes[at : at + 1]), prod(sizes[at + 1 :]))
    copy = builder.scratch(str(x.dtype), x.size)
    kept = [axis for axis in range(len(parameters.input_shape)) if axis not in parameters.axes]
    lengths, steps = permuted_axes(parameters.input_shape, (*kept, *parameters.axes))
    builder.add(permute, x, lengths, steps, copy)
    return copy, (prod(parameters.kept_shape), parameters.count, 1)


def merged_groups(shape: Shape, axes: tuple[int, ...]) -> list[tuple[int, bool]]:
    """Return the lengths of runs of axes that are all reduced or all kept, in order."""
    groups: list[tuple[int, bool]] = []
    for axis, length in enumerate(shape):
        is_reduced = axis in axes
        if length == 1:
            continue
        if groups and groups[-1][1] == is_reduced:
            groups[-1] = (groups[-1][0] * length, is_reduced)
        else:
            groups.append((length, is_reduced))
    return groups


def permuted_axes(shape: Shape, order: tuple[int, ...]) -> tuple[Six, Six]:
    """Return the lengths and strides of the axes of a contiguous array in another order."""
    padding = MAX_RANK - len(shape)
    lengths = (1,) * padding + tuple(shape[axis] for axis in order)
    steps = (0,) * padding + tuple(prod(shape[axis + 1 :]) for axis in order)
    return as_six(lengths), as_six(steps)


def build_sums(builder: StepBuilder, operation: int) -> None:
    """Plan the sum of values, magnitudes or squares."""
    parameters: ReductionParameters = builder.node.parameters
    y = flat(builder.results[0])
    if operation == PLAIN and not parameters.axes:
        builder.add(np.copyto, y, flat(builder.operand(0)))
        return
    x, (outer, length, inner) = source_and_extents(builder, y.dtype.type)
    zero = np.zeros(1, y.dtype)
    if inner == 1:
        builder.add(sum_rows(operation), x, length, zero, y)
    else:
        partial = builder.scratch(str(y.dtype), min(BLOCK, inner))
        builder.add(sum_columns(operation), x, outer, length, inner, zero, partial, y)


def build_sum(builder: StepBuilder) -> None:
    """Plan a ReduceSum."""
    build_sums(builder, PLAIN)


def build_l1(builder: StepBuilder) -> None:
    """Plan a ReduceL1."""
    build_sums(builder, MAGNITUDE)


def build_sum_square(builder: StepBuilder) -> None:
    """Plan a ReduceSumSquare."""
    build_sums(builder, SQUARE)


def build_l2(builder: StepBuilder) -> None:
    """Plan a ReduceL2."""
    build_sums(builder, SQUARE)
    y = flat(builder.results[0])
    if y.dtype == np.float32:
        builder.add(square_roots, y)
    else:
        greatest = int(np.iinfo(y.dtype).max)
        builder.add(integer_square_roots, y, np.float32(greatest), greatest)


def build_mean(builder: StepBuilder) -> None:
    """Plan a ReduceMean."""
    parameters: ReductionParameters = builder.node.parameters
    build_sums(builder, PLAIN)
    y = flat(builder.results[0])
    if y.dtype == np.float32:
        builder.add(divide, y, np.float32(parameters.count))
    else:
        builder.add(divide_integers, y, parameters.count)


def build_product(builder: StepBuilder) -> None:
    """Plan a ReduceProd."""
    y = flat(builder.results[0])
    x, extents = source_and_extents(builder, y.dtype.type)
    builder.add(product, x, *extents, np.ones(1, y.dtype), y)


def build_extreme(builder: StepBuilder, is_max: bool) -> None:
    """Plan a ReduceMax or ReduceMin; a float32 is read as its bits, a bool as a byte."""
    y = flat(builder.results[0])
    is_float = y.dtype == np.float32
    raw = np.int32 if is_float else np.uint8 if y.dtype == np.bool_ else y.dtype.type
    x, extents = source_and_extents(builder, raw)
    fold = extreme_of_floats if is_float else extreme
    builder.add(fold(is_max), x, *extents, y.view(raw))


def build_max(builder: StepBuilder) -> None:
    """Plan a ReduceMax."""
    build_extreme(builder, is_max=True)


def build_min(builder: StepBuilder) -> None:
    """Plan a ReduceMin."""
    build_extreme(builder, is_max=False)


def build_global_max(builder: StepBuilder) -> None:
    """Plan a GlobalMaxPool."""
    build_extreme(builder, is_max=True)


def build_global_norm(builder: StepBuilder) -> None:
    """Plan a GlobalLpPool with p of 1 or 2; others run by the definition."""
    parameters: GlobalLpPoolParameters = builder.node.parameters
    if parameters.p > 2:
        definition.build(builder)
    elif parameters.p == 1:
        build_l1(builder)
    else:
        build_l2(builder)
