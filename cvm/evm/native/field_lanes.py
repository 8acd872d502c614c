"""`Lanes`: eight numbers modulo secp256k1's prime side by side, one in each lane of a register.

A number is five limbs of 52 bits, lowest first, and a limb of all eight is one vector of AVX-512,
whose IFMA multiplies 52 bits by 52 and adds one half of the product (Intel SDM 2, VPMADD52LUQ and
VPMADD52HUQ, which look at 52 bits of each factor only). The invariant of every `Lanes`: limbs 0 to
3 are below 2**52, limb 4 is at most 2**48 + 2**6, so a number is below 2**256 + 2**215 and not
always below the prime. `curve_lanes.read_number` reduces fully.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import codegen
from numba.extending import models, register_model

from cvm.native_code import emitted

LANES, LIMBS, LIMB_BITS = 8, 5, 52
LANE_BYTES = 8
LANES_BYTES = LIMBS * LANES * LANE_BYTES
ALIGNMENT = 64
FIELD_PRIME = 2**256 - 2**32 - 977
FOLD = 2**256 - FIELD_PRIME
"""2**256 modulo the prime, of 33 bits; 2**260 is 16 times that, of 37 bits."""

TOP_BITS = 48
LIMB_MASK, TOP_MASK = 2**LIMB_BITS - 1, 2**TOP_BITS - 1
FEATURES = ("+avx512f", "+avx512ifma")
MULTIPLY_LOW, MULTIPLY_HIGH = "llvm.x86.avx512.vpmadd52l.uq.512", "llvm.x86.avx512.vpmadd52h.uq.512"

I64 = ir.IntType(64)
VECTOR = ir.VectorType(I64, LANES)
FIVE = ir.ArrayType(VECTOR, LIMBS)
Vectors = list[Any]


def has_lanes() -> bool:
    """Tell whether code is compiled for a processor that multiplies eight pairs of 52 bits."""
    target: Any = codegen  # numba's stub does not know what it holds
    features = target.config.CPU_FEATURES
    present = target.get_host_cpu_features() if features is None else features
    return set(present.split(",")).issuperset(FEATURES)


def limbs_of(number: int) -> list[int]:
    """Return a number's five limbs of 52 bits; the highest has whatever is left."""
    low = [number >> LIMB_BITS * place & LIMB_MASK for place in range(LIMBS - 1)]
    return [*low, number >> LIMB_BITS * (LIMBS - 1)]


class LanesType(types.Type):
    """The numba type of eight numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    """Lanes are five vectors, the lowest limbs first."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, FIVE)  # type: ignore[no-untyped-call]


def splat(value: int) -> Any:
    """Return the vector of one constant in every lane."""
    return ir.Constant(VECTOR, [value] * LANES)


def parts(builder: Any, value: Any) -> Vectors:
    """Return the five vectors of lanes."""
    return [builder.extract_value(value, place) for place in range(LIMBS)]


def joined(builder: Any, vectors: Sequence[Any]) -> Any:
    """Return lanes of five vectors."""
    value = ir.Constant(FIVE, ir.Undefined)
    for place, vector in enumerate(vectors):
        value = builder.insert_value(value, vector, place)
    return value


def multiply_add(builder: Any, name: str, total: Any, a: Any, b: Any) -> Any:
    """Return a sum with the low or the high 52 bits of the products of each lane."""
    kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
    return builder.call(builder.module.declare_intrinsic(name, (), kind), [total, a, b])


def carry(builder: Any, columns: Vectors) -> Vectors:
    """Return columns without sign with what exceeds 52 bits moved upwards, but for the last."""
    columns = list(columns)
    for place in range(len(columns) - 1):
        above = builder.lshr(columns[place], splat(LIMB_BITS))
        columns[place] = builder.and_(columns[place], splat(LIMB_MASK))
        columns[place + 1] = builder.add(columns[place + 1], above)
    return columns


