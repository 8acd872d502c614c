"""What the arithmetic instructions of PTX make of the registers of many threads at once.

Source: NVIDIA, "Parallel Thread Execution ISA", the section of each instruction. Every float
operation is one IEEE operation, rounded to nearest even; a NaN that an operation makes is that of
a GPU, 0x7fffffff in float32, so that a kernel that looked at NaN bits would differ from its
definition.
"""

import operator
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from cvm.inference.exact.fused_multiply_add import fma32
from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_conversions import CONVERSIONS
from tests.unit.inference.cuda.ptx_kinds import DTYPES, Meaning, made_nan, width_of

SIGNED, UNSIGNED = ("s16", "s32", "s64"), ("u16", "u32", "u64")
BITS, FLOATS = ("b16", "b32", "b64"), ("f32", "f64")
_Function = Callable[..., Array]


def _magnitude(a: Array) -> Array:
    """Return |a| as uint64, right for the least int64 too."""
    return np.where(a < 0, -a.astype(np.uint64), a.astype(np.uint64))


def quotient(a: Array, b: Array) -> Array:
    """Divide and truncate; by zero gives all ones, which stands for "unspecified"."""
    whole = _magnitude(a) // np.maximum(_magnitude(b), np.uint64(1))
    signed = np.where((a < 0) != (b < 0), -whole, whole)
    return np.where(b == 0, ~np.uint64(0), signed).astype(a.dtype)


def remainder(a: Array, b: Array) -> Array:
    """Return what `quotient` leaves, with the sign of a; by zero gives all ones."""
    rest = _magnitude(a) % np.maximum(_magnitude(b), np.uint64(1))
    signed = np.where(a < 0, -rest, rest)
    return np.where(b == 0, ~np.uint64(0), signed).astype(a.dtype)


def shift_left(a: Array, amount: Array) -> Array:
    """Shift; an amount of the width or more gives 0."""
    bits = a.dtype.itemsize * 8
    shifted: Array = a << np.minimum(amount, bits - 1).astype(a.dtype)
    return np.asarray(np.where(amount >= bits, a.dtype.type(0), shifted))


def shift_right(a: Array, amount: Array) -> Array:
    """Shift, with copies of the sign where the kind has one; a large amount leaves only those."""
    bits = a.dtype.itemsize * 8
    shifted: Array = a >> np.minimum(amount, bits - 1).astype(a.dtype)
    beyond = shifted if a.dtype.kind == "i" else a.dtype.type(0)
    return np.asarray(np.where(amount >= bits, beyond, shifted))


def insert_bits(a: Array, b: Array, position: Array, length: Array) -> Array:
    """Put the low `length` bits of a into b at `position` (bfi.b64)."""
    position, length = position & 0xFF, length & 0xFF
    ones = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    mask = shift_left(~shift_left(np.broadcast_to(ones, b.shape), length), position)
    return (b & ~mask) | (shift_left(a, position) & mask)


def dot_of_bytes(a: Array, b: Array, c: Array) -> Array:
    """Add the four products of signed bytes of a and b to c (dp4a)."""
    for shift in (0, 8, 16, 24):
        c = c + ((a << (24 - shift)) >> 24) * ((b << (24 - shift)) >> 24)
    return c


def extreme(is_max: bool) -> _Function:
    """Return max or min of floats: the operand that is no NaN; -0 is below +0."""

    def choose(a: Array, b: Array) -> Array:
        a, b = np.broadcast_arrays(a, b)
        first = (a > b) == is_max
        tie = np.signbit(b) if is_max else np.signbit(a)
        chosen = np.where(np.where(a == b, tie, first), a, b)
        return made_nan(np.where(np.isnan(a), b, np.where(np.isnan(b), a, chosen)))

    return choose


def _checked(function: _Function) -> _Function:
    """Return a float operation that makes NaNs as a GPU does."""
    return lambda *operands: made_nan(np.asarray(function(*operands)))


def _signed(bits_of: Callable[[Array, Array], Array]) -> _Function:
    """Return a function that changes the sign bit of floats, of NaNs too."""

    def change(a: Array) -> Array:
        raw = a.view(f"u{a.dtype.itemsize}")
        sign = raw.dtype.type(1 << (a.dtype.itemsize * 8 - 1))
        return bits_of(raw, sign).view(a.dtype)

    return change


_NEGATED, _ABSOLUTE = _signed(operator.xor), _signed(lambda raw, sign: raw & ~sign)


def _float_meanings() -> Iterator[tuple[str, Meaning]]:
    for kind in FLOATS:
        for name, function in (
            ("add", operator.add),
            ("sub", operator.sub),
            ("mul", operator.mul),
            ("div", operator.truediv),
        ):
            yield f"{name}.rn.{kind}", Meaning(kind, (kind, kind), _checked(function))
        one = DTYPES[kind].type(1)
        yield f"rcp.rn.{kind}", Meaning(kind, (kind,), _checked(lambda a, one=one: one / a))
        yield f"sqrt.rn.{kind}", Meaning(kind, (kind,), _checked(np.sqrt))
        yield f"max.{kind}", Meaning(kind, (kind, kind), extreme(True))
        yield f"min.{kind}", Meaning(kind, (kind, kind), extreme(False))
        yield f"neg.{kind}", Meaning(kind, (kind,), _NEGATED)
        yield f"abs.{kind}", Meaning(kind, (kind,), _ABSOLUTE)
    yield "fma.rn.f32", Meaning("f32", ("f32", "f32", "f32"), _checked(fma32))


