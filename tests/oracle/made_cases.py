"""Vectors of operators whose result follows from shapes and constants, and of CumSum and Trilu."""

from collections.abc import Sequence

from tests.oracle import float32
from tests.oracle.case import case
from tests.oracle.elementwise_cases import GREATEST, INF, LEAST, MINUS_ZERO, NAN
from tests.oracle.layout_cases import EDGE, axes, counted
from tests.oracle.tensors import Json, Tensor, f32, ints

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def shape_cases() -> list[Json]:
    """Return the vectors of Shape."""
    return [
        case("all axes", "Shape", [EDGE], axes(1, 2, 3)),
        case("a scalar has none", "Shape", [ints("bool", (), True)], axes()),
        case("from an axis", "Shape", [EDGE], axes(2, 3), {"start": 1}),
        case("between, from the back", "Shape", [EDGE], axes(2), {"start": -2, "end": -1}),
        case("ends clamp", "Shape", [EDGE], axes(1, 2, 3), {"start": -9, "end": 9}),
        case("nothing between", "Shape", [EDGE], axes(), {"start": 2, "end": 1}),
    ]


def size_cases() -> list[Json]:
    """Return the vectors of Size."""
    return [
        case("a cube", "Size", [counted("uint8", 2, 3, 4)], ints("int64", (), 24)),
        case("a scalar", "Size", [f32((), NAN)], ints("int64", (), 1)),
        case("a constant", "Size", [axes(1, 2, 3)], ints("int64", (), 3), {}, [0]),
        case("an axis of length 0", "Size", [f32((2, 0))], ints("int64", (), 0)),
    ]


def constant_cases() -> list[Json]:
    """Return the vectors of Constant."""
    return [
        case("a tensor", "Constant", [], EDGE, {"value": EDGE}),
        case("a bool tensor", "Constant", [], ints("bool", (2,), True, False),
             {"value": ints("bool", (2,), True, False)}),
        case("an integer", "Constant", [], ints("int64", (), -(2**63)), {"value_int": -(2**63)}),
        case("integers", "Constant", [], axes(3, -3), {"value_ints": [3, -3]}),
        case("a float", "Constant", [], f32((), LEAST), {"value_float": {"float": LEAST}}),
        case("floats", "Constant", [], f32((2,), 0.5, MINUS_ZERO),
             {"value_floats": [{"float": 0.5}, {"float": MINUS_ZERO}]}),
    ]  # fmt: skip


def constant_of_shape_cases() -> list[Json]:
    """Return the vectors of ConstantOfShape."""
    return [
        case("+0 by default", "ConstantOfShape", [axes(2, 2)], f32((2, 2), 0, 0, 0, 0), {}, [0]),
        case("a value", "ConstantOfShape", [axes(3)], ints("int32", (3,), 7, 7, 7),
             {"value": ints("int32", (1,), 7)}, [0]),
        case("a scalar", "ConstantOfShape", [axes()], f32((), MINUS_ZERO),
             {"value": f32((1,), MINUS_ZERO)}, [0]),
        case("bool", "ConstantOfShape", [axes(1, 2)], ints("bool", (1, 2), True, True),
             {"value": ints("bool", (1,), True)}, [0]),
    ]  # fmt: skip


def range_cases() -> list[Json]:
    """Return the vectors of Range."""
    tenth = float32.from_bits("3dcccccd")
    products = [float32.multiply(float32.from_int(i), tenth) for i in range(10)]
    below_third = float32.from_bits("3eaaaaaa")
    thirds = [float32.multiply(float32.from_int(i), below_third) for i in range(4)]

    def counts(name: str, given: Sequence[Tensor], result: Tensor) -> Json:
        return case(name, "Range", given, result, {}, [0, 1, 2])

    def numbers(dtype: str, *values: int) -> list[Tensor]:
        return [ints(dtype, (), value) for value in values]

    return [
        counts("up, the limit excluded", numbers("int64", 1, 8, 3), axes(1, 4, 7)),
        counts("down past the limit", numbers("int32", 5, -2, -3), ints("int32", (3,), 5, 2, -1)),
        counts("the whole width of int32", numbers("int32", INT32_MIN, INT32_MAX, INT32_MAX),
               ints("int32", (3,), INT32_MIN, -1, INT32_MAX - 1)),
        counts("float32: a product and a sum, no running sum",
               [f32((), 1), f32((), 2), f32((), tenth)],
               f32((10,), *[float32.add(1.0, product) for product in products])),
        counts("the number of elements is exact", [f32((), 0), f32((), 1), f32((), below_third)],
               f32((4,), *thirds)),
        counts("against the limit", numbers("int64", 3, 1, 1), axes()),
    ]  # fmt: skip


