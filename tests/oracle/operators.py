"""The operators once more, one scalar at a time, on exact fractions: what vectors come from.

Output shapes are arguments: a vector states them by hand.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from tests.oracle import float32
from tests.oracle.tensors import Tensor, filled, indices

RANGES = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}

Pairs = list[tuple[Any, Any]]


def as_float32(value: float) -> float:
    """Return a decimal rounded to float32."""
    return float32.rounded(Fraction(value))


def wrapped(value: int, dtype: str) -> int:
    """Return an integer reduced to the dtype in two's complement."""
    low, high = RANGES[dtype]
    return (value - low) % (high - low + 1) + low


def elementwise(
    shape: Sequence[int], a: Tensor, b: Tensor, function: Callable[[Any, Any], Any]
) -> Tensor:
    """Apply a function of two scalars over broadcast operands."""
    return filled(
        a.dtype, shape, lambda index: function(a.stretched_at(index), b.stretched_at(index))
    )


def add(shape: Sequence[int], a: Tensor, b: Tensor) -> Tensor:
    """Add."""
    if a.dtype == "float32":
        return elementwise(shape, a, b, float32.add)
    return elementwise(shape, a, b, lambda x, y: wrapped(x + y, a.dtype))


def mul(shape: Sequence[int], a: Tensor, b: Tensor) -> Tensor:
    """Multiply."""
    if a.dtype == "float32":
        return elementwise(shape, a, b, float32.multiply)
    return elementwise(shape, a, b, lambda x, y: wrapped(x * y, a.dtype))


def dot(pairs: Pairs) -> float:
    """Fold products ascending, each fused with its addition."""
    total = 0.0
    for a, b in pairs:
        total = float32.fused(a, b, total)
    return total


def convolution_pairs(
    x: Tensor,
    w: Tensor,
    output: Sequence[int],
    strides: Sequence[int],
    pads_begin: Sequence[int],
    dilations: Sequence[int],
    group: int = 1,
) -> Pairs:
    """Return the (x, w) pairs of one output in order, padded taps left out."""
    batch, channel, *place = output
    depth = w.shape[1]
    first = channel // (w.shape[0] // group) * depth
    pairs = []
    for c in range(depth):
        for tap in indices(w.shape[2:]):
            position = _tap_position(place, tap, strides, pads_begin, dilations)
            if all(0 <= p < n for p, n in zip(position, x.shape[2:], strict=True)):
                pairs.append((x.at((batch, first + c, *position)), w.at((channel, c, *tap))))
    return pairs


def _tap_position(
    place: Sequence[int],
    tap: Sequence[int],
    strides: Sequence[int],
    pads_begin: Sequence[int],
    dilations: Sequence[int],
) -> list[int]:
    return [
        place[axis] * strides[axis] - pads_begin[axis] + tap[axis] * dilations[axis]
        for axis in range(len(tap))
    ]


def conv(
    shape: Sequence[int],
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    strides: Sequence[int],
    pads_begin: Sequence[int],
    dilations: Sequence[int],
    group: int = 1,
) -> Tensor:
    """Convolve floats."""

    def one(index: tuple[int, ...]) -> float:
        total = dot(convolution_pairs(x, w, index, strides, pads_begin, dilations, group))
        return total if bias is None else float32.add(total, bias.at((index[1],)))

    return filled("float32", shape, one)


def conv_integer(
    shape: Sequence[int],
    x: Tensor,
    w: Tensor,
    x_zero: int,
    w_zeros: Sequence[int],
    strides: Sequence[int],
    pads_begin: Sequence[int],
    dilations: Sequence[int],
    group: int = 1,
) -> Tensor:
    """Convolve integers; `w_zeros` has one value per output channel."""

    def one(index: tuple[int, ...]) -> int:
        pairs = convolution_pairs(x, w, index, strides, pads_begin, dilations, group)
        return sum((a - x_zero) * (b - w_zeros[index[1]]) for a, b in pairs)

    return filled("int32", shape, one)


def requantised(
    sums: Tensor, multipliers: Sequence[float], axis: int, zero: int, dtype: str
) -> Tensor:
    """Scale int32 sums by one factor per index of `axis`, round half to even, saturate."""
    low, high = RANGES[dtype]

    def one(index: tuple[int, ...]) -> int:
        scaled = float32.multiply(float32.from_int(sums.at(index)), multipliers[index[axis]])
        return float32.to_integer(scaled, low - zero, high - zero) + zero

    return filled(dtype, sums.shape, one)


def multiplier(x_scale: float, w_scale: float, y_scale: float) -> float:
    """Return (x_scale * w_scale) / y_scale, two roundings."""
    return float32.divide(float32.multiply(x_scale, w_scale), y_scale)


def product_pairs(a: Tensor, b: Tensor, index: Sequence[int]) -> Pairs:
    """Return the (a, b) pairs of one output (*batch, row, column) of a matrix product."""
    *batch, row, column = index
    return [
        (a.stretched_at((*batch, row, k)), b.stretched_at((*batch, k, column)))
        for k in range(a.shape[-1])
    ]


def matmul(shape: Sequence[int], a: Tensor, b: Tensor) -> Tensor:
    """Multiply float matrices; both have at least two axes."""
    return filled("float32", shape, lambda index: dot(product_pairs(a, b, index)))