def _widened(kind: str) -> Meaning:
    wide = f"{kind[0]}{2 * width_of(kind)}"
    dtype = DTYPES[wide]
    return Meaning(wide, (kind, kind), lambda a, b: a.astype(dtype) * b.astype(dtype))


def _integer_meanings() -> Iterator[tuple[str, Meaning]]:
    for kind in SIGNED + UNSIGNED:
        two = (kind, kind)
        yield f"add.{kind}", Meaning(kind, two, operator.add)
        yield f"sub.{kind}", Meaning(kind, two, operator.sub)
        yield f"mul.lo.{kind}", Meaning(kind, two, operator.mul)
        yield f"mad.lo.{kind}", Meaning(kind, (*two, kind), lambda a, b, c: a * b + c)
        yield f"div.{kind}", Meaning(kind, two, quotient)
        yield f"rem.{kind}", Meaning(kind, two, remainder)
        yield f"max.{kind}", Meaning(kind, two, np.maximum)
        yield f"min.{kind}", Meaning(kind, two, np.minimum)
        yield f"shr.{kind}", Meaning(kind, (kind, "u32"), shift_right)
        if width_of(kind) < 64:
            yield f"mul.wide.{kind}", _widened(kind)
    for kind in SIGNED:
        yield f"neg.{kind}", Meaning(kind, (kind,), operator.neg)
        yield f"abs.{kind}", Meaning(kind, (kind,), np.abs)
    yield "dp4a.s32.s32", Meaning("s32", ("s32", "s32", "s32"), dot_of_bytes)


def _chosen(a: Array, b: Array, is_first: Array) -> Array:
    """Return a where the predicate holds, else b."""
    return np.asarray(np.where(is_first, a, b))


def _bit_meanings() -> Iterator[tuple[str, Meaning]]:
    for kind in (*BITS, "pred"):
        yield f"and.{kind}", Meaning(kind, (kind, kind), operator.and_)
        yield f"or.{kind}", Meaning(kind, (kind, kind), operator.or_)
        yield f"xor.{kind}", Meaning(kind, (kind, kind), operator.xor)
        yield f"not.{kind}", Meaning(kind, (kind,), np.invert)
    for kind in BITS:
        yield f"shl.{kind}", Meaning(kind, (kind, "u32"), shift_left)
    yield "bfi.b64", Meaning("b64", ("b64", "b64", "u32", "u32"), insert_bits)
    for kind in (*SIGNED, *UNSIGNED, *BITS, *FLOATS):
        yield f"selp.{kind}", Meaning(kind, (kind, kind, "pred"), _chosen)
    for kind in (*SIGNED, *UNSIGNED, *BITS, *FLOATS, "pred"):
        yield f"mov.{kind}", Meaning(kind, (kind,), lambda a: a)
    yield "cvta.to.global.u64", Meaning("u64", ("u64",), lambda a: a)


ORDERED: Mapping[str, _Function] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _is_unordered(a: Array, b: Array) -> Array:
    """Return whether an operand is a NaN."""
    found: Array = (a != a) | (b != b)
    return found


def _or_unordered(compare: _Function) -> _Function:
    return lambda a, b: compare(a, b) | _is_unordered(a, b)


def _comparison_meanings() -> Iterator[tuple[str, Meaning]]:
    for kind in SIGNED + UNSIGNED:
        for name, compare in ORDERED.items():
            yield f"setp.{name}.{kind}", Meaning("pred", (kind, kind), compare)
        yield f"setp.ne.{kind}", Meaning("pred", (kind, kind), operator.ne)
    for kind in BITS:
        yield f"setp.eq.{kind}", Meaning("pred", (kind, kind), operator.eq)
        yield f"setp.ne.{kind}", Meaning("pred", (kind, kind), operator.ne)
    for kind in FLOATS:
        two = (kind, kind)
        for name, compare in ORDERED.items():
            yield f"setp.{name}.{kind}", Meaning("pred", two, compare)
            yield f"setp.{name}u.{kind}", Meaning("pred", two, _or_unordered(compare))
        differ = Meaning("pred", two, lambda a, b: (a != b) & ~_is_unordered(a, b))
        yield f"setp.ne.{kind}", differ
        yield f"setp.neu.{kind}", Meaning("pred", two, operator.ne)
        yield f"setp.nan.{kind}", Meaning("pred", two, _is_unordered)
        yield f"setp.num.{kind}", Meaning("pred", two, lambda a, b: ~_is_unordered(a, b))


ARITHMETIC: Mapping[str, Meaning] = {
    **dict(_float_meanings()),
    **dict(_integer_meanings()),
    **dict(_bit_meanings()),
    **dict(_comparison_meanings()),
    **CONVERSIONS,
}
"""What each instruction makes of its operands, by its whole name."""
