"""Vectors of Flatten and Reshape, all worked by hand."""

from tests.oracle.case import case
from tests.oracle.elementwise_cases import INF, MINUS_ZERO, NAN
from tests.oracle.tensors import Json, f32, ints


def flatten_cases() -> list[Json]:
    """Return the vectors of Flatten."""
    x = ints("int32", (2, 3, 1, 2), *range(12))
    return [
        case("axis 1 by default", "Flatten", [x], ints("int32", (2, 6), *range(12))),
        case("axis 0", "Flatten", [x], ints("int32", (1, 12), *range(12)), {"axis": 0}),
        case(
            "axis after the last", "Flatten", [x], ints("int32", (12, 1), *range(12)), {"axis": 4}
        ),
        case(
            "axis counted from the back",
            "Flatten",
            [x],
            ints("int32", (6, 2), *range(12)),
            {"axis": -2},
        ),
        case("a scalar", "Flatten", [f32((), MINUS_ZERO)], f32((1, 1), MINUS_ZERO), {"axis": 0}),
        case(
            "bits stay",
            "Flatten",
            [f32((1, 3), MINUS_ZERO, INF, NAN)],
            f32((1, 3), MINUS_ZERO, INF, NAN),
        ),
        case("uint8", "Flatten", [ints("uint8", (1, 1, 2), 0, 255)], ints("uint8", (1, 2), 0, 255)),
    ]


def reshape_cases() -> list[Json]:
    """Return the vectors of Reshape."""
    x = f32((2, 3, 2), *range(12))

    def reshaped(name: str, asked: tuple[int, ...], shape: tuple[int, ...]) -> Json:
        return case(
            name,
            "Reshape",
            [x, ints("int64", (len(asked),), *asked)],
            f32(shape, *range(12)),
            constants=[1],
        )

    return [
        reshaped("lengths", (4, 3), (4, 3)),
        reshaped("-1 takes the rest", (3, -1), (3, 4)),
        reshaped("0 copies an axis", (0, 0, -1, 1), (2, 3, 2, 1)),
        case(
            "allowzero with lengths",
            "Reshape",
            [x, ints("int64", (1,), 12)],
            f32((12,), *range(12)),
            {"allowzero": 1},
            [1],
        ),
        case(
            "to a scalar",
            "Reshape",
            [ints("int64", (1, 1), -(2**63)), ints("int64", (0,))],
            ints("int64", (), -(2**63)),
            constants=[1],
        ),
        case(
            "from a scalar",
            "Reshape",
            [ints("int8", (), -128), ints("int64", (2,), 1, -1)],
            ints("int8", (1, 1), -128),
            constants=[1],
        ),
    ]
