"""Vectors of the operators of one float32: special values by hand, others from exact numbers."""

import math
from collections.abc import Callable, Mapping, Sequence

from tests.oracle import float32, functions, transcendental
from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    GREATEST,
    INF,
    INT32_MIN,
    INT64_MIN,
    LEAST,
    LEAST_NORMAL,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    NEGATIVE_NAN,
    PAYLOAD_NAN,
)
from tests.oracle.operators import as_float32
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

Function = Callable[[float], float]
Values = Sequence[float | str]

MINUS_LEAST, MINUS_GREATEST = "80000001", "ff7fffff"
PI_HALF, MINUS_PI_HALF, PI = "3fc90fdb", "bfc90fdb", "40490fdb"


def mapped(function: Function, x: Tensor) -> Tensor:
    """Apply a function to each value."""
    return Tensor("float32", x.shape, [function(value) for value in x.data])


def unary(
    op: str,
    function: Function,
    specials: tuple[Values, Values],
    points: Values,
    low: float = -math.inf,
    attributes: Mapping[str, object] | None = None,
) -> list[Json]:
    """Return four vectors: specials, points where a rule changes, mixed values, and a scalar.

    Mixed values below `low` have their sign removed.
    """
    given, expected = specials
    marks = f32((len(points),), *(as_float32(p) if isinstance(p, float) else p for p in points))
    mixed = spread("float32", (2, 1, 2, 3), len(op))
    mixed = mapped(lambda value: abs(value) if value < low else value, mixed)
    scalar = f32((), 0.75)
    return [
        case(
            "specials", op, [f32((len(given),), *given)], f32((len(given),), *expected), attributes
        ),
        case("where the rule changes", op, [marks], mapped(function, marks), attributes),
        case("mixed values", op, [mixed], mapped(function, mixed), attributes),
        case("a scalar", op, [scalar], mapped(function, scalar), attributes),
    ]


def exact(function: transcendental.Exact) -> Function:
    """Return a function that rounds an exact one once."""
    return lambda x: transcendental.rounded(function, x)


def exp_cases() -> list[Json]:
    """Return the vectors of Exp."""
    return unary(
        "Exp",
        transcendental.exp,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, PAYLOAD_NAN, NEGATIVE_NAN, LEAST, MINUS_GREATEST],
            [1, 1, INF, 0, NAN, NAN, 1, 0],
        ),
        ["42b17217", "42b17218", "c2aeac50", "c2cff1b4", "c2cff1b5", 1.0, -1.0, 0.34657359],
    )


def log_cases() -> list[Json]:
    """Return the vectors of Log."""
    return unary(
        "Log",
        transcendental.log,
        (
            [0, MINUS_ZERO, 1, INF, -1, MINUS_LEAST, MINUS_INF, NAN],
            [MINUS_INF, MINUS_INF, 0, INF, NAN, NAN, NAN, NAN],
        ),
        [LEAST, LEAST_NORMAL, GREATEST, "3f7fffff", "3f800001", "3f3504f3", "3fb504f3", 2.0],
        low=0,
    )


def erf_cases() -> list[Json]:
    """Return the vectors of Erf."""
    return unary(
        "Erf",
        transcendental.erf,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, -4],
            [0, MINUS_ZERO, 1, -1, NAN, 1, -1],
        ),
        ["3f7fffff", 1.0, "3f800001", -1.0, 3.8, "407fffff", 1e-20, LEAST, 0.5, -2.5],
    )


def tanh_cases() -> list[Json]:
    """Return the vectors of Tanh."""
    return unary(
        "Tanh",
        transcendental.tanh,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, LEAST],
            [0, MINUS_ZERO, 1, -1, NAN, 1, LEAST],
        ),
        ["3a7fffff", "3a800000", -0.001, 9.0, 9.02, -20.5, 0.5, 1e-20],
    )


def sigmoid_cases() -> list[Json]:
    """Return the vectors of Sigmoid."""
    return unary(
        "Sigmoid",
        transcendental.sigmoid,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, MINUS_GREATEST],
            [0.5, 0.5, 1, 0, NAN, 1, 0],
        ),
        [-87.5, -100.0, -103.0, -104.0, 16.6, 17.4, 1.0, -1.0],
    )


