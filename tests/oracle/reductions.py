"""The Reduce operators once more, one scalar at a time, on exact fractions."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from tests.oracle import float32, transcendental
from tests.oracle.operators import RANGES, wrapped
from tests.oracle.tensors import Tensor, filled, indices

Fold = Callable[[list[Any], str], Any]


def square_root(x: float) -> float:
    """Return the float32 nearest to the square root of a float32.

    The float64 root is correctly rounded, and 53 bits are enough to round it once more.
    """
    if math.isnan(x) or x < 0:
        return math.nan
    return x if math.isinf(x) or x == 0 else float32.rounded(Fraction(math.sqrt(x)))


def to_truncated(x: float, dtype: str) -> int:
    """Return a float32 as an integer, truncated and saturated; NaN gives 0."""
    low, high = RANGES[dtype]
    if math.isnan(x):
        return 0
    return max(low, min(high, int(x) if math.isfinite(x) else int(math.copysign(2**70, x))))


def folded(x: Tensor, axes: Sequence[int], shape: Sequence[int], fold: Fold) -> Tensor:
    """Fold the elements over `axes`, taken row-major; `shape` has length 1 or no axis there."""
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]

    def one(place: tuple[int, ...]) -> Any:
        keeps_rank = len(shape) == len(x.shape)
        position = [place[axis] for axis in kept] if keeps_rank else list(place)
        values = []
        for inner in indices([x.shape[axis] for axis in axes]):
            index = [0] * len(x.shape)
            for axis, part in zip([*kept, *axes], [*position, *inner], strict=True):
                index[axis] = part
            values.append(x.at(index))
        return fold(values, x.dtype)

    return filled(x.dtype, shape, one)


def total(values: list[Any], dtype: str) -> Any:
    """Sum."""
    if dtype == "float32":
        return float32.chunked_sum(values)
    return wrapped(sum(values), dtype)


def mean(values: list[Any], dtype: str) -> Any:
    """Sum divided by the count, an integer truncated."""
    if dtype == "float32":
        return float32.divide(total(values, dtype), float32.from_int(len(values)))
    found = total(values, dtype)
    return int(math.copysign(abs(found) // len(values), found))


def magnitudes(values: list[Any], dtype: str) -> Any:
    """Sum of magnitudes."""
    return total([abs(value) for value in values], dtype)


def squares(values: list[Any], dtype: str) -> Any:
    """Sum of squares."""
    if dtype == "float32":
        return total([float32.multiply(value, value) for value in values], dtype)
    return total([value * value for value in values], dtype)


def norm(values: list[Any], dtype: str) -> Any:
    """Root of the sum of squares."""
    found = squares(values, dtype)
    if dtype == "float32":
        return square_root(found)
    return to_truncated(square_root(float32.from_int(found)), dtype)


def product(values: list[Any], dtype: str) -> Any:
    """Product."""
    if dtype == "float32":
        return reduce(float32.multiply, values, 1.0)
    return wrapped(math.prod(values), dtype)


def greatest(values: list[Any], dtype: str) -> Any:
    """Fold of Max."""
    return reduce(float32.greater_of, values) if dtype == "float32" else max(values)


def least(values: list[Any], dtype: str) -> Any:
    """Fold of Min."""
    return reduce(float32.lesser_of, values) if dtype == "float32" else min(values)


def log_of_total(values: list[Any], dtype: str) -> Any:
    """Logarithm of the sum."""
    found = total(values, dtype)
    if dtype == "float32":
        return logarithm(found)
    return to_truncated(logarithm(float32.from_int(found)), dtype)


def logarithm(x: float) -> float:
    """Return ln x for any float32."""
    if math.isnan(x) or x < 0:
        return math.nan
    return -math.inf if x == 0 else x if math.isinf(x) else transcendental.log(x)


def log_of_exponentials(values: list[Any], dtype: str) -> Any:
    """Logarithm of the sum of exponentials, the greatest value taken out."""
    floats = values if dtype == "float32" else [float32.from_int(value) for value in values]
    largest = reduce(float32.greater_of, floats)
    largest = 0.0 if math.isinf(largest) else largest
    exponentials = [transcendental.exp(float32.subtract(value, largest)) for value in floats]
    result = float32.add(logarithm(float32.chunked_sum(exponentials)), largest)
    return result if dtype == "float32" else to_truncated(result, dtype)


def powered(p: int) -> Fold:
    """Sum of |x|**p, to the power of 1 / p."""

    def fold(values: list[Any], dtype: str) -> Any:
        if p <= 2:
            return (magnitudes if p == 1 else norm)(values, dtype)
        sum_of_powers = total([transcendental.power(abs(v), p) for v in values], dtype)
        return transcendental.power(sum_of_powers, float32.divide(1.0, float32.from_int(p)))

    return fold
