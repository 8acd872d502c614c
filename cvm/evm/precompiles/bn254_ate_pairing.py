"""The optimal ate pairing on BN254, compiled.

Lines: Costello, Lange and Naehrig, "Faster pairing computations on curves with high-degree twists"
(2010), in homogeneous coordinates. Final exponent: a multiple of (P**12 - 1) / r that is prime to r
(Fuentes-Castaneda, Knapp and Rodriguez-Henriquez, "Faster hashing to G2", 2011).
"""

import numpy as np
from numpy.typing import NDArray

from cvm.evm.precompiles.bn254_curve import (
    CURVE_PARAMETER,
    G2,
    TWIST_B,
    g1_is_on_curve,
    g2_frobenius,
    g2_is_in_subgroup,
    g2_is_on_curve,
)
from cvm.evm.precompiles.bn254_field import (
    ONE2,
    ZERO2,
    Fp,
    Fp2,
    P,
    fp2_add,
    fp2_is_zero,
    fp2_mul,
    fp2_scale,
    fp2_square,
    fp2_sub,
    fp_encode,
    fp_is_canonical,
    fp_is_zero,
    read_element,
    to_montgomery,
)
from cvm.evm.precompiles.bn254_tower import (
    ONE12,
    Fp12,
    fp12_conjugate,
    fp12_frobenius,
    fp12_frobenius_2,
    fp12_frobenius_3,
    fp12_inverse,
    fp12_is_one,
    fp12_mul,
    fp12_mul_line,
    fp12_power,
    fp12_square,
)
from cvm.native_code import inner, kernel

Line = tuple[Fp2, Fp2, Fp2]

HALF: Fp = to_montgomery(pow(2, -1, P))
PARAMETER = np.uint64(CURVE_PARAMETER)

IS_ONE = 1
IS_NOT_ONE = 0
IS_INVALID = -1


def signed_digits(number: int) -> tuple[int, ...]:
    """Return the non-adjacent form of a number, the highest digit first, without that digit."""
    digits = []
    while number:
        digit = 2 - number % 4 if number & 1 else 0
        digits.append(digit)
        number = (number - digit) >> 1
    return tuple(reversed(digits[:-1]))


LOOP_DIGITS = signed_digits(6 * CURVE_PARAMETER + 2)


@inner
def double_with_line(point: G2) -> tuple[G2, Line]:
    """Return 2 point, and the tangent there as coefficients of 1, w and v w (y and x to come)."""
    x, y, z = point
    a = fp2_scale(fp2_mul(x, y), HALF)
    b, c = fp2_square(y), fp2_square(z)
    e = fp2_mul(TWIST_B, fp2_add(fp2_add(c, c), c))
    f = fp2_add(fp2_add(e, e), e)
    g = fp2_scale(fp2_add(b, f), HALF)
    h = fp2_sub(fp2_square(fp2_add(y, z)), fp2_add(b, c))
    j = fp2_square(x)
    e2 = fp2_square(e)
    twice = (
        fp2_mul(a, fp2_sub(b, f)),
        fp2_sub(fp2_square(g), fp2_add(fp2_add(e2, e2), e2)),
        fp2_mul(b, h),
    )
    return twice, (fp2_sub(ZERO2, h), fp2_add(fp2_add(j, j), j), fp2_sub(e, b))


@inner
def add_with_line(point: G2, x: Fp2, y: Fp2) -> tuple[G2, Line]:
    """Return point + (x, y), and the line through both."""
    theta = fp2_sub(point[1], fp2_mul(y, point[2]))
    slope = fp2_sub(point[0], fp2_mul(x, point[2]))
    c, d = fp2_square(theta), fp2_square(slope)
    e = fp2_mul(slope, d)
    f, g = fp2_mul(point[2], c), fp2_mul(point[0], d)
    h = fp2_sub(fp2_add(e, f), fp2_add(g, g))
    j = fp2_sub(fp2_mul(theta, x), fp2_mul(slope, y))
    total = (
        fp2_mul(slope, h),
        fp2_sub(fp2_mul(theta, fp2_sub(g, h)), fp2_mul(e, point[1])),
        fp2_mul(point[2], e),
    )
    return total, (slope, fp2_sub(ZERO2, theta), j)


