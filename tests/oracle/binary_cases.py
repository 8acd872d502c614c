"""Vectors of Sub, Div, Mod, Pow, PRelu, the shifts and bitwise operators, Min, Max, Sum, Mean."""

import math
from collections.abc import Callable
from typing import Any

from tests.oracle import float32, operators, transcendental
from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    GREATEST,
    INF,
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    LEAST,
    LEAST_NORMAL,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    NEGATIVE_NAN,
    PAYLOAD_NAN,
)
from tests.oracle.operators import elementwise
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

BYTE_PAIRS = ([-128, -128, -7, 7, -7, 7, 5, 0], [-1, 0, 2, -2, -2, 2, 0, 3])
"""Dividends and divisors of int8: every pair of signs, and every case of its own."""


def bytes_of(values: list[int]) -> Tensor:
    """Return int8 values."""
    return ints("int8", (len(values),), *values)


def sub_cases() -> list[Json]:
    """Return the vectors of Sub."""
    a, b = spread("float32", (2, 1, 3), 11), spread("float32", (4, 1), 12)
    return [
        case(
            "ties to even, signed zeros, infinities, NaN",
            "Sub",
            [
                f32((8,), 2**24, 2**24, 0, MINUS_ZERO, 5, INF, INF, PAYLOAD_NAN),
                f32((8,), -1, -3, 0, 0, 5, MINUS_INF, INF, 1),
            ],
            f32((8,), 2**24, 2**24 + 4, 0, MINUS_ZERO, 0, INF, NAN, NAN),
        ),
        case(
            "subnormals are kept, overflow is infinite",
            "Sub",
            [f32((3,), LEAST_NORMAL, LEAST, GREATEST), f32((3,), LEAST, LEAST, "ff7fffff")],
            f32((3,), "007fffff", 0, INF),
        ),
        case(
            "broadcast both ways",
            "Sub",
            [a, b],
            elementwise((2, 4, 3), a, b, float32.subtract),
        ),
        case(
            "a scalar before",
            "Sub",
            [f32((), 1), f32((2, 2), 1, 2, 3, -4)],
            f32((2, 2), 0, -1, -2, 5),
        ),
        case(
            "int8 wraps",
            "Sub",
            [ints("int8", (2,), -128, 100), ints("int8", (2,), 1, -28)],
            ints("int8", (2,), 127, -128),
        ),
        case(
            "uint8 wraps",
            "Sub",
            [ints("uint8", (2,), 0, 255), ints("uint8", (), 1)],
            ints("uint8", (2,), 255, 254),
        ),
        case(
            "int64 wraps",
            "Sub",
            [ints("int64", (), INT64_MIN), ints("int64", (), 1)],
            ints("int64", (), INT64_MAX),
        ),
    ]


def div_cases() -> list[Json]:
    """Return the vectors of Div."""
    a, b = spread("float32", (3, 1), 13), spread("float32", (1, 5), 14)
    return [
        case(
            "signed zeros, infinities, NaN",
            "Div",
            [
                f32((8,), 0, 1, -1, 1, INF, INF, MINUS_ZERO, NEGATIVE_NAN),
                f32((8,), 0, 0, 0, MINUS_ZERO, INF, -2, 3, 1),
            ],
            f32((8,), NAN, INF, MINUS_INF, MINUS_INF, NAN, MINUS_INF, MINUS_ZERO, NAN),
        ),
        case(
            "subnormals, ties to even, overflow, underflow",
            "Div",
            [
                f32((6,), LEAST, "00000003", "00000005", GREATEST, "80000001", 1),
                f32((6,), 2, 2, 2, 0.5, 2, 3),
            ],
            f32((6,), 0, "00000002", "00000002", INF, MINUS_ZERO, "3eaaaaab"),
        ),
        case("broadcast both ways", "Div", [a, b], elementwise((3, 5), a, b, float32.divide)),
        case(
            "int8 truncates, x / 0 is 0, -128 / -1 is -128",
            "Div",
            [bytes_of(BYTE_PAIRS[0]), bytes_of(BYTE_PAIRS[1])],
            bytes_of([-128, 0, -3, -3, 3, 3, 0, 0]),
        ),
        case(
            "uint8",
            "Div",
            [ints("uint8", (3,), 255, 255, 7), ints("uint8", (3,), 2, 0, 255)],
            ints("uint8", (3,), 127, 0, 0),
        ),
        case(
            "int32",
            "Div",
            [ints("int32", (3,), INT32_MIN, INT32_MIN, INT32_MAX), ints("int32", (3,), -1, 3, 0)],
            ints("int32", (3,), INT32_MIN, -715827882, 0),
        ),
        case(
            "int64 beyond what float64 holds",
            "Div",
            [
                ints("int64", (3,), INT64_MIN, INT64_MAX, -(2**53) - 1),
                ints("int64", (3,), -1, -1, 1),
            ],
            ints("int64", (3,), INT64_MIN, -INT64_MAX, -(2**53) - 1),
        ),
    ]