def reduced(builder: Any, columns: Vectors) -> Vectors:
    """Return five limbs of the ten columns of a product, each below 2**57.

    The product is below 2**516: after their carries the upper columns are below 2**52. Folding
    them leaves a sixth column below 2**37; what is above bit 256 then is below 2**42, and folded
    adds less than 2**75. So the result is below 2**256 + 2**75.
    """
    upper = carry(builder, columns[LIMBS:])
    lower = [*columns[:LIMBS], splat(0)]
    for place, column in enumerate(upper):
        for name, target in ((MULTIPLY_LOW, place), (MULTIPLY_HIGH, place + 1)):
            lower[target] = multiply_add(builder, name, lower[target], column, splat(16 * FOLD))
    *lower, beyond = lower
    lower = carry(builder, lower)
    top = builder.lshr(lower[-1], splat(TOP_BITS))
    top = builder.add(top, builder.shl(beyond, splat(LIMB_BITS - TOP_BITS)))
    lower[-1] = builder.and_(lower[-1], splat(TOP_MASK))
    lower[0] = multiply_add(builder, MULTIPLY_LOW, lower[0], top, splat(FOLD))
    lower[1] = multiply_add(builder, MULTIPLY_HIGH, lower[1], top, splat(FOLD))
    return carry(builder, lower)


def multiplied(builder: Any, a: Vectors, b: Vectors) -> Vectors:
    """Return the product: each column adds at most nine halves below 2**52."""
    columns = [splat(0)] * (2 * LIMBS)
    for i, j in product(range(LIMBS), repeat=2):
        for name, place in ((MULTIPLY_LOW, i + j), (MULTIPLY_HIGH, i + j + 1)):
            columns[place] = multiply_add(builder, name, columns[place], a[i], b[j])
    return reduced(builder, columns)


def squared(builder: Any, a: Vectors) -> Vectors:
    """Return the square: products of two different limbs are doubled."""
    columns = [splat(0)] * (2 * LIMBS)
    for i, j in combinations(range(LIMBS), 2):
        for name, place in ((MULTIPLY_LOW, i + j), (MULTIPLY_HIGH, i + j + 1)):
            columns[place] = multiply_add(builder, name, columns[place], a[i], a[j])
    columns = [builder.shl(column, splat(1)) for column in columns]
    for i in range(LIMBS):
        for name, place in ((MULTIPLY_LOW, 2 * i), (MULTIPLY_HIGH, 2 * i + 1)):
            columns[place] = multiply_add(builder, name, columns[place], a[i], a[i])
    return reduced(builder, columns)


def combined(builder: Any, factors: tuple[int, ...], operands: Sequence[Vectors]) -> Vectors:
    """Return a sum of small multiples, negative ones too.

    `less` is the sum of the negative factors. The prime's limbs times `less` + 1 are above `less`
    limbs of any lanes, so no column is below zero: that multiple of the prime comes first. With
    factors up to 8 a column stays below 2**57, what is above bit 256 below 2**6, and folded
    below 2**39.
    """
    less = -sum(factor for factor in factors if factor < 0)
    columns = [splat((less + 1 if less else 0) * limb) for limb in limbs_of(FIELD_PRIME)]
    for factor, operand in zip(factors, operands, strict=True):
        for place, vector in enumerate(operand):
            scaled = builder.mul(vector, splat(abs(factor)))
            add = builder.add if factor > 0 else builder.sub
            columns[place] = add(columns[place], scaled)
    top = builder.lshr(columns[-1], splat(TOP_BITS))
    columns[-1] = builder.and_(columns[-1], splat(TOP_MASK))
    columns[0] = multiply_add(builder, MULTIPLY_LOW, columns[0], top, splat(FOLD))
    return carry(builder, columns)


