"""Eight points of secp256k1 at once: u1 * G + u2 * R, the key that each of eight signatures shows.

Points are Jacobian (X / Z**2, Y / Z**3) but for tables, which are affine. Every lane takes the same
steps: scalars are written in odd digits (`signature_lanes`), so none is zero and no step is left
out. A sum of a point and itself or its negative, which these formulas get wrong, leaves Z = 0, and
Z stays 0 to the end: the result then is on no curve, and its lane is left to libsecp256k1.
Formulas: explicit-formulas database, shortw/jacobian-0, dbl-2009-alnr and madd.
"""

from cvm.evm.native.field_lanes import (
    FIELD_PRIME,
    FOLD,
    LANE_BYTES,
    LANES,
    LANES_BYTES,
    LIMB_BITS,
    LIMB_MASK,
    TOP_BITS,
    TOP_MASK,
    add,
    double,
    every_lane,
    four_minus,
    gather_lanes,
    gather_words,
    load_lanes,
    minus_double,
    minus_eight,
    multiply,
    negate,
    square,
    store_lanes,
    subtract,
    triple,
)
from cvm.evm.native.number_types import Lanes, U, Word, int64
from cvm.evm.native.raw_memory import load_byte, load_int, load_limb, store_int, store_limb
from cvm.evm.native.word import from_limb, from_limbs, limb, shift_left, shift_right
from cvm.native_code import inlined, kernel

POINT_BYTES = 3 * LANES_BYTES
DIGITS_BYTES = 32
ODD_MULTIPLES = 8
TABLE_ENTRIES = 2 * ODD_MULTIPLES
"""Multiples -15, -13, ... 15 of R, in the order of four bits."""

COMB_ENTRIES = 256
COMB_BYTES = DIGITS_BYTES * COMB_ENTRIES * 64
"""For each byte of a scalar, multiples -255, -253, ... 255 of G: x and y as words."""

# The memory of a group: an address behind another in bytes.
POINT = 0
TABLE_X = POINT + POINT_BYTES
TABLE_Y = TABLE_X + TABLE_ENTRIES * LANES_BYTES
RATIOS = TABLE_Y + TABLE_ENTRIES * LANES_BYTES
"""How much longer the next odd multiple's Z is."""

COMMON_Z = RATIOS + ODD_MULTIPLES * LANES_BYTES
LEFT, RIGHT = COMMON_Z + LANES_BYTES, COMMON_Z + 2 * LANES_BYTES
"""Both sides of the equation of the curve."""

ONE, TWO, THREE, TWENTY_TWO, FORTY_FOUR, POWER = (
    RIGHT + number * LANES_BYTES for number in range(1, 7)
)
"""A number to the power of so many ones, in binary; the last is what is worked out."""

X_PLACES = POWER + LANES_BYTES
Y_PLACES = X_PLACES + LANES * LANE_BYTES
GROUP_BYTES = Y_PLACES + LANES * LANE_BYTES

P0, P1, P2, P3 = (U(FIELD_PRIME >> 64 * place & 2**64 - 1) for place in range(4))


@inlined
def prime() -> Word:
    """Return the prime of the field."""
    return from_limbs(P0, P1, P2, P3)


@kernel
def read_number(place: int, lane: int) -> Word:
    """Return the number in a lane of stored lanes, below the prime."""
    at = place + lane * LANE_BYTES
    value = from_limb(load_limb(at, 0))
    for step in range(1, 4):
        part = from_limb(load_limb(at, LANES * step))
        value = value + shift_left(part, U(LIMB_BITS * step))
    top = load_limb(at, LANES * 4)
    value = value + shift_left(from_limb(top & U(TOP_MASK)), U(LIMB_BITS * 4))
    if top >> U(TOP_BITS):
        value = value + from_limb(U(FOLD))
    return value if value < prime() else value - prime()


@kernel
def write_number(place: int, lane: int, value: Word) -> None:
    """Write a number into a lane of stored lanes."""
    at = place + lane * LANE_BYTES
    for step in range(4):
        part = limb(shift_right(value, U(LIMB_BITS * step)), 0)
        store_limb(at, LANES * step, part & U(LIMB_MASK))
    store_limb(at, LANES * 4, limb(shift_right(value, U(LIMB_BITS * 4)), 0))


@kernel
def raise_number(source: int, times: int, factor: int, target: int) -> None:
    """Write a ** (2 ** times) * b; all are addresses of lanes."""
    a = load_lanes(source)
    for _ in range(times):
        a = square(a)
    store_lanes(target, multiply(a, load_lanes(factor)))


