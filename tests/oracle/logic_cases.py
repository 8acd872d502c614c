"""Vectors of comparisons, logic, Where, Cast, CastLike, IsNaN and IsInf, all worked by hand."""

from collections.abc import Callable
from typing import Any

from tests.oracle import float32
from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    GREATEST,
    INF,
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    LEAST,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    NEGATIVE_NAN,
    PAYLOAD_NAN,
)
from tests.oracle.tensors import Json, Tensor, f32, filled, ints

CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}


def truths(shape: tuple[int, ...], *values: int) -> Tensor:
    """Return a bool tensor of zeros and ones."""
    return ints("bool", shape, *map(bool, values))


def comparison_cases(op: str, function: Callable[[Any, Any], bool]) -> list[Json]:
    """Return the vectors of a comparison."""

    def compared(name: str, shape: tuple[int, ...], a: Tensor, b: Tensor) -> Json:
        result = filled(
            "bool", shape, lambda index: function(a.stretched_at(index), b.stretched_at(index))
        )
        return case(name, op, [a, b], result)

    return [
        compared(
            "signed zeros, NaN, infinities, subnormals",
            (9,),
            f32((9,), 0, MINUS_ZERO, NAN, NAN, 1, INF, INF, MINUS_INF, LEAST),
            f32((9,), MINUS_ZERO, 0, NAN, 1, NAN, INF, GREATEST, INF, 0),
        ),
        compared("broadcast", (2, 3), f32((2, 1), 1, 2), f32((3,), 0, 1, 2)),
        compared(
            "int8", (4,), ints("int8", (4,), -128, 5, 0, -1), ints("int8", (4,), 127, 5, -1, 0)
        ),
        compared("uint8", (3,), ints("uint8", (3,), 255, 0, 128), ints("uint8", (), 128)),
        compared(
            "int32",
            (3,),
            ints("int32", (3,), INT32_MIN, 2**24 + 1, 7),
            ints("int32", (3,), INT32_MAX, 2**24, 7),
        ),
        compared(
            "int64 beyond what float64 holds",
            (3,),
            ints("int64", (3,), INT64_MIN, 2**53 + 1, -1),
            ints("int64", (3,), INT64_MAX, 2**53, -1),
        ),
    ]


def greater_cases() -> list[Json]:
    """Return the vectors of Greater."""
    return comparison_cases("Greater", lambda a, b: a > b)


def greater_or_equal_cases() -> list[Json]:
    """Return the vectors of GreaterOrEqual."""
    return comparison_cases("GreaterOrEqual", lambda a, b: a >= b)


def less_cases() -> list[Json]:
    """Return the vectors of Less."""
    return comparison_cases("Less", lambda a, b: a < b)


def less_or_equal_cases() -> list[Json]:
    """Return the vectors of LessOrEqual."""
    return comparison_cases("LessOrEqual", lambda a, b: a <= b)


def equal_cases() -> list[Json]:
    """Return the vectors of Equal."""
    flags = case(
        "bool", "Equal", [truths((2, 1), 0, 1), truths((2,), 0, 1)], truths((2, 2), 1, 0, 0, 1)
    )
    return [*comparison_cases("Equal", lambda a, b: a == b), flags]


def truth_table_cases(op: str, table: tuple[int, int, int, int]) -> list[Json]:
    """Return the vectors of And, Or or Xor; `table` is the result for 00, 01, 10, 11."""
    a, b = truths((4,), 0, 0, 1, 1), truths((4,), 0, 1, 0, 1)
    return [
        case("truth table", op, [a, b], truths((4,), *table)),
        case("broadcast", op, [truths((2, 1), 0, 1), truths((2,), 0, 1)], truths((2, 2), *table)),
        case("a scalar", op, [truths((), 1), truths((2,), 0, 1)], truths((2,), *table[2:])),
        case("scalars", op, [truths((), 0), truths((), 1)], truths((), table[1])),
    ]


def and_cases() -> list[Json]:
    """Return the vectors of And."""
    return truth_table_cases("And", (0, 0, 0, 1))