def mod_cases() -> list[Json]:
    """Return the vectors of Mod."""
    a, b = map(bytes_of, BYTE_PAIRS)
    large = f32((6,), GREATEST, GREATEST, -(2.0**66) * 3, 5.5, -5.5, LEAST_NORMAL)
    small = f32((6,), 3, LEAST, "00000007", 2, -2, "00000007")
    return [
        case("int8, sign of the divisor", "Mod", [a, b], bytes_of([0, 0, 1, -1, -1, 1, 0, 0])),
        case(
            "int8, sign of the dividend",
            "Mod",
            [a, b],
            bytes_of([0, 0, -1, 1, -1, 1, 0, 0]),
            {"fmod": 1},
        ),
        case(
            "uint8, broadcast",
            "Mod",
            [ints("uint8", (2, 1), 255, 7), ints("uint8", (3,), 0, 2, 10)],
            ints("uint8", (2, 3), 0, 1, 5, 0, 1, 7),
        ),
        case(
            "int32",
            "Mod",
            [ints("int32", (3,), INT32_MIN, INT32_MIN, 5), ints("int32", (3,), -1, 7, INT32_MIN)],
            ints("int32", (3,), 0, 5, 5 + INT32_MIN),
        ),
        case(
            "int64",
            "Mod",
            [ints("int64", (2,), INT64_MIN, INT64_MAX), ints("int64", (2,), 10, -10)],
            ints("int64", (2,), 2, -3),
        ),
        case(
            "float32 is exact",
            "Mod",
            [large, small],
            elementwise((6,), large, small, math.fmod),
            {"fmod": 1},
        ),
        case(
            "float32 specials",
            "Mod",
            [
                f32((8,), INF, 1, NAN, 1, -1, MINUS_ZERO, -4, 4),
                f32((8,), 1, 0, 1, INF, MINUS_INF, 2, 2, -2),
            ],
            f32((8,), NAN, NAN, NAN, 1, -1, MINUS_ZERO, MINUS_ZERO, 0),
            {"fmod": 1},
        ),
    ]


def pow_cases() -> list[Json]:
    """Return the vectors of Pow."""
    base = f32((6,), 2, 3, 10, 0.1015625, 1.5, 7)
    exponent = f32((6,), 0.5, -1, 38, 3.3125, -100, 0.3330078125)
    return [
        case(
            "any exponent",
            "Pow",
            [base, exponent],
            elementwise((6,), base, exponent, transcendental.power),
        ),
        case(
            "squares and cubes round the exact product",
            "Pow",
            [f32((2, 1), 4097, -257), f32((2,), 2, 3)],
            f32((2, 2), 16785408, 68769824768, 66049, -16974592),
        ),
        case(
            "specials of the base",
            "Pow",
            [
                f32(
                    (10,),
                    0,
                    0,
                    MINUS_ZERO,
                    MINUS_ZERO,
                    MINUS_ZERO,
                    INF,
                    MINUS_INF,
                    MINUS_INF,
                    -8,
                    -2,
                ),
                f32((10,), 1, -1, 3, -3, -2, -1, 3, -3, 0.5, -5),
            ],
            f32((10,), 0, INF, MINUS_ZERO, MINUS_INF, INF, 0, MINUS_INF, MINUS_ZERO, NAN, -0.03125),
        ),
        case(
            "specials of the exponent",
            "Pow",
            [
                f32((10,), NAN, 1, NAN, 2, -1, 0.5, 2, -0.5, 0, -3),
                f32((10,), 0, NAN, 1, NAN, INF, INF, MINUS_INF, MINUS_INF, 0, 2**25),
            ],
            f32((10,), 1, 1, NAN, NAN, 1, 0, 0, INF, 1, INF),
        ),
        case(
            "int32 wraps, below zero is a quotient",
            "Pow",
            [
                ints("int32", (7,), 3, -2, 2, -1, -1, 5, 0),
                ints("int32", (7,), 21, 31, 32, -3, -4, -1, 0),
            ],
            ints("int32", (7,), 3**21 - 2**33, -(2**31), 0, -1, 1, 0, 1),
        ),
        case(
            "int64 to a power of uint8",
            "Pow",
            [ints("int64", (3,), 10, -3, 2), ints("uint8", (3,), 18, 39, 255)],
            ints("int64", (3,), 10**18, -(3**39), 0),
        ),
        case(
            "float32 to a power of int64",
            "Pow",
            [f32((3,), 1.5, -2, 10), ints("int64", (3,), 3, 5, -2)],
            f32((3,), 3.375, -32, "3c23d70a"),
        ),
        case(
            "int32 to a power of float32 saturates",
            "Pow",
            [ints("int32", (5,), 3, 2, -10, 10, -4), f32((5,), 2.5, -1, 11, 10, 0.5)],
            ints("int32", (5,), 15, 0, INT32_MIN, INT32_MAX, 0),
        ),
    ]


