"""Vectors of operators that choose elements or places by indices or by order."""

from collections.abc import Sequence

from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    INF,
    LEAST,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    NEGATIVE_NAN,
    PAYLOAD_NAN,
)
from tests.oracle.layout_cases import EDGE, axes, counted, moved
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def gather_cases() -> list[Json]:
    """Return the vectors of Gather."""
    table = spread("float32", (4, 3), 81)
    cube = counted("int8", 2, 3, 2)
    rows = (3, 0, -1, -4)
    return [
        case("rows, negative indices", "Gather", [table, ints("int64", (2, 2), *rows)],
             moved(table, (2, 2, 3), lambda i: (rows[i[0] * 2 + i[1]] % 4, i[2]))),
        case("middle axis, int32", "Gather", [cube, ints("int32", (2,), -1, 0)],
             ints("int8", (2, 2, 2), 4, 5, 0, 1, 10, 11, 6, 7), {"axis": 1}),
        case("last axis, a scalar index", "Gather", [EDGE, ints("int64", (), 1)],
             f32((1, 2), INF, "80000001"), {"axis": -1}),
        case("constant data", "Gather", [axes(7, INT64_MIN, 9), ints("int64", (3,), 1, 1, -3)],
             axes(INT64_MIN, INT64_MIN, 7), {}, [0]),
        case("constant indices", "Gather", [ints("bool", (2,), True, False), axes(1, 0, 1)],
             ints("bool", (3,), False, True, False), {}, [1]),
    ]  # fmt: skip


def gather_elements_cases() -> list[Json]:
    """Return the vectors of GatherElements."""
    x = ints("int32", (3, 2), 1, 2, 3, 4, 5, 6)
    return [
        case("first axis", "GatherElements", [x, ints("int64", (2, 2), 2, 0, -1, -3)],
             ints("int32", (2, 2), 5, 2, 5, 2)),
        case("last axis, longer than the data", "GatherElements",
             [x, ints("int32", (3, 4), 0, 1, -1, -2, 0, 0, 0, 0, 1, 1, 1, 1)],
             ints("int32", (3, 4), 1, 2, 2, 1, 3, 3, 3, 3, 6, 6, 6, 6), {"axis": -1}),
        case("indices shorter than the data", "GatherElements", [x, ints("int64", (1, 1), -1)],
             ints("int32", (1, 1), 5)),
        case("bits stay", "GatherElements", [EDGE, ints("int64", (1, 2, 3), 0, 1, 0, 1, 0, 1)],
             f32((1, 2, 3), MINUS_ZERO, "80000001", NAN, LEAST, INF, 0), {"axis": 1}),
        case("uint8", "GatherElements", [ints("uint8", (3,), 7, 8, 255), axes(2, 2)],
             ints("uint8", (2,), 255, 255)),
    ]  # fmt: skip


def gather_nd_cases() -> list[Json]:
    """Return the vectors of GatherND."""
    cube = counted("float32", 2, 2, 3)
    return [
        case("elements", "GatherND", [cube, ints("int64", (2, 3), 0, 1, 2, -1, -2, -3)],
             f32((2,), 5, 6)),
        case("slices", "GatherND", [cube, ints("int64", (3, 1, 1), 1, 0, -1)],
             f32((3, 1, 2, 3), *range(6, 12), *range(6), *range(6, 12))),
        case("rows", "GatherND", [counted("uint8", 2, 2, 3), ints("int64", (2, 2), 1, 0, 0, 1)],
             ints("uint8", (2, 3), 6, 7, 8, 3, 4, 5)),
        case("one batch axis", "GatherND", [cube, ints("int64", (2, 1), 1, 0)],
             f32((2, 3), 3, 4, 5, 6, 7, 8), {"batch_dims": 1}),
        case("two batch axes", "GatherND", [counted("int64", 2, 2, 3),
                                            ints("int64", (2, 2, 2, 1), 0, -1, 1, 1, 2, 0, -3, 0)],
             ints("int64", (2, 2, 2), 0, 2, 4, 4, 8, 6, 9, 9), {"batch_dims": 2}),
    ]  # fmt: skip


