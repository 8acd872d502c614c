"""Vectors of ConvInteger and MatMulInteger."""

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.tensors import Json, Tensor, ints, spread

LONG = 40_000


def matmul_integer_cases() -> list[Json]:
    """Return the vectors of MatMulInteger."""
    op = "MatMulInteger"
    u8, s8 = spread("uint8", (3, 20), 91), spread("int8", (20, 4), 92)
    s8_a, u8_b = spread("int8", (2, 1, 2, 6), 93), spread("uint8", (3, 6, 2), 94)
    long_a, long_b = (
        Tensor("uint8", (1, LONG), [255] * LONG),
        Tensor("int8", (LONG, 1), [-128] * LONG),
    )
    a_zeros, b_zeros = [3, 0, 255], [-128, 0, 5, 127]
    return [
        case(
            "no zero points",
            op,
            [u8, s8],
            operators.matmul_integer((3, 4), u8, s8, [0] * 3, [0] * 4),
        ),
        case(
            "zero points of a row and of a column",
            op,
            [u8, s8, ints("uint8", (3,), *a_zeros), ints("int8", (4,), *b_zeros)],
            operators.matmul_integer((3, 4), u8, s8, a_zeros, b_zeros),
            constants=[2, 3],
        ),
        case(
            "scalar zero points, constant weights",
            op,
            [u8, s8, ints("uint8", (), 128), ints("int8", (), -7)],
            operators.matmul_integer((3, 4), u8, s8, [128] * 3, [-7] * 4),
            constants=[1, 2, 3],
        ),
        case(
            "only the second zero point, batches broadcast",
            op,
            [s8_a, u8_b, None, ints("uint8", (1,), 200)],
            operators.matmul_integer((2, 3, 2, 2), s8_a, u8_b, [0] * 2, [200] * 2),
            constants=[3],
        ),
        case(
            "a zero point of a that is computed",
            op,
            [u8, s8, ints("uint8", (), 255), ints("int8", (4,), *b_zeros)],
            operators.matmul_integer((3, 4), u8, s8, [255] * 3, b_zeros),
            constants=[1, 3],
        ),
        case(
            "a computed zero point, batches broadcast",
            op,
            [s8_a, u8_b, ints("int8", (1,), -128)],
            operators.matmul_integer((2, 3, 2, 2), s8_a, u8_b, [-128] * 2, [0] * 2),
            constants=[1],
        ),
        case(
            "pairs that saturate in 16 bits",
            op,
            [ints("uint8", (1, 2), 255, 255), ints("int8", (2, 2), 127, -128, 127, -128)],
            ints("int32", (1, 2), 64770, -65280),
        ),
        case(
            "a vector",
            op,
            [ints("int8", (2,), 2, -3), ints("int8", (2, 1), 5, 7)],
            ints("int32", (1,), -11),
        ),
        case(
            "40,000 of the greatest products",
            op,
            [long_a, long_b],
            ints("int32", (1, 1), -1_305_600_000),
            constants=[1],
        ),
    ]


def conv_integer_cases() -> list[Json]:
    """Return the vectors of ConvInteger."""
    op = "ConvInteger"
    x, w = spread("uint8", (1, 4, 5, 5), 101), spread("int8", (4, 2, 3, 3), 102)
    signed, line = spread("int8", (1, 1, 6), 103), spread("uint8", (2, 1, 3), 104)
    zeros = [0, -3, 127, -128]
    ones, none = (1, 1), (0, 0)
    return [
        case(
            "groups",
            op,
            [x, w],
            operators.conv_integer((1, 4, 3, 3), x, w, 0, [0] * 4, ones, none, ones, 2),
            {"group": 2},
            [1],
        ),
        case(
            "padding counts as the zero point of x",
            op,
            [x, w, ints("uint8", (), 130)],
            operators.conv_integer((1, 4, 5, 5), x, w, 130, [0] * 4, ones, ones, ones, 2),
            {"group": 2, "pads": [1, 1, 1, 1]},
            [1, 2],
        ),
        case(
            "zero points per channel, strides, dilations",
            op,
            [x, w, ints("uint8", (1,), 255), ints("int8", (4,), *zeros)],
            operators.conv_integer((1, 4, 2, 2), x, w, 255, zeros, (2, 2), ones, (2, 2), 2),
            {"group": 2, "pads": [1, 1, 1, 1], "strides": [2, 2], "dilations": [2, 2]},
            [1, 2, 3],
        ),
        case(
            "one spatial axis, int8 by uint8",
            op,
            [signed, line, None, ints("uint8", (), 128)],
            operators.conv_integer((1, 2, 3), signed, line, 0, [128] * 2, (2,), (0,), (1,)),
            {"auto_pad": "SAME_UPPER", "strides": [2]},
            [1, 3],
        ),
        case(
            "extremes",
            op,
            [
                ints("uint8", (1, 1, 2), 255, 255),
                ints("int8", (1, 1, 2), -128, -128),
                ints("uint8", (), 0),
                ints("int8", (), 127),
            ],
            ints("int32", (1, 1, 1), -130050),
            constants=[1, 2, 3],
        ),
    ]
