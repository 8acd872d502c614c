"""The groups of BN254, compiled: y**2 = x**3 + 3 over Fp, and its twist over Fp2.

A point is (X, Y, Z) with x = X / Z and y = Y / Z; infinity is (0, 1, 0). Addition and doubling are
the complete formulas for a = 0 of Renes, Costello and Batina, "Complete addition formulas for
prime order elliptic curves" (2016), algorithms 7 and 9: no case is special, no order being even.
"""

import numpy as np
from numpy.typing import NDArray

from cvm.evm.precompiles.bn254_field import (
    ONE,
    ONE2,
    ZERO,
    ZERO2,
    Fp,
    Fp2,
    P,
    fp2_add,
    fp2_conjugate,
    fp2_is_zero,
    fp2_mul,
    fp2_square,
    fp2_sub,
    fp_add,
    fp_decode,
    fp_encode,
    fp_inverse,
    fp_is_canonical,
    fp_is_zero,
    fp_mul,
    fp_sub,
    read_element,
    to_montgomery,
)
from cvm.evm.precompiles.bn254_tower import FROBENIUS_1, complex_product
from cvm.native_code import inner, kernel

G1 = tuple[Fp, Fp, Fp]
G2 = tuple[Fp2, Fp2, Fp2]

ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
CURVE_PARAMETER = 4965661367192848881
"""u, from which the modulus, the order and the loop of the pairing follow (EIP-197)."""

B: Fp = to_montgomery(3)
TRIPLE_B: Fp = to_montgomery(9)
INVERSE_82 = pow(82, -1, P)
"""1 / (9 + i) = (9 - i) / 82."""
PLAIN_TWIST_B = complex_product((3, 0), (9 * INVERSE_82 % P, -INVERSE_82 % P))
TWIST_B: Fp2 = (to_montgomery(PLAIN_TWIST_B[0]), to_montgomery(PLAIN_TWIST_B[1]))
TRIPLE_TWIST_B: Fp2 = (to_montgomery(3 * PLAIN_TWIST_B[0]), to_montgomery(3 * PLAIN_TWIST_B[1]))
INFINITY: G1 = (ZERO, ONE, ZERO)
INFINITY2: G2 = (ZERO2, ONE2, ZERO2)

SUBGROUP_SCALAR = 6 * CURVE_PARAMETER**2
SUBGROUP_SCALAR_BITS = SUBGROUP_SCALAR.bit_length()
SUBGROUP_WORDS = (np.uint64(SUBGROUP_SCALAR % (1 << 64)), np.uint64(SUBGROUP_SCALAR >> 64))


@inner
def g1_is_on_curve(x: Fp, y: Fp) -> bool:
    """Tell whether y**2 = x**3 + 3."""
    cube = fp_mul(fp_mul(x, x), x)
    return fp_is_zero(fp_sub(fp_mul(y, y), fp_add(cube, B)))


@inner
def g1_double(a: G1) -> G1:
    """Return 2 a (algorithm 9)."""
    x, y, z = a
    t0 = fp_mul(y, y)
    eight = fp_add(t0, t0)
    eight = fp_add(eight, eight)
    eight = fp_add(eight, eight)
    t1 = fp_mul(y, z)
    t2 = fp_mul(TRIPLE_B, fp_mul(z, z))
    y3 = fp_add(t0, t2)
    rest = fp_sub(t0, fp_add(fp_add(t2, t2), t2))
    x3 = fp_mul(rest, fp_mul(x, y))
    return fp_add(x3, x3), fp_add(fp_mul(t2, eight), fp_mul(rest, y3)), fp_mul(t1, eight)


@inner
def g1_add(a: G1, b: G1) -> G1:
    """Return a + b (algorithm 7)."""
    t0, t1, t2 = fp_mul(a[0], b[0]), fp_mul(a[1], b[1]), fp_mul(a[2], b[2])
    t3 = fp_mul(fp_add(a[0], a[1]), fp_add(b[0], b[1]))
    t3 = fp_sub(t3, fp_add(t0, t1))
    t4 = fp_mul(fp_add(a[1], a[2]), fp_add(b[1], b[2]))
    t4 = fp_sub(t4, fp_add(t1, t2))
    y3 = fp_mul(fp_add(a[0], a[2]), fp_add(b[0], b[2]))
    y3 = fp_mul(TRIPLE_B, fp_sub(y3, fp_add(t0, t2)))
    triple = fp_add(fp_add(t0, t0), t0)
    t2 = fp_mul(TRIPLE_B, t2)
    z3, t1 = fp_add(t1, t2), fp_sub(t1, t2)
    return (
        fp_sub(fp_mul(t3, t1), fp_mul(t4, y3)),
        fp_add(fp_mul(t1, z3), fp_mul(y3, triple)),
        fp_add(fp_mul(z3, t4), fp_mul(triple, t3)),
    )


