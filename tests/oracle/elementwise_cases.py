"""Vectors of Add, Mul, Relu, Clip and ArgMax; outputs without an oracle are worked by hand."""

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.tensors import Json, f32, ints, spread

NAN, INF, MINUS_INF, MINUS_ZERO = "7fc00000", "7f800000", "ff800000", "80000000"
PAYLOAD_NAN, NEGATIVE_NAN = "7fa00001", "ffc00123"
LEAST, LEAST_NORMAL, GREATEST = "00000001", "00800000", "7f7fffff"
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def add_cases() -> list[Json]:
    """Return the vectors of Add."""
    a, b = spread("float32", (2, 1, 3), 1), spread("float32", (4, 1), 2)
    return [
        case(
            "rounding, ties to even both ways",
            "Add",
            [f32((4,), 2**24, 2**24, 2**24 + 2, -(2.0**24)), f32((4,), 1, 3, 1, -1)],
            f32((4,), 2**24, 2**24 + 4, 2**24 + 4, -(2.0**24)),
        ),
        case(
            "signed zeros, infinities, NaN",
            "Add",
            [
                f32((7,), MINUS_ZERO, 0, MINUS_ZERO, 5, INF, INF, PAYLOAD_NAN),
                f32((7,), MINUS_ZERO, MINUS_ZERO, 0, -5, MINUS_INF, 1, 1),
            ],
            f32((7,), MINUS_ZERO, 0, 0, 0, NAN, INF, NAN),
        ),
        case(
            "subnormals are kept, overflow is infinite",
            "Add",
            [
                f32((4,), LEAST, LEAST_NORMAL, LEAST, GREATEST),
                f32((4,), LEAST, "80000001", 0, GREATEST),
            ],
            f32((4,), "00000002", "007fffff", LEAST, INF),
        ),
        case("broadcast both ways", "Add", [a, b], operators.add((2, 4, 3), a, b)),
        case("scalars", "Add", [f32((), 1.5), f32((), 2)], f32((), 3.5)),
        case(
            "int8 wraps",
            "Add",
            [ints("int8", (3,), 127, -128, 100), ints("int8", (3,), 1, -1, 27)],
            ints("int8", (3,), -128, 127, 127),
        ),
        case(
            "uint8 wraps, a scalar stretches",
            "Add",
            [ints("uint8", (2, 2), 255, 0, 1, 254), ints("uint8", (), 1)],
            ints("uint8", (2, 2), 0, 1, 2, 255),
        ),
        case(
            "int32 wraps",
            "Add",
            [ints("int32", (2,), INT32_MAX, INT32_MIN), ints("int32", (2,), 1, -1)],
            ints("int32", (2,), INT32_MIN, INT32_MAX),
        ),
        case(
            "int64 wraps",
            "Add",
            [ints("int64", (), INT64_MAX), ints("int64", (), 1)],
            ints("int64", (), INT64_MIN),
        ),
    ]


def mul_cases() -> list[Json]:
    """Return the vectors of Mul."""
    a, b = spread("float32", (3, 1), 3), spread("float32", (1, 5), 4)
    return [
        case(
            "signed zeros, infinities, NaN",
            "Mul",
            [
                f32((6,), 0, MINUS_ZERO, 0, INF, NEGATIVE_NAN, INF),
                f32((6,), -3, -3, INF, -2, 0, MINUS_INF),
            ],
            f32((6,), MINUS_ZERO, 0, NAN, MINUS_INF, NAN, MINUS_INF),
        ),
        case(
            "subnormal results, ties to even, underflow keeps its sign",
            "Mul",
            [
                f32((5,), LEAST, "00000003", LEAST, "80000001", LEAST_NORMAL),
                f32((5,), 0.5, 0.5, 1.5, 0.5, 0.5),
            ],
            f32((5,), 0, "00000002", "00000002", MINUS_ZERO, "00400000"),
        ),
        case("broadcast both ways", "Mul", [a, b], operators.mul((3, 5), a, b)),
        case(
            "overflow",
            "Mul",
            [f32((2,), GREATEST, GREATEST), f32((2,), 2, -2)],
            f32((2,), INF, MINUS_INF),
        ),
        case(
            "int8 wraps",
            "Mul",
            [ints("int8", (3,), -128, 16, 11), ints("int8", (3,), -1, 16, -7)],
            ints("int8", (3,), -128, 0, -77),
        ),
        case(
            "uint8 wraps",
            "Mul",
            [ints("uint8", (2,), 255, 200), ints("uint8", (1,), 255)],
            ints("uint8", (2,), 1, 56),
        ),
        case(
            "int32 wraps",
            "Mul",
            [ints("int32", (2,), INT32_MIN, 65536), ints("int32", (2,), -1, 65536)],
            ints("int32", (2,), INT32_MIN, 0),
        ),
        case(
            "int64 wraps",
            "Mul",
            [ints("int64", (), INT64_MAX), ints("int64", (2,), 2, -1)],
            ints("int64", (2,), -2, -INT64_MAX),
        ),
    ]