def softplus_cases() -> list[Json]:
    """Return the vectors of Softplus."""
    return unary(
        "Softplus",
        transcendental.softplus,
        (
            [INF, MINUS_INF, NAN, GREATEST, MINUS_GREATEST],
            [INF, 0, NAN, GREATEST, 0],
        ),
        [0.0, MINUS_ZERO, 88.8, 100.0, -88.0, -103.0, -104.0, 1.0, -1.0, 17.0],
    )


def sin_cases() -> list[Json]:
    """Return the vectors of Sin."""
    return unary(
        "Sin",
        exact(transcendental.exact_sin),
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, LEAST],
            [0, MINUS_ZERO, NAN, NAN, NAN, LEAST],
        ),
        [PI_HALF, PI, 32768.0, "47000001", "c7000001", GREATEST, "6f79be45", 0.785, 2.4, 3.93],
    )


def cos_cases() -> list[Json]:
    """Return the vectors of Cos."""
    return unary(
        "Cos",
        exact(transcendental.exact_cos),
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN, LEAST], [1, 1, NAN, NAN, NAN, 1]),
        [PI_HALF, PI, 32768.0, "47000001", "c7000001", GREATEST, "6f79be45", 0.785, 2.4, 3.93],
    )


def tan_cases() -> list[Json]:
    """Return the vectors of Tan."""
    return unary(
        "Tan",
        exact(transcendental.exact_tan),
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, LEAST],
            [0, MINUS_ZERO, NAN, NAN, NAN, LEAST],
        ),
        [PI_HALF, PI, 32768.0, "47000001", "c7000001", GREATEST, "6f79be45", 0.785, 2.4, 3.93],
    )


def atan_cases() -> list[Json]:
    """Return the vectors of Atan."""
    return unary(
        "Atan",
        exact(transcendental.exact_atan),
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, LEAST],
            [0, MINUS_ZERO, PI_HALF, MINUS_PI_HALF, NAN, PI_HALF, LEAST],
        ),
        ["3ed413cd", "3ed413cc", "401a827a", "401a8279", 1.0, -1.0, 1e-20, 1e10, -3.0],
    )


def asin_cases() -> list[Json]:
    """Return the vectors of Asin."""
    return unary(
        "Asin",
        lambda x: exact(transcendental.exact_asin)(x) if abs(x) <= 1 else math.nan,
        (
            [0, MINUS_ZERO, 1, -1, "3f800001", INF, MINUS_INF, NAN, LEAST],
            [0, MINUS_ZERO, PI_HALF, MINUS_PI_HALF, NAN, NAN, NAN, NAN, LEAST],
        ),
        ["3f7fffff", "bf7fffff", 0.5, 0.38268, 0.92388, -0.70710678, 1e-20],
    )


def acos_cases() -> list[Json]:
    """Return the vectors of Acos."""
    return unary(
        "Acos",
        lambda x: exact(transcendental.exact_acos)(x) if abs(x) <= 1 else math.nan,
        (
            [0, MINUS_ZERO, 1, -1, "bf800001", INF, MINUS_INF, NAN, LEAST],
            [PI_HALF, PI_HALF, 0, PI, NAN, NAN, NAN, NAN, PI_HALF],
        ),
        ["3f7fffff", "bf7fffff", 0.5, 0.38268, 0.92388, -0.70710678, 1e-20],
    )


def sinh_cases() -> list[Json]:
    """Return the vectors of Sinh."""
    return unary(
        "Sinh",
        lambda x: (
            math.copysign(math.inf, x) if abs(x) > 100 else exact(transcendental.exact_sinh)(x)
        ),
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, LEAST],
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, INF, LEAST],
        ),
        ["3f7fffff", 1.0, -1.0, "42b2d4fc", "42b2d4fd", -89.0, 0.01],
    )


def cosh_cases() -> list[Json]:
    """Return the vectors of Cosh."""
    return unary(
        "Cosh",
        lambda x: math.inf if abs(x) > 100 else exact(transcendental.exact_cosh)(x),
        ([0, MINUS_ZERO, INF, MINUS_INF, NAN, GREATEST, LEAST], [1, 1, INF, INF, NAN, INF, 1]),
        ["3f7fffff", 1.0, -1.0, "42b2d4fc", "42b2d4fd", -89.0, 0.01],
    )