def matmul_integer(
    shape: Sequence[int], a: Tensor, b: Tensor, a_zeros: Sequence[int], b_zeros: Sequence[int]
) -> Tensor:
    """Multiply integer matrices; one zero point per row of a and per column of b."""

    def one(index: tuple[int, ...]) -> int:
        za, zb = a_zeros[index[-2]], b_zeros[index[-1]]
        return sum((x - za) * (y - zb) for x, y in product_pairs(a, b, index))

    return filled("int32", shape, one)


def transposed(a: Tensor) -> Tensor:
    """Transpose a matrix."""
    return filled(a.dtype, (a.shape[1], a.shape[0]), lambda index: a.at((index[1], index[0])))


def gemm(
    shape: Sequence[int],
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Tensor:
    """Return alpha * a b + beta * c, a factor of 1 left out."""

    def one(index: tuple[int, ...]) -> float:
        total = dot(product_pairs(a, b, index))
        total = total if alpha == 1 else float32.multiply(total, alpha)
        if c is None:
            return total
        addend: float = c.stretched_at(index)
        return float32.add(total, addend if beta == 1 else float32.multiply(addend, beta))

    return filled("float32", shape, one)


def window_values(
    x: Tensor,
    output: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
) -> Iterator[tuple[bool, Any]]:
    """Yield for each tap whether it lies within input and pads, and its value (None: padding)."""
    batch, channel, *place = output
    spatial, rank = x.shape[2:], len(kernel)
    for tap in indices(kernel):
        position = _tap_position(place, tap, strides, pads[:rank], dilations)
        padded = all(p < n + end for p, n, end in zip(position, spatial, pads[rank:], strict=True))
        inside = all(0 <= p < n for p, n in zip(position, spatial, strict=True))
        yield padded, x.at((batch, channel, *position)) if inside else None


def max_pool(
    shape: Sequence[int],
    x: Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
) -> Tensor:
    """Return the largest value under each window."""

    def one(index: tuple[int, ...]) -> Any:
        window = window_values(x, index, kernel, strides, pads, dilations)
        values = [value for _, value in window if value is not None]
        largest = values[0]
        for value in values[1:]:
            largest = (
                float32.greater_of(largest, value) if x.dtype == "float32" else max(largest, value)
            )
        return largest

    return filled(x.dtype, shape, one)


def average_pool(
    shape: Sequence[int],
    x: Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    count_include_pad: bool = False,
) -> Tensor:
    """Return the mean under each window; a padded tap is +0 in its chunk."""

    def one(index: tuple[int, ...]) -> float:
        window = list(window_values(x, index, kernel, strides, pads, dilations))
        total = float32.chunked_sum([0.0 if value is None else value for _, value in window])
        count = sum(padded if count_include_pad else value is not None for padded, value in window)
        return float32.divide(total, float32.from_int(count))

    return filled("float32", shape, one)


def global_average_pool(x: Tensor) -> Tensor:
    """Return the mean of each channel."""
    count = math.prod(x.shape[2:])

    def one(index: tuple[int, ...]) -> float:
        place = (index[0] * x.shape[1] + index[1]) * count
        total = float32.chunked_sum(x.data[place : place + count])
        return float32.divide(total, float32.from_int(count))

    return filled("float32", (*x.shape[:2], *(1,) * (len(x.shape) - 2)), one)


def slices(x: Tensor, axis: int, index: tuple[int, ...]) -> list[Any]:
    """Return the values along `axis` through an index."""
    return [x.at((*index[:axis], i, *index[axis + 1 :])) for i in range(x.shape[axis])]


def softmax(x: Tensor, axis: int) -> Tensor:
    """Return the softmax along an axis."""
    done: dict[tuple[int, ...], list[float]] = {}

    def one(index: tuple[int, ...]) -> float:
        others = (*index[:axis], *index[axis + 1 :])
        if others not in done:
            done[others] = softmax_of(slices(x, axis, index))
        return done[others][index[axis]]

    return filled("float32", x.shape, one)


def softmax_of(values: list[float]) -> list[float]:
    """Return the softmax of a list."""
    largest = values[0]
    for value in values[1:]:
        largest = float32.greater_of(largest, value)
    exponentials = [float32.exponential(float32.subtract(v, largest)) for v in values]
    total = float32.chunked_sum(exponentials)
    return [float32.divide(exponential, total) for exponential in exponentials]


def quantize(
    x: Tensor, scales: Sequence[float], zeros: Sequence[int], axis: int | None, dtype: str
) -> Tensor:
    """Quantise with one scale, or one per index of `axis`."""
    low, high = RANGES[dtype]

    def one(index: tuple[int, ...]) -> int:
        place = 0 if axis is None else index[axis]
        quotient = float32.divide(x.at(index), scales[place])
        zero = zeros[place]
        return float32.to_integer(quotient, low - zero, high - zero) + zero

    return filled(dtype, x.shape, one)


def dequantize(
    x: Tensor, scales: Sequence[float], zeros: Sequence[int], axis: int | None
) -> Tensor:
    """Dequantise with one scale, or one per index of `axis`."""

    def one(index: tuple[int, ...]) -> float:
        place = 0 if axis is None else index[axis]
        difference = float32.from_int(x.at(index) - zeros[place])
        return float32.multiply(difference, scales[place])

    return filled("float32", x.shape, one)


def exact_dot(pairs: Pairs) -> float:
    """Return the dot product rounded once, as a comparison: not what the engine computes."""
    return float32.rounded(sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0)))


def unfused_dot(pairs: Pairs) -> float:
    """Return the dot product with rounded products, as a comparison."""
    total = 0.0
    for a, b in pairs:
        total = float32.add(total, float32.multiply(a, b))
    return total