def eye_like_cases() -> list[Json]:
    """Return the vectors of EyeLike."""
    x = f32((2, 3), NAN, INF, 1, 2, 3, 4)
    return [
        case("the diagonal", "EyeLike", [x], f32((2, 3), 1, 0, 0, 0, 1, 0)),
        case("above it, of another dtype", "EyeLike", [x], ints("int64", (2, 3), 0, 1, 0, 0, 0, 1),
             {"k": 1, "dtype": 7}),
        case("below it", "EyeLike", [counted("uint8", 2, 2)], ints("uint8", (2, 2), 0, 0, 1, 0),
             {"k": -1}),
        case("outside", "EyeLike",
             [x], ints("bool", (2, 3), *[False] * 6), {"k": 2**40, "dtype": 9}),
    ]  # fmt: skip


def trilu_cases() -> list[Json]:
    """Return the vectors of Trilu."""
    x = counted("int32", 3, 3)
    return [
        case("upper", "Trilu", [x], ints("int32", (3, 3), 0, 1, 2, 0, 4, 5, 0, 0, 8)),
        case("lower", "Trilu", [x], ints("int32", (3, 3), 0, 0, 0, 3, 4, 0, 6, 7, 8), {"upper": 0}),
        case("upper from above the diagonal", "Trilu", [x, ints("int64", (), 1)],
             ints("int32", (3, 3), 0, 1, 2, 0, 0, 5, 0, 0, 0), {}, [1]),
        case("lower to below it", "Trilu", [x, axes(-2)],
             ints("int32", (3, 3), 0, 0, 0, 0, 0, 0, 6, 0, 0), {"upper": 0}, [1]),
        case("a stack that is not square; no product with 0", "Trilu",
             [f32((2, 1, 2), NAN, MINUS_ZERO, INF, NAN), ints("int64", (), 1)],
             f32((2, 1, 2), 0, MINUS_ZERO, 0, NAN), {}, [1]),
        case("a huge k", "Trilu", [x, ints("int64", (), 2**62)], ints("int32", (3, 3), *[0] * 9),
             {}, [1]),
    ]  # fmt: skip


def cumsum_cases() -> list[Json]:
    """Return the vectors of CumSum."""
    x = ints("int64", (2, 3), 1, 2, 3, 4, 5, 6)
    big = f32((4,), 2**24, 1, 1, -(2.0**24))
    return [
        case("columns", "CumSum",
             [x, ints("int64", (), 0)], ints("int64", (2, 3), 1, 2, 3, 5, 7, 9),
             {}, [1]),
        case("rows, exclusive", "CumSum", [x, ints("int32", (), -1)],
             ints("int64", (2, 3), 0, 1, 3, 0, 4, 9), {"exclusive": 1}, [1]),
        case("rows, reverse", "CumSum", [x, axes(1)], ints("int64", (2, 3), 6, 5, 3, 15, 11, 6),
             {"reverse": 1}, [1]),
        case("exclusive and reverse", "CumSum", [x, axes(1)],
             ints("int64", (2, 3), 5, 3, 0, 11, 6, 0), {"exclusive": 1, "reverse": 1}, [1]),
        case("each addition rounds: ascending", "CumSum", [big, axes(0)],
             f32((4,), 2**24, 2**24, 2**24, 0), {}, [1]),
        case("each addition rounds: descending", "CumSum", [big, axes(0)],
             f32((4,), 2, 2 - 2.0**24, 1 - 2.0**24, -(2.0**24)), {"reverse": 1}, [1]),
        case("-0 becomes +0, NaN stays", "CumSum",
             [f32((4,), MINUS_ZERO, MINUS_ZERO, NAN, 1), axes(0)],
             f32((4,), 0, 0, NAN, NAN), {}, [1]),
        case("overflow, subnormals", "CumSum",
             [f32((2, 2), GREATEST, GREATEST, LEAST, LEAST), axes(1)],
             f32((2, 2), GREATEST, INF, LEAST, "00000002"), {}, [1]),
        case("int32 wraps", "CumSum", [ints("int32", (2,), INT32_MAX, 1), axes(0)],
             ints("int32", (2,), INT32_MAX, INT32_MIN), {}, [1]),
    ]  # fmt: skip