def sqrt_cases() -> list[Json]:
    """Return the vectors of Sqrt."""
    return unary(
        "Sqrt",
        functions.square_root,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, -1, MINUS_LEAST],
            [0, MINUS_ZERO, INF, NAN, NAN, NAN, NAN],
        ),
        [LEAST, "00000003", "007fffff", LEAST_NORMAL, GREATEST, "3f7fffff", "3f800001", 2.0, 9.0],
        low=0,
    )


def reciprocal_cases() -> list[Json]:
    """Return the vectors of Reciprocal."""
    return unary(
        "Reciprocal",
        lambda x: float32.divide(1.0, x),
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, LEAST, "00200000"],
            [INF, MINUS_INF, 0, MINUS_ZERO, NAN, INF, INF],
        ),
        ["00200001", LEAST_NORMAL, GREATEST, 3.0, -7.0, "3f800001", "3f7fffff", "7e800001"],
    )


def rounding_cases(op: str, function: Function) -> list[Json]:
    """Return the vectors of Floor, Ceil or Round."""
    kept: Values = [0, MINUS_ZERO, INF, MINUS_INF, GREATEST, "4b000001", "cb800000"]
    return unary(
        op,
        function,
        ([*kept, NAN, NEGATIVE_NAN], [*kept, NAN, NAN]),
        [0.5, -0.5, 1.5, -1.5, 2.5, -2.5, "3effffff", LEAST, MINUS_LEAST, "4affffff", "cb000001"],
    )


def floor_cases() -> list[Json]:
    """Return the vectors of Floor."""
    return rounding_cases("Floor", functions.floor)


def ceil_cases() -> list[Json]:
    """Return the vectors of Ceil."""
    return rounding_cases("Ceil", functions.ceiling)


def round_cases() -> list[Json]:
    """Return the vectors of Round."""
    return rounding_cases("Round", functions.whole)


def abs_cases() -> list[Json]:
    """Return the vectors of Abs."""
    floats = unary(
        "Abs",
        abs,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, NEGATIVE_NAN, MINUS_LEAST],
            [0, 0, INF, INF, NAN, NAN, LEAST],
        ),
        [-1.0, 1.0, MINUS_GREATEST],
    )
    return [
        *floats,
        case("int8", "Abs", [ints("int8", (3,), -128, -127, 5)], ints("int8", (3,), -128, 127, 5)),
        case("uint8", "Abs", [ints("uint8", (2,), 0, 255)], ints("uint8", (2,), 0, 255)),
        case(
            "int64", "Abs", [ints("int64", (2,), INT64_MIN, -9)], ints("int64", (2,), INT64_MIN, 9)
        ),
    ]


def neg_cases() -> list[Json]:
    """Return the vectors of Neg."""
    floats = unary(
        "Neg",
        lambda x: -x,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, NEGATIVE_NAN, MINUS_LEAST],
            [MINUS_ZERO, 0, MINUS_INF, INF, NAN, NAN, LEAST],
        ),
        [-1.0, 1.0, MINUS_GREATEST],
    )
    return [
        *floats,
        case("int8", "Neg", [ints("int8", (3,), -128, -127, 5)], ints("int8", (3,), -128, 127, -5)),
        case(
            "int32", "Neg", [ints("int32", (2,), INT32_MIN, 0)], ints("int32", (2,), INT32_MIN, 0)
        ),
    ]


def sign_cases() -> list[Json]:
    """Return the vectors of Sign."""
    floats = unary(
        "Sign",
        functions.sign,
        (
            [0, MINUS_ZERO, INF, MINUS_INF, NAN, NEGATIVE_NAN],
            [0, 0, 1, -1, NAN, NAN],
        ),
        [LEAST, MINUS_LEAST, -3.0, GREATEST],
    )
    return [
        *floats,
        case("int8", "Sign", [ints("int8", (3,), -128, 0, 127)], ints("int8", (3,), -1, 0, 1)),
        case("uint8", "Sign", [ints("uint8", (2,), 0, 255)], ints("uint8", (2,), 0, 1)),
        case("int64", "Sign", [ints("int64", (2,), INT64_MIN, 7)], ints("int64", (2,), -1, 1)),
    ]
