"""Which of two values is the larger: the Max, Min and ArgMax rules, NaN and -0 included."""

import numpy as np

from cvm.inference.tensor_type import Array

CANONICAL_NAN = np.array(0x7FC0_0000, np.uint32).view(np.float32)
"""The only NaN that is ever observed (EXACT section 2)."""

NAN_KEY = 2**31
"""Where `order_keys` puts a NaN: above the bits of +inf."""


def larger(a: Array, b: Array) -> Array:
    """Return Max(a, b), elementwise and broadcast, for float32 or integers of one dtype.

    NaN if either is NaN; else a if a > b, or if a == b and a is +0; else b.
    """
    if a.dtype != np.float32:
        return np.where(a > b, a, b)
    chosen = np.where((a > b) | ((a == b) & ~_sign_bit(a)), a, b)
    return np.where(np.isnan(a) | np.isnan(b), CANONICAL_NAN, chosen)


def smaller(a: Array, b: Array) -> Array:
    """Return Min(a, b), elementwise and broadcast, for float32 or integers of one dtype.

    NaN if either is NaN; else a if a < b, or if a == b and a is -0; else b.
    """
    if a.dtype != np.float32:
        return np.where(a < b, a, b)
    chosen = np.where((a < b) | ((a == b) & _sign_bit(a)), a, b)
    return np.where(np.isnan(a) | np.isnan(b), CANONICAL_NAN, chosen)


def lowest(dtype: str) -> Array:
    """Return the scalar from which a fold of `larger` starts: -inf, or the least integer."""
    if dtype == "float32":
        return np.array(0xFF80_0000, np.uint32).view(np.float32)
    return np.array(np.iinfo(dtype).min, dtype)


def index_of_largest(values: Array, last: bool) -> Array:
    """Return the int64 index of the largest of `values` (n, ...) along the first axis.

    NaN stands above +inf, all NaN are equal, -0 equals +0. Of equal values the one with
    the lowest index wins, or with the highest if `last`. n is at least 1.
    """
    best = values[0]
    index = np.zeros(best.shape, np.int64)
    for position in range(1, values.shape[0]):
        value = values[position]
        both_nan = _is_nan(value) & _is_nan(best)
        wins = (value > best) | (_is_nan(value) & ~_is_nan(best))
        if last:
            wins = wins | (value == best) | both_nan
        best = np.where(wins, value, best)
        index = np.where(wins, position, index)
    return np.asarray(index)


def _sign_bit(values: Array) -> Array:
    return np.asarray(values).view(np.int32) < 0


def _is_nan(values: Array) -> Array:
    if values.dtype != np.float32:
        return np.zeros(values.shape, np.bool_)
    return np.isnan(values)


def index_of_smallest(values: Array, last: bool) -> Array:
    """Return the int64 index of the smallest of `values` (n, ...) along the first axis.

    NaN stands above +inf, so it wins only among NaN; -0 equals +0. Ties as in
    `index_of_largest`. n is at least 1.
    """
    keys = order_keys(values)
    best = keys[0]
    index = np.zeros(best.shape, np.int64)
    for position in range(1, keys.shape[0]):
        wins = keys[position] <= best if last else keys[position] < best
        best = np.where(wins, keys[position], best)
        index = np.where(wins, position, index)
    return np.asarray(index)


def order_keys(values: Array) -> Array:
    """Return int64 numbers in the order of `values`: NaN above +inf, all NaN equal, -0 equal +0."""
    if values.dtype != np.float32:
        return values.astype(np.int64)
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    keys = np.where(bits < 0, -(bits & 0x7FFF_FFFF), bits)
    return np.where(np.isnan(values), NAN_KEY, keys).reshape(values.shape)