def operation(count: int, emit: Callable[..., Vectors]) -> Any:
    """Return an intrinsic that takes one or two lanes and gives lanes."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return joined(builder, emit(builder, *[parts(builder, each) for each in arguments]))

    @emitted
    def of_one(_typing: Any, a: Any) -> Any:
        return lanes(lanes), generate

    @emitted
    def of_two(_typing: Any, a: Any, b: Any) -> Any:
        return lanes(lanes, lanes), generate

    return of_one if count == 1 else of_two


def combination(*factors: int) -> Any:
    """Return an intrinsic that adds its arguments so many times; factors up to 8."""

    def emit(builder: Any, *operands: Vectors) -> Vectors:
        return combined(builder, factors, operands)

    return operation(len(factors), emit)


multiply = operation(2, multiplied)
square = operation(1, squared)
add = combination(1, 1)
subtract = combination(1, -1)
double = combination(2)
triple = combination(3)
negate = combination(-1)
minus_eight = combination(1, -8)
minus_double = combination(1, -2)
four_minus = combination(4, -1)


def _place(builder: Any, address: Any, offset: int, kind: Any) -> Any:
    at = builder.add(address, ir.Constant(I64, offset))
    return builder.inttoptr(at, kind.as_pointer())


@emitted
def load_lanes(_typing: Any, address: Any) -> Any:
    """Read lanes at an address that 64 divides."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        width = LANES * LANE_BYTES
        places = [_place(builder, arguments[0], width * i, VECTOR) for i in range(LIMBS)]
        return joined(builder, [builder.load(place, align=ALIGNMENT) for place in places])

    return lanes(types.int64), generate


@emitted
def store_lanes(_typing: Any, address: Any, value: Any) -> Any:
    """Write lanes at an address that 64 divides."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        for place, vector in enumerate(parts(builder, arguments[1])):
            target = _place(builder, arguments[0], LANES * LANE_BYTES * place, VECTOR)
            builder.store(vector, target, align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@emitted
def every_lane(_typing: Any, low: Any) -> Any:
    """Return a number below 2**52 in every lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        one = builder.insert_element(splat(0), arguments[0], ir.Constant(ir.IntType(32), 0))
        kind = ir.VectorType(ir.IntType(32), LANES)
        lowest = builder.shuffle_vector(one, one, ir.Constant(kind, [0] * LANES))
        return joined(builder, [lowest] + [splat(0)] * (LIMBS - 1))

    return lanes(types.uint64), generate


def _gathered(builder: Any, places: Any, step: int, count: int) -> Vectors:
    """Read `count` vectors: in each lane what lies at its place, then `step` bytes further."""
    vectors = [splat(0)] * count
    for lane in range(LANES):
        index = ir.Constant(ir.IntType(32), lane)
        address = builder.load(_place(builder, places, lane * LANE_BYTES, I64), align=LANE_BYTES)
        for number in range(count):
            element = builder.load(_place(builder, address, step * number, I64), align=LANE_BYTES)
            vectors[number] = builder.insert_element(vectors[number], element, index)
    return vectors


@emitted
def gather_lanes(_typing: Any, places: Any) -> Any:
    """Read one number for each lane from stored lanes; `places` are the addresses of limbs 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return joined(builder, _gathered(builder, arguments[0], LANES * LANE_BYTES, LIMBS))

    return lanes(types.int64), generate


@emitted
def gather_words(_typing: Any, places: Any) -> Any:
    """Read one word for each lane, of four 64-bit limbs; `places` are their addresses."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        words = _gathered(builder, arguments[0], 8, 4)
        limbs = [builder.and_(words[0], splat(LIMB_MASK))]
        for place in range(1, LIMBS):
            bit = place * LIMB_BITS
            low = builder.lshr(words[bit // 64], splat(bit % 64))
            if bit // 64 < 3:
                high = builder.shl(words[bit // 64 + 1], splat(64 - bit % 64))
                low = builder.and_(builder.or_(low, high), splat(LIMB_MASK))
            limbs.append(low)
        return joined(builder, limbs)

    return lanes(types.int64), generate