@kernel
def raise_to_ones(group: int) -> None:
    """Raise ONE to exponents whose bits are ones: 2 and 22, and 223 with a zero and 22 behind.

    The chain of libsecp256k1; `find_root` and `find_inverse` go on from there.
    """
    x1, x2, x3 = group + ONE, group + TWO, group + THREE
    x22, x44, power = group + TWENTY_TWO, group + FORTY_FOUR, group + POWER
    raise_number(x1, 1, x1, x2)
    raise_number(x2, 1, x1, x3)
    raise_number(x3, 3, x3, power)
    raise_number(power, 3, x3, power)
    raise_number(power, 2, x2, power)
    raise_number(power, 11, power, x22)
    raise_number(x22, 22, x22, x44)
    raise_number(x44, 44, x44, power)
    raise_number(power, 88, power, power)
    raise_number(power, 44, x44, power)
    raise_number(power, 3, x3, power)
    raise_number(power, 23, x22, power)


@kernel
def find_root(group: int) -> None:
    """Raise ONE to (p + 1) / 4 into POWER: a square root where there is one."""
    raise_to_ones(group)
    power = group + POWER
    raise_number(power, 6, group + TWO, power)
    store_lanes(power, square(square(load_lanes(power))))


@kernel
def find_inverse(group: int) -> None:
    """Raise ONE to p - 2 into POWER: the inverse, and 0 for 0."""
    raise_to_ones(group)
    power = group + POWER
    raise_number(power, 5, group + ONE, power)
    raise_number(power, 3, group + TWO, power)
    raise_number(power, 2, group + ONE, power)


@inlined
def right_side(x: Lanes) -> Lanes:
    """Return x ** 3 + 7."""
    return add(multiply(square(x), x), every_lane(U(7)))


@kernel
def find_y(group: int) -> None:
    """Write a y beside each x, and both sides of the equation, equal where x is on the curve."""
    right = right_side(load_lanes(group + POINT))
    store_lanes(group + ONE, right)
    find_root(group)
    y = load_lanes(group + POWER)
    store_lanes(group + POINT + LANES_BYTES, y)
    store_lanes(group + LEFT, square(y))
    store_lanes(group + RIGHT, right)


@inlined
def doubled(x: Lanes, y: Lanes) -> tuple[Lanes, Lanes]:
    """Return X and Y of twice a point; its Z is 2 * Y * Z."""
    yy = square(y)
    xyy = multiply(x, yy)
    slope = triple(square(x))
    x3 = minus_eight(square(slope), xyy)
    y3 = minus_eight(multiply(slope, four_minus(xyy, x3)), square(yy))
    return x3, y3


@kernel
def double_point(point: int) -> None:
    """Double a point."""
    y = load_lanes(point + LANES_BYTES)
    x3, y3 = doubled(load_lanes(point), y)
    z3 = double(multiply(y, load_lanes(point + 2 * LANES_BYTES)))
    store_lanes(point, x3)
    store_lanes(point + LANES_BYTES, y3)
    store_lanes(point + 2 * LANES_BYTES, z3)


@inlined
def add_affine(point: int, x2: Lanes, y2: Lanes) -> Lanes:
    """Add an affine point to a point; return how much longer its Z has become."""
    x1, y1 = load_lanes(point), load_lanes(point + LANES_BYTES)
    z1 = load_lanes(point + 2 * LANES_BYTES)
    zz = square(z1)
    h = subtract(multiply(x2, zz), x1)
    slope = subtract(multiply(y2, multiply(zz, z1)), y1)
    hh = square(h)
    hhh = multiply(hh, h)
    v = multiply(x1, hh)
    x3 = minus_double(subtract(square(slope), hhh), v)
    y3 = subtract(multiply(slope, subtract(v, x3)), multiply(y1, hhh))
    store_lanes(point, x3)
    store_lanes(point + LANES_BYTES, y3)
    store_lanes(point + 2 * LANES_BYTES, multiply(z1, h))
    return h


