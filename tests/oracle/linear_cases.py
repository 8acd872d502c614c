"""Vectors of QuantizeLinear and DequantizeLinear."""

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.elementwise_cases import INF, LEAST, MINUS_INF, MINUS_ZERO, NEGATIVE_NAN
from tests.oracle.tensors import Json, f32, ints, spread

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def quantize_linear_cases() -> list[Json]:
    """Return the vectors of QuantizeLinear."""
    op = "QuantizeLinear"
    halves = f32((6,), 0.5, 1.5, 2.5, -0.5, -1.5, -2.5)
    ends = f32((9,), 1e9, -1e9, INF, MINUS_INF, NEGATIVE_NAN, MINUS_ZERO, LEAST, 127.5, -128.5)
    x = spread("float32", (2, 3, 2), 131)
    scales = [operators.as_float32(v) for v in (0.1, 1.25, 0.0078125)]
    third = operators.as_float32(1 / 3)
    quotients = f32((4,), "3eaaaaab", "3f000000", "3f2aaaab", 85)
    axis = case(
        "a scale for each index of the axis",
        op,
        [x, f32((3,), *scales), ints("int8", (3,), 1, -2, 0)],
        operators.quantize(x, scales, [1, -2, 0], 1, "int8"),
        constants=[1, 2],
    )
    last = case(
        "the axis counted from the back",
        op,
        [x, f32((2,), *scales[:2])],
        operators.quantize(x, scales[:2], [0, 0], 2, "uint8"),
        {"axis": -1},
        [1],
    )
    many, many_scales = spread("float32", (2, 70), 132), [0.25 * i for i in range(1, 71)]
    default_zeros = case(
        "70 scales, no zero points",
        op,
        [many, f32((70,), *many_scales)],
        operators.quantize(many, many_scales, [0] * 70, 1, "uint8"),
        constants=[1],
    )
    return [
        case(
            "halves go to the even integer, int8",
            op,
            [halves, f32((), 1), ints("int8", (), 0)],
            ints("int8", (6,), 0, 2, 2, 0, -2, -2),
            constants=[1, 2],
        ),
        case(
            "halves beside an odd zero point, uint8",
            op,
            [halves, f32((), 1), ints("uint8", (), 5)],
            ints("uint8", (6,), 5, 7, 7, 5, 3, 3),
            constants=[1, 2],
        ),
        case(
            "ends, NaN and zeros, int8",
            op,
            [ends, f32((), 1), ints("int8", (), 3)],
            ints("int8", (9,), 127, -128, 127, -128, 3, 3, 3, 127, -125),
            constants=[1, 2],
        ),
        case(
            "ends, NaN and zeros, uint8",
            op,
            [ends, f32((1,), 1), ints("uint8", (1,), 128)],
            ints("uint8", (9,), 255, 0, 255, 0, 128, 128, 128, 255, 0),
            constants=[1, 2],
        ),
        case(
            "uint8 by default",
            op,
            [f32((2,), 3, -3), f32((), 2)],
            ints("uint8", (2,), 2, 0),
            constants=[1],
        ),
        case(
            "int8 by attribute",
            op,
            [f32((2,), 3, -3), f32((), 2)],
            ints("int8", (2,), 2, -2),
            {"output_dtype": 3},
            [1],
        ),
        case(
            "a division, not a reciprocal",
            op,
            [quotients, f32((), third)],
            operators.quantize(quotients, [third], [0], None, "uint8"),
            constants=[1],
        ),
        case(
            "the division overflows",
            op,
            [f32((2,), "7f7fffff", "ff7fffff"), f32((), "00800000"), ints("int8", (), -1)],
            ints("int8", (2,), 127, -128),
            constants=[1, 2],
        ),
        axis,
        last,
        default_zeros,
        case(
            "a scalar",
            op,
            [f32((), 10), f32((), 4), ints("int8", (), 0)],
            ints("int8", (), 2),
            constants=[1, 2],
        ),
    ]


def dequantize_linear_cases() -> list[Json]:
    """Return the vectors of DequantizeLinear."""
    op = "DequantizeLinear"
    tenth = operators.as_float32(0.1)
    int8, uint8 = spread("int8", (2, 3, 2), 141), ints("uint8", (4,), 0, 1, 254, 255)
    int32 = ints("int32", (5,), 2**24 + 1, 2**24 + 3, INT32_MAX, INT32_MIN, -7)
    scales, zeros = [0.5, tenth, 3.0], [-128, 0, 127]
    many, many_scales = spread("int8", (2, 70), 142), [0.25 * i for i in range(1, 71)]
    return [
        case(
            "uint8, zero point",
            op,
            [uint8, f32((), tenth), ints("uint8", (), 255)],
            operators.dequantize(uint8, [tenth], [255], None),
            constants=[1, 2],
        ),
        case(
            "no zero point",
            op,
            [ints("int8", (3,), -128, 0, 127), f32((), 0.25)],
            f32((3,), -32, 0, 31.75),
            constants=[1],
        ),
        case(
            "int32 rounds to float32 first, ties to even",
            op,
            [int32, f32((1,), tenth)],
            operators.dequantize(int32, [tenth], [0], None),
            constants=[1],
        ),
        case(
            "int32, a zero point of 0",
            op,
            [ints("int32", (), -3), f32((), 2), ints("int32", (), 0)],
            f32((), -6),
            constants=[1, 2],
        ),
        case(
            "a scale for each index of the axis",
            op,
            [int8, f32((3,), *scales), ints("int8", (3,), *zeros)],
            operators.dequantize(int8, scales, zeros, 1),
            constants=[1, 2],
        ),
        case(
            "subnormal and infinite results",
            op,
            [
                ints("int8", (2,), 1, -2),
                f32((2,), "00800001", "7f7fffff"),
                ints("int8", (2,), 1, 1),
            ],
            f32((2,), 0, MINUS_INF),
            {"axis": 0},
            [1, 2],
        ),
        case(
            "70 scales, no zero points",
            op,
            [many, f32((70,), *many_scales)],
            operators.dequantize(many, many_scales, [0] * 70, 1),
            constants=[1],
        ),
    ]
