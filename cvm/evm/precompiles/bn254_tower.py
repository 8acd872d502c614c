"""The tower of fields over BN254's Fp2, compiled.

Fp6 = Fp2[v] / (v**3 - (9 + i)) and Fp12 = Fp6[w] / (w**2 - v). Formulas: Devegili, O hEigeartaigh,
Scott and Dahab, "Multiplication and squaring on pairing-friendly fields" (2006).
"""

import numpy as np

from cvm.evm.precompiles.bn254_field import (
    ONE2,
    ZERO2,
    Fp2,
    P,
    fp2_add,
    fp2_conjugate,
    fp2_inverse,
    fp2_is_zero,
    fp2_mul,
    fp2_square,
    fp2_sub,
    fp2_times_xi,
    to_montgomery,
)
from cvm.native_code import inner

Fp6 = tuple[Fp2, Fp2, Fp2]
Fp12 = tuple[Fp6, Fp6]

ZERO6: Fp6 = (ZERO2, ZERO2, ZERO2)
ONE12: Fp12 = ((ONE2, ZERO2, ZERO2), ZERO6)


def power_of_xi(exponent: int) -> Fp2:
    """Return (9 + i)**exponent, a constant computed with plain integers."""
    result, square = (1, 0), (9, 1)
    while exponent:
        if exponent & 1:
            result = complex_product(result, square)
        square = complex_product(square, square)
        exponent >>= 1
    return to_montgomery(result[0]), to_montgomery(result[1])


