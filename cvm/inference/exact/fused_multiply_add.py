"""The correctly rounded float32 fused multiply-add, and the dot-product step made of it."""

import numpy as np

from cvm.inference.tensor_type import Array

LOW_BITS = 0x1FFF_FFFF
"""The 29 bits by which a float64 significand is longer than a float32 one."""

MIDPOINT = 0x1000_0000
"""These bits in the low 29 mark a float64 half-way between two normal float32 values."""

SMALLEST_NORMAL_TWICE = 0x3810_0000_0000_0000 << 1
"""2**-126 as float64 bits, shifted left by one so that the sign is gone."""


def widen(values: Array) -> Array:
    """Return float32 values as float64, which holds any product of two of them exactly.

    A product has at most 48 significant bits and a magnitude in [2**-298, 2**256).
    """
    return values.astype(np.float64)


def fma32(a: Array, b: Array, c: Array) -> Array:
    """Return a * b + c with one rounding to nearest even, elementwise on float32 arrays.

    Shapes broadcast; subnormals are kept; infinities, NaN and signed zeros follow
    IEEE 754-2019 fusedMultiplyAdd (an exact zero of unlike signs is +0).
    """
    with np.errstate(all="ignore"):
        product = widen(a) * widen(b)
    return add_product(product, c)


def add_product(product: Array, accumulator: Array) -> Array:
    """Return float32(product + accumulator), rounded once: the step of every dot product.

    `product` is float64 and exact (see `widen`), `accumulator` is float32. The float64 sum
    s lies on the same side as the exact sum of every float32 midpoint other than s itself,
    so a second rounding harms only where s is such a midpoint; there, and where the result
    is subnormal and its midpoints lie elsewhere, s is first rounded to odd.
    """
    with np.errstate(all="ignore"):
        addend = widen(accumulator)
        total = np.asarray(product + addend)
        bits = total.view(np.int64)
        doubtful = (bits & LOW_BITS) == MIDPOINT
        doubtful |= (bits.view(np.uint64) << np.uint64(1)) - np.uint64(1) < np.uint64(
            SMALLEST_NORMAL_TWICE - 1
        )
        if doubtful.any():
            wide_product, wide_addend = np.broadcast_arrays(product, addend)
            total[doubtful] = _sum_rounded_to_odd(wide_product[doubtful], wide_addend[doubtful])
        return total.astype(np.float32)


def _sum_rounded_to_odd(a: Array, b: Array) -> Array:
    """Return a + b in float64, an inexact sum being moved to the neighbour with an odd last bit.

    53 bits rounded to odd carry enough to round once more to 24 bits or fewer (S. Boldo,
    G. Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4), 2008).
    """
    total = a + b
    b_part = total - a
    error = (a - (total - b_part)) + (b - b_part)  # TwoSum: total + error = a + b exactly
    bits = total.view(np.int64)
    inexact = (error != 0) & ((bits & 1) == 0)
    outward = (error > 0) == (total > 0)
    return np.where(inexact, np.where(outward, bits | 1, bits - 1), bits).view(np.float64)
