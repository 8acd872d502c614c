"""The field of the curve BN254 (alt_bn128, EIP-196) and its square extension, compiled.

An element of Fp is four 64-bit limbs, the lowest first, in Montgomery form (x * 2**256 mod P) and
below P. An element of Fp2 = Fp[i] / (i**2 + 1) is a pair (real, imaginary).
"""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from cvm.native_code import inner

Fp = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
Fp2 = tuple[Fp, Fp]

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""The prime of the field, below 2**254: the sum of two elements fits 256 bits."""

LIMBS = 4
LIMB_BITS = 64
RADIX = 1 << (LIMBS * LIMB_BITS)
LIMB_INVERSE = -pow(P, -1, 1 << LIMB_BITS) % (1 << LIMB_BITS)
"""-1 / P modulo 2**64, for Montgomery's reduction."""

LIMB = ir.IntType(LIMB_BITS)
DOUBLE_LIMB = ir.IntType(2 * LIMB_BITS)
WIDE = ir.IntType(LIMBS * LIMB_BITS)
ELEMENT: Any = cast(Any, types.UniTuple)(types.uint64, LIMBS)
cgutils: Any = untyped_cgutils


def limbs_of(number: int) -> Fp:
    """Split a number below 2**256 into limbs, the lowest first."""
    a, b, c, d = (np.uint64((number >> shift) % (1 << LIMB_BITS)) for shift in (0, 64, 128, 192))
    return a, b, c, d


def to_montgomery(number: int) -> Fp:
    """Return the Montgomery form of a constant."""
    return limbs_of(number * RADIX % P)


def words_of(data: bytes) -> NDArray[np.uint64]:
    """Return 32-byte big-endian numbers as rows of limbs, the lowest first: (numbers, 4)."""
    rows = np.frombuffer(data, ">u8").reshape(-1, LIMBS)
    return np.ascontiguousarray(rows[:, ::-1], np.uint64)


def bytes_of(words: NDArray[np.uint64]) -> bytes:
    """Return rows of limbs as 32-byte big-endian numbers: what `words_of` took apart."""
    return words[:, ::-1].astype(">u8").tobytes()


ZERO: Fp = limbs_of(0)
ONE: Fp = to_montgomery(1)
PLAIN_ONE: Fp = limbs_of(1)
RADIX_SQUARED: Fp = limbs_of(RADIX * RADIX % P)
MODULUS: Fp = limbs_of(P)
ZERO2: Fp2 = (ZERO, ZERO)
ONE2: Fp2 = (ONE, ZERO)
INVERSION_EXPONENT: Fp = limbs_of(P - 2)