@inner
def multiply_by_line(value: Fp12, line: Line, x: Fp, y: Fp) -> Fp12:
    """Return value times the line at the point (x, y)."""
    return fp12_mul_line(value, fp2_scale(line[0], y), fp2_scale(line[1], x), line[2])


@inner
def miller_loop(x: Fp, y: Fp, qx: Fp2, qy: Fp2) -> Fp12:
    """Return the function of divisor (6 u + 2) Q + two Frobenius images, at the point (x, y)."""
    minus_qy = fp2_sub(ZERO2, qy)
    point = (qx, qy, ONE2)
    value = ONE12
    for digit in LOOP_DIGITS:
        value = fp12_square(value)
        point, line = double_with_line(point)
        value = multiply_by_line(value, line, x, y)
        if digit != 0:
            point, line = add_with_line(point, qx, qy if digit > 0 else minus_qy)
            value = multiply_by_line(value, line, x, y)
    first_x, first_y = g2_frobenius(qx, qy)
    second_x, second_y = g2_frobenius(first_x, first_y)
    point, line = add_with_line(point, first_x, first_y)
    value = multiply_by_line(value, line, x, y)
    point, line = add_with_line(point, second_x, fp2_sub(ZERO2, second_y))
    return multiply_by_line(value, line, x, y)


@inner
def final_power(value: Fp12) -> Fp12:
    """Return value**(m (P**12 - 1) / r), with m prime to r: 1 exactly where the pairing is 1."""
    value = fp12_mul(fp12_conjugate(value), fp12_inverse(value))
    value = fp12_mul(fp12_frobenius_2(value), value)
    y0 = fp12_conjugate(fp12_power(value, PARAMETER))
    y1 = fp12_square(y0)
    y3 = fp12_mul(fp12_square(y1), y1)
    y4 = fp12_conjugate(fp12_power(y3, PARAMETER))
    y6 = fp12_power(fp12_square(y4), PARAMETER)
    y8 = fp12_mul(fp12_mul(y6, y4), fp12_conjugate(y3))
    y9 = fp12_mul(y8, y1)
    y11 = fp12_mul(fp12_mul(y8, y4), value)
    y13 = fp12_mul(fp12_frobenius(y9), y11)
    y14 = fp12_mul(fp12_frobenius_2(y8), y13)
    y15 = fp12_frobenius_3(fp12_mul(fp12_conjugate(value), y9))
    return fp12_mul(y15, y14)


@kernel
def check_pairing(words: NDArray[np.uint64]) -> int:
    """Tell whether the product of the pairings is 1; words: (pairs, 6 elements, 4 limbs).

    The elements of a pair are x, y of G1, then x and y of G2, imaginary part first (EIP-197).
    """
    product = ONE12
    for pair in range(words.shape[0]):
        for index in range(6):
            if not fp_is_canonical(read_element(words[pair, index])):
                return IS_INVALID
        x, y = fp_encode(read_element(words[pair, 0])), fp_encode(read_element(words[pair, 1]))
        qx = (fp_encode(read_element(words[pair, 3])), fp_encode(read_element(words[pair, 2])))
        qy = (fp_encode(read_element(words[pair, 5])), fp_encode(read_element(words[pair, 4])))
        is_zero = fp_is_zero(x) and fp_is_zero(y)
        is_zero2 = fp2_is_zero(qx) and fp2_is_zero(qy)
        if not is_zero and not g1_is_on_curve(x, y):
            return IS_INVALID
        if not is_zero2 and not (g2_is_on_curve(qx, qy) and g2_is_in_subgroup(qx, qy)):
            return IS_INVALID
        if not is_zero and not is_zero2:
            product = fp12_mul(product, miller_loop(x, y, qx, qy))
    return IS_ONE if fp12_is_one(final_power(product)) else IS_NOT_ONE