def scatter_nd_cases() -> list[Json]:
    """Return the vectors of ScatterND."""
    x = counted("float32", 5)
    return [
        case("elements in any order", "ScatterND",
             [x, ints("int64", (3, 1), 4, 0, -3), f32((3,), MINUS_ZERO, NAN, INF)],
             f32((5,), NAN, 1, INF, 3, MINUS_ZERO), {}, [1]),
        case("rows", "ScatterND", [counted("int32", 3, 2), ints("int64", (1, 1), -1),
                                   ints("int32", (1, 2), 70, 80)],
             ints("int32", (3, 2), 0, 1, 2, 3, 70, 80), {}, [1]),
        case("tuples", "ScatterND", [counted("uint8", 2, 3), ints("int64", (2, 2), 0, -1, 1, 0),
                                     ints("uint8", (2,), 200, 255)],
             ints("uint8", (2, 3), 0, 1, 200, 255, 4, 5), {"reduction": "none"}, [1]),
        case("constant data and updates", "ScatterND",
             [axes(1, 2), ints("int64", (1, 1), 0), axes(9)],
             axes(9, 2), {}, [0, 1, 2]),
    ]  # fmt: skip


def scatter_elements_cases() -> list[Json]:
    """Return the vectors of ScatterElements."""
    x = counted("int8", 3, 3)
    return [
        case("first axis", "ScatterElements",
             [x, ints("int64", (2, 3), 1, 0, 2, 0, 2, 1),
              ints("int8", (2, 3), -1, -2, -3, -4, -5, -6)],
             ints("int8", (3, 3), -4, -2, 2, -1, 4, -6, 6, -5, -3), {}, [1]),
        case("last axis, int32, from the back", "ScatterElements",
             [f32((1, 4), 1, 2, 3, 4), ints("int32", (1, 2), -1, 1), f32((1, 2), MINUS_ZERO, NAN)],
             f32((1, 4), 1, NAN, 3, MINUS_ZERO), {"axis": 1}, [1]),
        case("fewer places than the data", "ScatterElements",
             [x, ints("int64", (1, 1), 2), ints("int8", (1, 1), 99)],
             ints("int8", (3, 3), 0, 1, 2, 3, 4, 5, 99, 7, 8), {"axis": 0}, [1]),
        case("int64", "ScatterElements", [axes(1, 2, 3), axes(0), axes(INT64_MIN)],
             axes(INT64_MIN, 2, 3), {"reduction": "none"}, [1]),
    ]  # fmt: skip


def topk_cases() -> list[Json]:
    """Return the vectors of TopK."""
    zeros = f32((6,), 0, MINUS_ZERO, LEAST, MINUS_ZERO, 0, "80000001")
    specials = f32((6,), INF, PAYLOAD_NAN, 1, NEGATIVE_NAN, MINUS_INF, INF)
    matrix = ints("int32", (3, 4), 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8)

    def top(
        name: str, x: Tensor, k: int, values: Tensor, places: Sequence[int], **attributes: int
    ) -> Json:
        chosen = [values, ints("int64", values.shape, *places)]
        return case(name, "TopK", [x, axes(k)], chosen, attributes, [1])

    return [
        top("largest of rows, ties by index", matrix, 3,
            ints("int32", (3, 3), 4, 3, 1, 9, 6, 5, 8, 5, 5), [2, 0, 1, 1, 3, 0, 3, 0, 2]),
        top("smallest of columns", matrix, 2, ints("int32", (2, 4), 3, 1, 2, 1, 5, 3, 4, 6),
            [0, 0, 1, 0, 1, 2, 0, 1], axis=0, largest=0),
        top("zeros are equal", zeros, 6,
            f32((6,), LEAST, 0, MINUS_ZERO, MINUS_ZERO, 0, "80000001"), [2, 0, 1, 3, 4, 5]),
        top("NaN is largest, whatever its sign", specials, 4,
            f32((4,), PAYLOAD_NAN, NEGATIVE_NAN, INF, INF), [1, 3, 0, 5]),
        top("NaN comes last of the smallest", specials, 5,
            f32((5,), MINUS_INF, 1, INF, INF, PAYLOAD_NAN), [4, 2, 0, 5, 1], largest=0),
        top("unsorted is sorted", ints("int64", (4,), INT64_MIN, INT64_MAX, 0, INT64_MAX), 2,
            axes(INT64_MAX, INT64_MAX), [1, 3], sorted=0),
        top("uint8, all of them", ints("uint8", (1, 4), 7, 255, 0, 255), 4,
            ints("uint8", (1, 4), 255, 255, 7, 0), [1, 3, 0, 2]),
        top("int8 from below", ints("int8", (4,), 7, -128, 127, -128), 3,
            ints("int8", (3,), -128, -128, 7), [1, 3, 0], largest=0),
    ]  # fmt: skip