@inner
def g1_multiply(point: G1, scalar: Fp) -> G1:
    """Return scalar * point; the scalar is four plain limbs, read four bits at a time."""
    table = [INFINITY]
    for index in range(15):
        table.append(g1_add(table[index], point))
    result = INFINITY
    for window in range(63, -1, -1):
        for _ in range(4):
            result = g1_double(result)
        digit = (scalar[window >> 4] >> np.uint64(4 * (window & 15))) & np.uint64(15)
        if digit:
            result = g1_add(result, table[np.int64(digit)])
    return result


@kernel
def multiply_in_place(words: NDArray[np.uint64]) -> bool:
    """Write scalar * point over the point; words: rows x, y, scalar. False: not a point."""
    if not (fp_is_canonical(read_element(words[0])) and fp_is_canonical(read_element(words[1]))):
        return False
    x, y = fp_encode(read_element(words[0])), fp_encode(read_element(words[1]))
    if fp_is_zero(x) and fp_is_zero(y):
        return True
    if not g1_is_on_curve(x, y):
        return False
    product = g1_multiply((x, y, ONE), read_element(words[2]))
    inverse = fp_inverse(product[2])
    x, y = fp_decode(fp_mul(product[0], inverse)), fp_decode(fp_mul(product[1], inverse))
    for index in range(4):
        words[0, index] = x[index]
        words[1, index] = y[index]
    return True


@inner
def g2_is_on_curve(x: Fp2, y: Fp2) -> bool:
    """Tell whether y**2 = x**3 + 3 / (9 + i)."""
    cube = fp2_mul(fp2_square(x), x)
    return fp2_is_zero(fp2_sub(fp2_square(y), fp2_add(cube, TWIST_B)))


@inner
def g2_double(a: G2) -> G2:
    """Return 2 a (algorithm 9)."""
    x, y, z = a
    t0 = fp2_square(y)
    eight = fp2_add(t0, t0)
    eight = fp2_add(eight, eight)
    eight = fp2_add(eight, eight)
    t1 = fp2_mul(y, z)
    t2 = fp2_mul(TRIPLE_TWIST_B, fp2_square(z))
    y3 = fp2_add(t0, t2)
    rest = fp2_sub(t0, fp2_add(fp2_add(t2, t2), t2))
    x3 = fp2_mul(rest, fp2_mul(x, y))
    return fp2_add(x3, x3), fp2_add(fp2_mul(t2, eight), fp2_mul(rest, y3)), fp2_mul(t1, eight)


@inner
def g2_add(a: G2, b: G2) -> G2:
    """Return a + b (algorithm 7)."""
    t0, t1, t2 = fp2_mul(a[0], b[0]), fp2_mul(a[1], b[1]), fp2_mul(a[2], b[2])
    t3 = fp2_mul(fp2_add(a[0], a[1]), fp2_add(b[0], b[1]))
    t3 = fp2_sub(t3, fp2_add(t0, t1))
    t4 = fp2_mul(fp2_add(a[1], a[2]), fp2_add(b[1], b[2]))
    t4 = fp2_sub(t4, fp2_add(t1, t2))
    y3 = fp2_mul(fp2_add(a[0], a[2]), fp2_add(b[0], b[2]))
    y3 = fp2_mul(TRIPLE_TWIST_B, fp2_sub(y3, fp2_add(t0, t2)))
    triple = fp2_add(fp2_add(t0, t0), t0)
    t2 = fp2_mul(TRIPLE_TWIST_B, t2)
    z3, t1 = fp2_add(t1, t2), fp2_sub(t1, t2)
    return (
        fp2_sub(fp2_mul(t3, t1), fp2_mul(t4, y3)),
        fp2_add(fp2_mul(t1, z3), fp2_mul(y3, triple)),
        fp2_add(fp2_mul(z3, t4), fp2_mul(triple, t3)),
    )


@inner
def g2_frobenius(x: Fp2, y: Fp2) -> tuple[Fp2, Fp2]:
    """Return the image of a point of the twist under the Frobenius map of the curve."""
    return (
        fp2_mul(fp2_conjugate(x), FROBENIUS_1[1]),
        fp2_mul(fp2_conjugate(y), FROBENIUS_1[2]),
    )


@inner
def g2_is_in_subgroup(x: Fp2, y: Fp2) -> bool:
    """Tell whether a point of the twist has the order of the group.

    It has exactly where Frobenius multiplies it by 6 u**2 (El Housni, Guillevic and Piellard,
    "Co-factor clearing and subgroup membership testing on pairing-friendly curves", 2022).
    """
    point = (x, y, ONE2)
    multiple = point
    for index in range(SUBGROUP_SCALAR_BITS - 2, -1, -1):
        multiple = g2_double(multiple)
        if (SUBGROUP_WORDS[index >> 6] >> np.uint64(index & 63)) & np.uint64(1):
            multiple = g2_add(multiple, point)
    image_x, image_y = g2_frobenius(x, y)
    same_x = fp2_is_zero(fp2_sub(fp2_mul(image_x, multiple[2]), multiple[0]))
    same_y = fp2_is_zero(fp2_sub(fp2_mul(image_y, multiple[2]), multiple[1]))
    return same_x and same_y and not fp2_is_zero(multiple[2])