def relu_cases() -> list[Json]:
    """Return the vectors of Relu."""
    specials = (0, MINUS_ZERO, -1, 1, LEAST, "80000001", INF, MINUS_INF, NEGATIVE_NAN)
    return [
        case(
            "specials",
            "Relu",
            [f32((9,), *specials)],
            f32((9,), 0, 0, 0, 1, LEAST, 0, INF, 0, NAN),
        ),
        case("scalar", "Relu", [f32((), MINUS_ZERO)], f32((), 0)),
        case(
            "int8", "Relu", [ints("int8", (4,), -128, -1, 0, 127)], ints("int8", (4,), 0, 0, 0, 127)
        ),
        case("int32", "Relu", [ints("int32", (2, 1), INT32_MIN, 7)], ints("int32", (2, 1), 0, 7)),
        case(
            "int64",
            "Relu",
            [ints("int64", (1, 2), INT64_MIN, INT64_MAX)],
            ints("int64", (1, 2), 0, INT64_MAX),
        ),
    ]


def clip_cases() -> list[Json]:
    """Return the vectors of Clip."""
    x = f32((7,), -2, MINUS_ZERO, 0, 0.5, 9, MINUS_INF, PAYLOAD_NAN)
    return [
        case(
            "both bounds",
            "Clip",
            [x, f32((), 0), f32((), 6)],
            f32((7,), 0, 0, 0, 0.5, 6, 0, NAN),
            constants=[1, 2],
        ),
        case(
            "low alone",
            "Clip",
            [x, f32((), -1)],
            f32((7,), -1, MINUS_ZERO, 0, 0.5, 9, -1, NAN),
            constants=[1],
        ),
        case(
            "high alone",
            "Clip",
            [x, None, f32((), MINUS_ZERO)],
            f32((7,), -2, MINUS_ZERO, MINUS_ZERO, MINUS_ZERO, MINUS_ZERO, MINUS_INF, NAN),
            constants=[2],
        ),
        case("no bound", "Clip", [x], f32((7,), -2, MINUS_ZERO, 0, 0.5, 9, MINUS_INF, NAN)),
        case(
            "low above high gives high",
            "Clip",
            [f32((3,), -9, 0, 9), f32((), 2), f32((), 1)],
            f32((3,), 1, 1, 1),
            constants=[1, 2],
        ),
        case(
            "a bound that is NaN",
            "Clip",
            [f32((2,), 1, INF), f32((), NAN), f32((), 5)],
            f32((2,), NAN, NAN),
            constants=[1, 2],
        ),
        case(
            "bounds at run time",
            "Clip",
            [f32((2,), -1, 4), f32((), 0), f32((), 3)],
            f32((2,), 0, 3),
        ),
        case(
            "int8",
            "Clip",
            [ints("int8", (3,), -128, 3, 127), ints("int8", (), -5), ints("int8", (), 5)],
            ints("int8", (3,), -5, 3, 5),
            constants=[1, 2],
        ),
        case(
            "uint8",
            "Clip",
            [ints("uint8", (3,), 0, 200, 255), None, ints("uint8", (), 199)],
            ints("uint8", (3,), 0, 199, 199),
            constants=[2],
        ),
        case(
            "int32",
            "Clip",
            [
                ints("int32", (2,), INT32_MIN, INT32_MAX),
                ints("int32", (), -1),
                ints("int32", (), 1),
            ],
            ints("int32", (2,), -1, 1),
            constants=[1, 2],
        ),
        case(
            "int64",
            "Clip",
            [ints("int64", (2,), INT64_MIN, INT64_MAX), ints("int64", (), 0)],
            ints("int64", (2,), 0, INT64_MAX),
            constants=[1],
        ),
    ]


def argmax_cases() -> list[Json]:
    """Return the vectors of ArgMax."""
    tied = f32((2, 4), 1, 3, 3, 2, MINUS_ZERO, 0, -1, MINUS_ZERO)
    with_nan = f32((5,), INF, NEGATIVE_NAN, 7, NAN, INF)
    return [
        case(
            "first of equals, -0 equals +0",
            "ArgMax",
            [tied],
            ints("int64", (2, 1), 1, 0),
            {"axis": 1},
        ),
        case(
            "last of equals",
            "ArgMax",
            [tied],
            ints("int64", (2, 1), 2, 3),
            {"axis": -1, "select_last_index": 1},
        ),
        case("axis 0 by default", "ArgMax", [tied], ints("int64", (1, 4), 0, 0, 0, 0)),
        case("axis dropped", "ArgMax", [tied], ints("int64", (4,), 0, 0, 0, 0), {"keepdims": 0}),
        case("NaN stands above +inf", "ArgMax", [with_nan], ints("int64", (1,), 1)),
        case(
            "last NaN",
            "ArgMax",
            [with_nan],
            ints("int64", (), 3),
            {"keepdims": 0, "select_last_index": 1},
        ),
        case(
            "nothing but -inf",
            "ArgMax",
            [f32((3,), MINUS_INF, MINUS_INF, MINUS_INF)],
            ints("int64", (1,), 0),
        ),
        case(
            "int8",
            "ArgMax",
            [ints("int8", (1, 3), -128, -1, -1)],
            ints("int64", (1, 1), 1),
            {"axis": 1},
        ),
        case(
            "uint8",
            "ArgMax",
            [ints("uint8", (3, 1), 0, 255, 128)],
            ints("int64", (1,), 1),
            {"keepdims": 0},
        ),
        case(
            "int32",
            "ArgMax",
            [ints("int32", (2, 2), INT32_MIN, INT32_MAX, INT32_MAX, INT32_MAX)],
            ints("int64", (2, 1), 1, 1),
            {"axis": 1, "select_last_index": 1},
        ),
    ]