def argmin_cases() -> list[Json]:
    """Return the vectors of ArgMin."""
    x = f32((2, 3), 2, 1, 1, 5, 5, 7)
    return [
        case("ties: the lowest index", "ArgMin", [x], ints("int64", (2, 1), 1, 0), {"axis": 1}),
        case("ties: the last index", "ArgMin", [x], ints("int64", (2,), 2, 1),
             {"axis": -1, "select_last_index": 1, "keepdims": 0}),
        case("zeros are equal", "ArgMin", [f32((3,), 1, 0, MINUS_ZERO)], ints("int64", (1,), 1)),
        case("NaN stands above +inf", "ArgMin",
             [f32((2, 3), NEGATIVE_NAN, INF, NAN, NAN, NAN, NAN)],
             ints("int64", (2,), 1, 0), {"axis": 1, "keepdims": 0}),
        case("the last of NaN alone", "ArgMin", [f32((2,), NAN, PAYLOAD_NAN)],
             ints("int64", (1,), 1), {"select_last_index": 1}),
        case("int8", "ArgMin", [ints("int8", (3,), 127, -128, -128)], ints("int64", (1,), 1)),
        case("first axis of uint8", "ArgMin", [ints("uint8", (2, 2), 0, 255, 1, 254)],
             ints("int64", (1, 2), 0, 1)),
    ]  # fmt: skip


def one_hot_cases() -> list[Json]:
    """Return the vectors of OneHot."""
    off_on = ints("int32", (2,), 5, 9)
    return [
        case("new last axis", "OneHot", [axes(1, -1, 3), ints("int64", (), 3), off_on],
             ints("int32", (3, 3), 5, 9, 5, 5, 5, 9, 5, 5, 5), {}, [1]),
        case("new first axis, int32 indices", "OneHot",
             [ints("int32", (2,), 0, -4), ints("int64", (1,), 3), f32((2,), MINUS_ZERO, NAN)],
             f32((3, 2), NAN, MINUS_ZERO, *[MINUS_ZERO] * 4), {"axis": 0}, [1, 2]),
        case("float indices: no fraction, no NaN", "OneHot",
             [f32((5,), 0, MINUS_ZERO, 0.5, NAN, -1), f32((), 2), ints("uint8", (2,), 0, 1)],
             ints("uint8", (5, 2), 1, 0, 1, 0, 0, 0, 0, 0, 0, 1), {}, [1]),
        case("a scalar index", "OneHot",
             [ints("uint8", (), 2), ints("int32", (), 3), ints("bool", (2,), False, True)],
             ints("bool", (3,), False, False, True), {"axis": -1}, [1]),
        case("middle axis", "OneHot",
             [ints("int64", (1, 2), 1, 0), axes(2), ints("int8", (2,), 0, 1)],
             ints("int8", (1, 2, 2), 0, 1, 1, 0), {"axis": 1}, [1]),
    ]  # fmt: skip


def reverse_sequence_cases() -> list[Json]:
    """Return the vectors of ReverseSequence."""
    x = counted("float32", 4, 2)
    return [
        case("time first", "ReverseSequence", [x, axes(3, 2)],
             f32((4, 2), 4, 3, 2, 1, 0, 5, 6, 7), {}, [1]),
        case("batch first", "ReverseSequence", [counted("int32", 2, 3), axes(1, 3)],
             ints("int32", (2, 3), 0, 1, 2, 5, 4, 3), {"batch_axis": 0, "time_axis": 1}, [1]),
        case("nothing to reverse", "ReverseSequence", [counted("uint8", 2, 2), axes(0, 1)],
             counted("uint8", 2, 2), {}, [1]),
        case("vectors at each time", "ReverseSequence", [counted("int64", 2, 1, 3), axes(2)],
             ints("int64", (2, 1, 3), 3, 4, 5, 0, 1, 2), {"batch_axis": 1, "time_axis": 0}, [1]),
    ]  # fmt: skip