def or_cases() -> list[Json]:
    """Return the vectors of Or."""
    return truth_table_cases("Or", (0, 1, 1, 1))


def xor_cases() -> list[Json]:
    """Return the vectors of Xor."""
    return truth_table_cases("Xor", (0, 1, 1, 0))


def not_cases() -> list[Json]:
    """Return the vectors of Not."""
    return [
        case("both", "Not", [truths((2,), 0, 1)], truths((2,), 1, 0)),
        case("a scalar", "Not", [truths((), 1)], truths((), 0)),
        case("three axes", "Not", [truths((1, 2, 1), 1, 1)], truths((1, 2, 1), 0, 0)),
        case("nine", "Not", [truths((9,), *[0, 1, 1] * 3)], truths((9,), *[1, 0, 0] * 3)),
    ]


def where_cases() -> list[Json]:
    """Return the vectors of Where."""
    condition = truths((2, 1), 1, 0)
    return [
        case(
            "float32 bits stay",
            "Where",
            [
                truths((4,), 1, 0, 1, 0),
                f32((4,), MINUS_ZERO, 1, NAN, 2),
                f32((4,), 3, LEAST, 4, INF),
            ],
            f32((4,), MINUS_ZERO, LEAST, NAN, INF),
        ),
        case(
            "all three broadcast",
            "Where",
            [condition, f32((1, 1, 3), 1, 2, 3), f32((2, 1, 1), -1, -2)],
            f32((2, 2, 3), 1, 2, 3, -1, -1, -1, 1, 2, 3, -2, -2, -2),
        ),
        case(
            "a scalar condition",
            "Where",
            [truths((), 0), ints("int64", (2,), 1, 2), ints("int64", (), INT64_MIN)],
            ints("int64", (2,), INT64_MIN, INT64_MIN),
        ),
        case(
            "int8",
            "Where",
            [condition, ints("int8", (2,), -128, 1), ints("int8", (), 127)],
            ints("int8", (2, 2), -128, 1, 127, 127),
        ),
        case(
            "uint8",
            "Where",
            [condition, ints("uint8", (2,), 255, 1), ints("uint8", (), 7)],
            ints("uint8", (2, 2), 255, 1, 7, 7),
        ),
        case(
            "int32",
            "Where",
            [condition, ints("int32", (), INT32_MIN), ints("int32", (2,), 1, 2)],
            ints("int32", (2, 2), INT32_MIN, INT32_MIN, 1, 2),
        ),
        case(
            "bool",
            "Where",
            [truths((4,), 0, 0, 1, 1), truths((4,), 0, 1, 0, 1), truths((4,), 1, 0, 1, 0)],
            truths((4,), 1, 0, 0, 1),
        ),
    ]