def prelu_cases() -> list[Json]:
    """Return the vectors of PRelu."""
    x, slope = spread("float32", (2, 3, 2), 15), spread("float32", (3, 1), 16)

    def one(value: Any, factor: Any) -> Any:
        return float32.multiply(factor, value) if value < 0 else value

    return [
        case("a slope a channel", "PRelu", [x, slope], elementwise((2, 3, 2), x, slope, one)),
        case(
            "specials",
            "PRelu",
            [f32((6,), 0, MINUS_ZERO, MINUS_INF, INF, NAN, "80000003"), f32((), 0.5)],
            f32((6,), 0, MINUS_ZERO, MINUS_INF, INF, NAN, "80000002"),
        ),
        case(
            "a slope that is NaN counts below zero only",
            "PRelu",
            [f32((2,), -1, 1), f32((1,), NAN)],
            f32((2,), NAN, 1),
        ),
        case(
            "int32 wraps",
            "PRelu",
            [ints("int32", (3,), INT32_MIN, -3, 4), ints("int32", (), 3)],
            ints("int32", (3,), INT32_MIN, -9, 4),
        ),
        case(
            "int64",
            "PRelu",
            [ints("int64", (2,), -5, 5), ints("int64", (2,), -2, 9)],
            ints("int64", (2,), 10, 5),
        ),
    ]


def bit_shift_cases() -> list[Json]:
    """Return the vectors of BitShift."""
    x, places = (
        ints("uint8", (6,), 255, 1, 129, 255, 255, 255),
        ints("uint8", (6,), 1, 7, 1, 8, 255, 0),
    )
    left, right = {"direction": "LEFT"}, {"direction": "RIGHT"}
    return [
        case("left", "BitShift", [x, places], ints("uint8", (6,), 254, 128, 2, 0, 0, 255), left),
        case("right", "BitShift", [x, places], ints("uint8", (6,), 127, 0, 64, 0, 0, 255), right),
        case(
            "broadcast",
            "BitShift",
            [ints("uint8", (2, 1), 3, 5), ints("uint8", (2,), 0, 2)],
            ints("uint8", (2, 2), 3, 12, 5, 20),
            left,
        ),
        case(
            "scalars",
            "BitShift",
            [ints("uint8", (), 96), ints("uint8", (), 5)],
            ints("uint8", (), 3),
            right,
        ),
    ]


def bitwise_cases(op: str, function: Callable[[int, int], int]) -> list[Json]:
    """Return the vectors of BitwiseAnd, BitwiseOr or BitwiseXor."""

    def pair(name: str, dtype: str, a: list[int], b: list[int]) -> Json:
        shape = (len(a),)
        values = [function(x, y) for x, y in zip(a, b, strict=True)]
        return case(
            name, op, [ints(dtype, shape, *a), ints(dtype, shape, *b)], ints(dtype, shape, *values)
        )

    a, b = ints("uint8", (2, 1), 12, 250), ints("uint8", (3,), 0, 10, 255)
    return [
        pair("int8", "int8", [-128, -1, 85, 5], [127, -86, -86, -128]),
        pair("int32", "int32", [INT32_MIN, -1, 12], [INT32_MAX, 255, 10]),
        pair("int64", "int64", [INT64_MIN, -1, 2**40 + 5], [INT64_MAX, 2**40, -4]),
        case("uint8, broadcast", op, [a, b], elementwise((2, 3), a, b, function)),
    ]


def bitwise_and_cases() -> list[Json]:
    """Return the vectors of BitwiseAnd."""
    return bitwise_cases("BitwiseAnd", lambda a, b: a & b)


def bitwise_or_cases() -> list[Json]:
    """Return the vectors of BitwiseOr."""
    return bitwise_cases("BitwiseOr", lambda a, b: a | b)