def field_intrinsic(emit: Callable[[Any, Any, Any], Any]) -> Callable[[Fp, Fp], Fp]:
    """Make a compiled function of two elements from one that emits its LLVM instructions."""

    def operation(typing_context: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            return cgutils.pack_array(builder, emit(builder, *map(split(builder), operands)))

        return ELEMENT(ELEMENT, ELEMENT), generate

    operation.__name__ = emit.__name__
    return cast(Callable[[Fp, Fp], Fp], intrinsic(operation))


def split(builder: Any) -> Callable[[Any], list[Any]]:
    """Return what takes an array of limbs apart."""
    return lambda array: cgutils.unpack_tuple(builder, array, LIMBS)


def join(builder: Any, limbs: list[Any]) -> Any:
    """Return one 256-bit integer of four limbs."""
    total = builder.zext(limbs[0], WIDE)
    for index in range(1, LIMBS):
        limb = builder.zext(limbs[index], WIDE)
        total = builder.or_(total, builder.shl(limb, ir.Constant(WIDE, LIMB_BITS * index)))
    return total


def cut(builder: Any, wide: Any) -> list[Any]:
    """Return the four limbs of a 256-bit integer."""
    shifts = (ir.Constant(WIDE, LIMB_BITS * index) for index in range(LIMBS))
    return [builder.trunc(builder.lshr(wide, shift), LIMB) for shift in shifts]


def below_modulus(builder: Any, wide: Any) -> list[Any]:
    """Return the limbs of an integer below 2 P, reduced below P."""
    modulus = ir.Constant(WIDE, P)
    is_over = builder.icmp_unsigned(">=", wide, modulus)
    return cut(builder, builder.select(is_over, builder.sub(wide, modulus), wide))


def emit_add(builder: Any, a: list[Any], b: list[Any]) -> list[Any]:
    """Emit (a + b) mod P."""
    return below_modulus(builder, builder.add(join(builder, a), join(builder, b)))


def emit_subtract(builder: Any, a: list[Any], b: list[Any]) -> list[Any]:
    """Emit (a - b) mod P."""
    left, right = join(builder, a), join(builder, b)
    borrow = builder.icmp_unsigned("<", left, right)
    repair = builder.select(borrow, ir.Constant(WIDE, P), ir.Constant(WIDE, 0))
    return cut(builder, builder.add(builder.sub(left, right), repair))


def emit_multiply(builder: Any, a: list[Any], b: list[Any]) -> list[Any]:
    """Emit a * b / 2**256 mod P: Montgomery's product, interleaved by limbs (CIOS).

    The modulus leaves two bits free, so that no row carries beyond four limbs and every
    product with its two addends fits 128 bits (Acar 1996; the gnark authors' "no-carry" form).
    """

    def multiply_add(x: Any, y: Any, *addends: Any) -> tuple[Any, Any]:
        total = builder.mul(builder.zext(x, DOUBLE_LIMB), builder.zext(y, DOUBLE_LIMB))
        for addend in addends:
            total = builder.add(total, builder.zext(addend, DOUBLE_LIMB))
        high = builder.lshr(total, ir.Constant(DOUBLE_LIMB, LIMB_BITS))
        return builder.trunc(high, LIMB), builder.trunc(total, LIMB)

    modulus = [ir.Constant(LIMB, int(limb)) for limb in MODULUS]
    total = [ir.Constant(LIMB, 0)] * LIMBS
    for factor in b:
        carry, low = multiply_add(a[0], factor, total[0])
        quotient = builder.mul(low, ir.Constant(LIMB, LIMB_INVERSE))
        reduction, _ = multiply_add(quotient, modulus[0], low)
        row = []
        for index in range(1, LIMBS):
            carry, low = multiply_add(a[index], factor, total[index], carry)
            reduction, reduced = multiply_add(quotient, modulus[index], low, reduction)
            row.append(reduced)
        total = [*row, builder.add(reduction, carry)]
    return below_modulus(builder, join(builder, total))


add_limbs = field_intrinsic(emit_add)
subtract_limbs = field_intrinsic(emit_subtract)
multiply_limbs = field_intrinsic(emit_multiply)


@inner
def fp_add(a: Fp, b: Fp) -> Fp:
    """Return a + b."""
    return add_limbs(a, b)


@inner
def fp_sub(a: Fp, b: Fp) -> Fp:
    """Return a - b."""
    return subtract_limbs(a, b)


@inner
def fp_mul(a: Fp, b: Fp) -> Fp:
    """Return a * b."""
    return multiply_limbs(a, b)


@inner
def fp_is_zero(a: Fp) -> bool:
    """Tell whether a is 0."""
    return bool((a[0] | a[1] | a[2] | a[3]) == np.uint64(0))


@inner
def fp_inverse(a: Fp) -> Fp:
    """Return 1 / a by Fermat's little theorem; 0 for 0."""
    result = ONE
    for index in range(255, -1, -1):
        result = fp_mul(result, result)
        word = INVERSION_EXPONENT[index >> 6]
        if (word >> np.uint64(index & 63)) & np.uint64(1):
            result = fp_mul(result, a)
    return result


@inner
def fp_is_canonical(a: Fp) -> bool:
    """Tell whether limbs from outside, not in Montgomery form, are below P."""
    for index in range(3, -1, -1):
        if a[index] != MODULUS[index]:
            return bool(a[index] < MODULUS[index])
    return False


@inner
def read_element(words: NDArray[np.uint64]) -> Fp:
    """Return four limbs of an array."""
    return words[0], words[1], words[2], words[3]


@inner
def fp_encode(a: Fp) -> Fp:
    """Bring limbs below P into Montgomery form."""
    return fp_mul(a, RADIX_SQUARED)


@inner
def fp_decode(a: Fp) -> Fp:
    """Return the plain limbs of an element."""
    return fp_mul(a, PLAIN_ONE)


@inner
def fp2_add(a: Fp2, b: Fp2) -> Fp2:
    """Return a + b."""
    return fp_add(a[0], b[0]), fp_add(a[1], b[1])


@inner
def fp2_sub(a: Fp2, b: Fp2) -> Fp2:
    """Return a - b."""
    return fp_sub(a[0], b[0]), fp_sub(a[1], b[1])


@inner
def fp2_mul(a: Fp2, b: Fp2) -> Fp2:
    """Return a * b: Karatsuba's three products."""
    real, imaginary = fp_mul(a[0], b[0]), fp_mul(a[1], b[1])
    mixed = fp_mul(fp_add(a[0], a[1]), fp_add(b[0], b[1]))
    return fp_sub(real, imaginary), fp_sub(fp_sub(mixed, real), imaginary)


@inner
def fp2_square(a: Fp2) -> Fp2:
    """Return a * a: (x + y i)**2 = (x + y)(x - y) + 2 x y i."""
    product = fp_mul(a[0], a[1])
    return fp_mul(fp_add(a[0], a[1]), fp_sub(a[0], a[1])), fp_add(product, product)


@inner
def fp2_scale(a: Fp2, factor: Fp) -> Fp2:
    """Return a times an element of Fp."""
    return fp_mul(a[0], factor), fp_mul(a[1], factor)


@inner
def fp2_conjugate(a: Fp2) -> Fp2:
    """Return a**P: x - y i."""
    return a[0], fp_sub(ZERO, a[1])


@inner
def fp2_inverse(a: Fp2) -> Fp2:
    """Return 1 / a = conjugate / norm; 0 for 0."""
    norm = fp_add(fp_mul(a[0], a[0]), fp_mul(a[1], a[1]))
    return fp2_scale(fp2_conjugate(a), fp_inverse(norm))


@inner
def fp2_is_zero(a: Fp2) -> bool:
    """Tell whether a is 0."""
    return fp_is_zero(a[0]) and fp_is_zero(a[1])


@inner
def fp2_times_xi(a: Fp2) -> Fp2:
    """Return a * (9 + i), the non-residue from which the upper fields are made."""
    twice = fp2_add(a, a)
    eightfold = fp2_add(fp2_add(twice, twice), fp2_add(twice, twice))
    ninefold = fp2_add(eightfold, a)
    return fp_sub(ninefold[0], a[1]), fp_add(ninefold[1], a[0])