CASTS: list[tuple[str, Tensor, Tensor]] = [
    (
        "float32 to int8 truncates and saturates",
        f32((9,), 1.9, -1.9, 127.5, 128, -128.9, -129, INF, MINUS_INF, NAN),
        ints("int8", (9,), 1, -1, 127, 127, -128, -128, 127, -128, 0),
    ),
    (
        "float32 to uint8",
        f32((7,), 255.9, 256, -0.9, -1, INF, NEGATIVE_NAN, MINUS_ZERO),
        ints("uint8", (7,), 255, 255, 0, 0, 255, 0, 0),
    ),
    (
        "float32 to int32",
        f32((6,), 2**31, "4effffff", -(2.0**31), "cf000001", PAYLOAD_NAN, GREATEST),
        ints("int32", (6,), INT32_MAX, 2**31 - 128, INT32_MIN, INT32_MIN, 0, INT32_MAX),
    ),
    (
        "float32 to int64",
        f32((5,), 2**63, "5effffff", -(2.0**63), NAN, 2**40),
        ints("int64", (5,), INT64_MAX, 2**63 - 2**39, INT64_MIN, 0, 2**40),
    ),
    (
        "float32 to bool",
        f32((6,), 0, MINUS_ZERO, LEAST, NAN, -1, INF),
        truths((6,), 0, 0, 1, 1, 1, 1),
    ),
    (
        "int32 to float32, ties to even",
        ints("int32", (4,), 2**24 + 1, 2**24 + 3, INT32_MAX, INT32_MIN),
        f32((4,), 2**24, 2**24 + 4, 2**31, -(2.0**31)),
    ),
    (
        "int64 to float32 in one rounding",
        ints("int64", (4,), 2**62 + 2**38 + 1, 2**62 + 2**38, INT64_MAX, -(2**24) - 1),
        f32((4,), 2**62 + 2**39, 2**62, 2**63, -(2.0**24)),
    ),
    (
        "int64 to int8 keeps the low bits",
        ints("int64", (4,), 128, -129, 2**40 + 5, INT64_MIN),
        ints("int8", (4,), -128, 127, 5, 0),
    ),
    ("int8 to uint8", ints("int8", (3,), -1, -128, 127), ints("uint8", (3,), 255, 128, 127)),
    ("uint8 to int8", ints("uint8", (2, 1), 255, 127), ints("int8", (2, 1), -1, 127)),
    ("int8 to int64", ints("int8", (2,), -128, 127), ints("int64", (2,), -128, 127)),
    ("uint8 to int32", ints("uint8", (), 255), ints("int32", (), 255)),
    ("int64 to bool", ints("int64", (3,), 0, 2**32, -1), truths((3,), 0, 1, 1)),
    ("bool to float32", truths((2,), 0, 1), f32((2,), 0, 1)),
    ("bool to int32", truths((2,), 1, 0), ints("int32", (2,), 1, 0)),
    ("float32 to float32", f32((2,), MINUS_ZERO, NAN), f32((2,), MINUS_ZERO, NAN)),
]


def cast_cases() -> list[Json]:
    """Return the vectors of Cast."""
    return [
        case(
            name,
            "Cast",
            [Tensor(x.dtype, x.shape, [as_stored(x.dtype, value) for value in x.data])],
            y,
            {"to": CODES[y.dtype]},
        )
        for name, x, y in CASTS
    ]


def as_stored(dtype: str, value: Any) -> Any:
    """Return a float rounded to float32, anything else as it is."""
    if dtype != "float32" or value != value or value in (float("inf"), -float("inf"), 0):
        return value
    return float32.from_bits(float32.to_bits(value))


def cast_like_cases() -> list[Json]:
    """Return the vectors of CastLike."""
    chosen = [CASTS[0], CASTS[5], CASTS[7], CASTS[12]]
    return [
        case(
            name,
            "CastLike",
            [
                Tensor(x.dtype, x.shape, [as_stored(x.dtype, value) for value in x.data]),
                Tensor(y.dtype, (2, 1), y.data[:2]),
            ],
            y,
        )
        for name, x, y in chosen
    ]


def is_nan_cases() -> list[Json]:
    """Return the vectors of IsNaN."""
    return [
        case(
            "NaN of any bits",
            "IsNaN",
            [f32((5,), NAN, INF, MINUS_INF, 0, LEAST)],
            truths((5,), 1, 0, 0, 0, 0),
        ),
        case("a scalar", "IsNaN", [f32((), 1)], truths((), 0)),
        case("two axes", "IsNaN", [f32((2, 1), NAN, GREATEST)], truths((2, 1), 1, 0)),
        case("nothing but NaN", "IsNaN", [f32((3,), NAN, NAN, NAN)], truths((3,), 1, 1, 1)),
    ]


def is_inf_cases() -> list[Json]:
    """Return the vectors of IsInf."""
    x = f32((2, 3), INF, MINUS_INF, NAN, GREATEST, 0, LEAST)

    def found(name: str, negative: int, positive: int, *values: int) -> Json:
        attributes = {"detect_negative": negative, "detect_positive": positive}
        return case(name, "IsInf", [x], truths((2, 3), *values), attributes)

    return [
        case("both by default", "IsInf", [x], truths((2, 3), 1, 1, 0, 0, 0, 0)),
        found("negative alone", 1, 0, 0, 1, 0, 0, 0, 0),
        found("positive alone", 0, 1, 1, 0, 0, 0, 0, 0),
        found("neither", 0, 0, 0, 0, 0, 0, 0, 0),
    ]