def bitwise_xor_cases() -> list[Json]:
    """Return the vectors of BitwiseXor."""
    return bitwise_cases("BitwiseXor", lambda a, b: a ^ b)


def bitwise_not_cases() -> list[Json]:
    """Return the vectors of BitwiseNot."""
    given = [
        ints("int8", (3,), -128, 0, 5),
        ints("uint8", (1, 3), 0, 255, 170),
        ints("int32", (2,), INT32_MIN, -1),
        ints("int64", (), 2**40),
    ]
    return [
        case(
            x.dtype,
            "BitwiseNot",
            [x],
            Tensor(x.dtype, x.shape, [operators.wrapped(~value, x.dtype) for value in x.data]),
        )
        for x in given
    ]


def extreme_cases(op: str, function: Callable[[float, float], float], sign: int) -> list[Json]:
    """Return the vectors of Max (sign 1) or Min (sign -1)."""
    a, b, c = spread("float32", (2, 1), 17), spread("float32", (3,), 18), spread("float32", (), 19)
    pairs = (
        f32((6,), 0, MINUS_ZERO, NAN, 1, INF, MINUS_INF),
        f32((6,), MINUS_ZERO, 0, 1, NAN, 5, -5),
    )
    zero = 0 if sign > 0 else MINUS_ZERO
    picked = (INF, -5) if sign > 0 else (5, MINUS_INF)
    choose = max if sign > 0 else min
    return [
        case(
            "signed zeros, NaN, infinities", op, [*pairs], f32((6,), zero, zero, NAN, NAN, *picked)
        ),
        case(
            "three inputs that broadcast",
            op,
            [a, b, c],
            elementwise((2, 3), elementwise((2, 3), a, b, function), c, function),
        ),
        case("one input", op, [f32((2,), MINUS_ZERO, NAN)], f32((2,), MINUS_ZERO, NAN)),
        *(
            case(
                dtype,
                op,
                [ints(dtype, (2,), *left), ints(dtype, (2,), *right)],
                ints(dtype, (2,), *map(choose, left, right)),
            )
            for dtype, left, right in [
                ("int8", [-128, 5], [127, 4]),
                ("uint8", [255, 0], [0, 7]),
                ("int32", [INT32_MIN, 9], [INT32_MAX, 9]),
                ("int64", [INT64_MIN, 2**53 + 1], [INT64_MAX, 2**53]),
            ]
        ),
    ]


def max_cases() -> list[Json]:
    """Return the vectors of Max."""
    return extreme_cases("Max", float32.greater_of, 1)


def min_cases() -> list[Json]:
    """Return the vectors of Min."""
    return extreme_cases("Min", float32.lesser_of, -1)


def sum_cases() -> list[Json]:
    """Return the vectors of Sum."""
    a, b = spread("float32", (2, 1), 20), spread("float32", (3,), 21)
    return [
        case(
            "in the order of the inputs",
            "Sum",
            [f32((2,), 2**24, -(2.0**24)), f32((2,), 1, 1), f32((2,), 1, 2**24)],
            f32((2,), 2**24, 1),
        ),
        case(
            "signed zeros, infinities, NaN",
            "Sum",
            [
                f32((4,), MINUS_ZERO, INF, NAN, GREATEST),
                f32((4,), MINUS_ZERO, MINUS_INF, 1, GREATEST),
            ],
            f32((4,), MINUS_ZERO, NAN, NAN, INF),
        ),
        case("broadcast", "Sum", [a, b], elementwise((2, 3), a, b, float32.add)),
        case("one input", "Sum", [f32((), MINUS_ZERO)], f32((), MINUS_ZERO)),
    ]


def mean_cases() -> list[Json]:
    """Return the vectors of Mean."""
    return [
        case(
            "in the order of the inputs",
            "Mean",
            [f32((3,), 2**24, 1, 0), f32((3,), 1, 0, 1), f32((3,), 1, 0, 1)],
            f32((3,), "4aaaaaab", "3eaaaaab", "3f2aaaab"),
        ),
        case(
            "overflow comes before the division",
            "Mean",
            [f32((3,), GREATEST, NAN, "00000003"), f32((3,), GREATEST, 1, 0)],
            f32((3,), INF, NAN, "00000002"),
        ),
        case(
            "broadcast",
            "Mean",
            [f32((2, 1), 1, 2), f32((2,), 3, -2)],
            f32((2, 2), 2, -0.5, 2.5, 0),
        ),
        case("one input", "Mean", [f32((), MINUS_ZERO)], f32((), MINUS_ZERO)),
    ]