@kernel
def make_table(group: int) -> None:
    """Write the odd multiples of the affine points R, which stand in X and Y, over one common Z.

    Where 2 * R is (X, Y, Z), the curve scaled by Z has it at (X, Y) with Z = 1.
    """
    x, y = load_lanes(group + POINT), load_lanes(group + POINT + LANES_BYTES)
    step_x, step_y = doubled(x, y)
    z = double(y)
    zz = square(z)
    store_lanes(group + POINT, multiply(x, zz))
    store_lanes(group + POINT + LANES_BYTES, multiply(y, multiply(zz, z)))
    store_lanes(group + POINT + 2 * LANES_BYTES, every_lane(U(1)))
    positive_x = group + TABLE_X + ODD_MULTIPLES * LANES_BYTES
    positive_y = group + TABLE_Y + ODD_MULTIPLES * LANES_BYTES
    for number in range(ODD_MULTIPLES):
        if number:
            ratio = add_affine(group + POINT, step_x, step_y)
            store_lanes(group + RATIOS + number * LANES_BYTES, ratio)
        store_lanes(positive_x + number * LANES_BYTES, load_lanes(group + POINT))
        store_lanes(positive_y + number * LANES_BYTES, load_lanes(group + POINT + LANES_BYTES))
    last = load_lanes(group + POINT + 2 * LANES_BYTES)
    store_lanes(group + COMMON_Z, multiply(last, z))
    longer = every_lane(U(1))
    for number in range(ODD_MULTIPLES - 1, -1, -1):
        place = number * LANES_BYTES
        opposite = -place - LANES_BYTES
        square_of = square(longer)
        new_x = multiply(load_lanes(positive_x + place), square_of)
        new_y = multiply(load_lanes(positive_y + place), multiply(square_of, longer))
        store_lanes(positive_x + place, new_x)
        store_lanes(positive_x + opposite, new_x)
        store_lanes(positive_y + place, new_y)
        store_lanes(positive_y + opposite, negate(new_y))
        if number:
            longer = multiply(longer, load_lanes(group + RATIOS + place))


@kernel
def show_table_places(group: int, digits: int, number: int) -> None:
    """Write where each lane finds the multiple of R that its scalar's digit names."""
    for lane in range(LANES):
        byte = int64(load_byte(load_int(digits, lane), number >> 1))
        entry = byte >> 4 if number & 1 else byte & 15
        place = group + TABLE_X + entry * LANES_BYTES + lane * LANE_BYTES
        store_int(group + X_PLACES, lane, place)
        store_int(group + Y_PLACES, lane, place + TABLE_Y - TABLE_X)


@kernel
def show_comb_places(group: int, digits: int, comb: int, number: int) -> None:
    """Write where each lane finds the multiple of G that its scalar's digit names."""
    for lane in range(LANES):
        entry = int64(load_byte(load_int(digits, lane), number)) + number * COMB_ENTRIES
        store_int(group + X_PLACES, lane, comb + 64 * entry)
        store_int(group + Y_PLACES, lane, comb + 64 * entry + 32)


@kernel
def add_from_table(group: int) -> None:
    """Add the multiples of R that the places name."""
    x, y = gather_lanes(group + X_PLACES), gather_lanes(group + Y_PLACES)
    add_affine(group + POINT, x, y)


@kernel
def add_from_comb(group: int) -> None:
    """Add the multiples of G that the places name."""
    x, y = gather_words(group + X_PLACES), gather_words(group + Y_PLACES)
    add_affine(group + POINT, x, y)


@kernel
def combine_points(group: int, r_digits: int, g_digits: int, comb: int) -> None:
    """Replace the affine points R in X and Y by the affine points u1 * G + u2 * R.

    `r_digits` and `g_digits` are addresses of eight addresses of digits, one for each lane. Both
    sides of the curve's equation show where the result counts.
    """
    make_table(group)
    last = 2 * DIGITS_BYTES - 1
    show_table_places(group, r_digits, last)
    store_lanes(group + POINT, gather_lanes(group + X_PLACES))
    store_lanes(group + POINT + LANES_BYTES, gather_lanes(group + Y_PLACES))
    store_lanes(group + POINT + 2 * LANES_BYTES, every_lane(U(1)))
    for number in range(last - 1, -1, -1):
        show_table_places(group, r_digits, number)
        for _ in range(4):
            double_point(group + POINT)
        add_from_table(group)
    z = load_lanes(group + POINT + 2 * LANES_BYTES)
    store_lanes(group + POINT + 2 * LANES_BYTES, multiply(z, load_lanes(group + COMMON_Z)))
    for number in range(DIGITS_BYTES):
        show_comb_places(group, g_digits, comb, number)
        add_from_comb(group)
    make_affine(group)


@kernel
def make_affine(group: int) -> None:
    """Turn the points affine, and write both sides of the curve's equation."""
    store_lanes(group + ONE, load_lanes(group + POINT + 2 * LANES_BYTES))
    find_inverse(group)
    inverted = load_lanes(group + POWER)
    inverted_square = square(inverted)
    x = multiply(load_lanes(group + POINT), inverted_square)
    y = load_lanes(group + POINT + LANES_BYTES)
    y = multiply(y, multiply(inverted_square, inverted))
    store_lanes(group + POINT, x)
    store_lanes(group + POINT + LANES_BYTES, y)
    store_lanes(group + LEFT, square(y))
    store_lanes(group + RIGHT, right_side(x))