def complex_product(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Return a * b modulo P of pairs (real, imaginary)."""
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def frobenius_factors(power: int) -> tuple[Fp2, Fp2, Fp2, Fp2, Fp2]:
    """Return w**(k * (P**power - 1)) for k from 1 to 5: what w**k gains when raised to P**power."""
    step = (P**power - 1) // 6
    first, second, third, fourth, fifth = (power_of_xi(step * k) for k in range(1, 6))
    return first, second, third, fourth, fifth


FROBENIUS_1 = frobenius_factors(1)
FROBENIUS_2 = frobenius_factors(2)
FROBENIUS_3 = frobenius_factors(3)


@inner
def fp6_add(a: Fp6, b: Fp6) -> Fp6:
    """Return a + b."""
    return fp2_add(a[0], b[0]), fp2_add(a[1], b[1]), fp2_add(a[2], b[2])


@inner
def fp6_sub(a: Fp6, b: Fp6) -> Fp6:
    """Return a - b."""
    return fp2_sub(a[0], b[0]), fp2_sub(a[1], b[1]), fp2_sub(a[2], b[2])


@inner
def fp6_times_v(a: Fp6) -> Fp6:
    """Return a * v."""
    return fp2_times_xi(a[2]), a[0], a[1]


@inner
def cross_product(a: Fp2, b: Fp2, c: Fp2, d: Fp2, known: Fp2) -> Fp2:
    """Return a * d + b * c, given known = a * c + b * d."""
    return fp2_sub(fp2_mul(fp2_add(a, b), fp2_add(c, d)), known)


@inner
def fp6_mul(a: Fp6, b: Fp6) -> Fp6:
    """Return a * b: six products by Karatsuba."""
    p0, p1, p2 = fp2_mul(a[0], b[0]), fp2_mul(a[1], b[1]), fp2_mul(a[2], b[2])
    c0 = cross_product(a[1], a[2], b[1], b[2], fp2_add(p1, p2))
    c1 = cross_product(a[0], a[1], b[0], b[1], fp2_add(p0, p1))
    c2 = cross_product(a[0], a[2], b[0], b[2], fp2_add(p0, p2))
    return fp2_add(p0, fp2_times_xi(c0)), fp2_add(c1, fp2_times_xi(p2)), fp2_add(c2, p1)


@inner
def fp6_mul_short(a: Fp6, b0: Fp2, b1: Fp2) -> Fp6:
    """Return a * (b0 + b1 v): five products."""
    p0, p1 = fp2_mul(a[0], b0), fp2_mul(a[1], b1)
    c0 = fp2_mul(a[2], b1)
    c1 = cross_product(a[0], a[1], b0, b1, fp2_add(p0, p1))
    c2 = fp2_mul(a[2], b0)
    return fp2_add(p0, fp2_times_xi(c0)), c1, fp2_add(c2, p1)


@inner
def fp6_scale(a: Fp6, factor: Fp2) -> Fp6:
    """Return a times an element of Fp2."""
    return fp2_mul(a[0], factor), fp2_mul(a[1], factor), fp2_mul(a[2], factor)


@inner
def fp6_inverse(a: Fp6) -> Fp6:
    """Return 1 / a by the adjugate of multiplication by a."""
    c0 = fp2_sub(fp2_square(a[0]), fp2_times_xi(fp2_mul(a[1], a[2])))
    c1 = fp2_sub(fp2_times_xi(fp2_square(a[2])), fp2_mul(a[0], a[1]))
    c2 = fp2_sub(fp2_square(a[1]), fp2_mul(a[0], a[2]))
    mixed = fp2_times_xi(fp2_add(fp2_mul(a[1], c2), fp2_mul(a[2], c1)))
    norm = fp2_inverse(fp2_add(fp2_mul(a[0], c0), mixed))
    return fp6_scale((c0, c1, c2), norm)


@inner
def fp12_mul(a: Fp12, b: Fp12) -> Fp12:
    """Return a * b: Karatsuba over Fp6."""
    low, high = fp6_mul(a[0], b[0]), fp6_mul(a[1], b[1])
    mixed = fp6_mul(fp6_add(a[0], a[1]), fp6_add(b[0], b[1]))
    return fp6_add(low, fp6_times_v(high)), fp6_sub(fp6_sub(mixed, low), high)


@inner
def fp12_square(a: Fp12) -> Fp12:
    """Return a * a by the complex method: two products over Fp6."""
    product = fp6_mul(a[0], a[1])
    both = fp6_mul(fp6_add(a[0], a[1]), fp6_add(a[0], fp6_times_v(a[1])))
    low = fp6_sub(fp6_sub(both, product), fp6_times_v(product))
    return low, fp6_add(product, product)


@inner
def fp12_mul_line(a: Fp12, c0: Fp2, c3: Fp2, c4: Fp2) -> Fp12:
    """Return a * (c0 + (c3 + c4 v) w), the form of a line."""
    low = fp6_scale(a[0], c0)
    high = fp6_mul_short(a[1], c3, c4)
    mixed = fp6_mul_short(fp6_add(a[0], a[1]), fp2_add(c0, c3), c4)
    return fp6_add(low, fp6_times_v(high)), fp6_sub(fp6_sub(mixed, low), high)


@inner
def fp12_conjugate(a: Fp12) -> Fp12:
    """Return a**(P**6): w becomes -w."""
    return a[0], fp6_sub(ZERO6, a[1])


@inner
def fp12_inverse(a: Fp12) -> Fp12:
    """Return 1 / a = conjugate / norm."""
    norm = fp6_sub(fp6_mul(a[0], a[0]), fp6_times_v(fp6_mul(a[1], a[1])))
    inverse = fp6_inverse(norm)
    return fp6_mul(a[0], inverse), fp6_sub(ZERO6, fp6_mul(a[1], inverse))


@inner
def twist_coefficients(a: Fp12, factors: tuple[Fp2, Fp2, Fp2, Fp2, Fp2]) -> Fp12:
    """Return a with each coefficient of w**k times its factor."""
    low = (a[0][0], fp2_mul(a[0][1], factors[1]), fp2_mul(a[0][2], factors[3]))
    high = (
        fp2_mul(a[1][0], factors[0]),
        fp2_mul(a[1][1], factors[2]),
        fp2_mul(a[1][2], factors[4]),
    )
    return low, high


@inner
def fp6_conjugate(a: Fp6) -> Fp6:
    """Return a with every coefficient conjugated."""
    return fp2_conjugate(a[0]), fp2_conjugate(a[1]), fp2_conjugate(a[2])


@inner
def fp12_frobenius(a: Fp12) -> Fp12:
    """Return a**P."""
    return twist_coefficients((fp6_conjugate(a[0]), fp6_conjugate(a[1])), FROBENIUS_1)


@inner
def fp12_frobenius_2(a: Fp12) -> Fp12:
    """Return a**(P**2)."""
    return twist_coefficients(a, FROBENIUS_2)


@inner
def fp12_frobenius_3(a: Fp12) -> Fp12:
    """Return a**(P**3)."""
    return twist_coefficients((fp6_conjugate(a[0]), fp6_conjugate(a[1])), FROBENIUS_3)


@inner
def fp12_is_one(a: Fp12) -> bool:
    """Tell whether a is 1."""
    rest = fp2_is_zero(fp2_sub(a[0][0], ONE2)) and fp2_is_zero(a[0][1]) and fp2_is_zero(a[0][2])
    return rest and fp2_is_zero(a[1][0]) and fp2_is_zero(a[1][1]) and fp2_is_zero(a[1][2])


@inner
def fp12_power(a: Fp12, exponent: np.uint64) -> Fp12:
    """Return a**exponent, the exponent being public: square and multiply."""
    result = ONE12
    for index in range(63, -1, -1):
        result = fp12_square(result)
        if (exponent >> np.uint64(index)) & np.uint64(1):
            result = fp12_mul(result, a)
    return result
