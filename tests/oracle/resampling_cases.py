"""Vectors of Pad, Resize and Einsum, on exact fractions."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from tests.oracle import float32, operators
from tests.oracle.case import case
from tests.oracle.elementwise_cases import INF, MINUS_ZERO, NAN
from tests.oracle.layout_cases import EDGE, axes, counted
from tests.oracle.tensors import Json, Tensor, f32, filled, indices, ints, spread

HALF = Fraction(1, 2)
Coordinate = Callable[[int], Fraction]


def pad_cases() -> list[Json]:
    """Return the vectors of Pad."""
    row = ints("int32", (1, 3), 1, 2, 3)
    return [
        case("+0 by default", "Pad", [f32((1, 2), MINUS_ZERO, NAN), axes(0, 1, 1, 1)],
             f32((2, 4), 0, MINUS_ZERO, NAN, 0, 0, 0, 0, 0), {}, [1]),
        case("a value, some taken away", "Pad", [counted("int32", 2, 3), axes(1, -1, -1, 1),
                                                 ints("int32", (), -7)],
             ints("int32", (2, 3), -7, -7, -7, 1, 2, -7), {"mode": "constant"}, [1, 2]),
        case("a value of the run, one axis", "Pad",
             [ints("uint8", (2, 1), 1, 2), axes(1, 0), ints("uint8", (), 255), axes(-1)],
             ints("uint8", (2, 2), 255, 1, 255, 2), {}, [1, 3]),
        case("reflect", "Pad", [row, axes(0, 2, 0, 1)], ints("int32", (1, 6), 3, 2, 1, 2, 3, 2),
             {"mode": "reflect"}, [1]),
        case("reflect there and back again", "Pad", [row, axes(0, 5, 0, 0)],
             ints("int32", (1, 8), 2, 1, 2, 3, 2, 1, 2, 3), {"mode": "reflect"}, [1]),
        case("reflect both axes", "Pad", [counted("int8", 2, 2), axes(1, 1, 0, 0)],
             ints("int8", (3, 3), 3, 2, 3, 1, 0, 1, 3, 2, 3), {"mode": "reflect"}, [1]),
        case("edge", "Pad", [EDGE, axes(0, 1, 0, 0, 0, 2)],
             f32((1, 3, 5), MINUS_ZERO, INF, NAN, NAN, NAN, MINUS_ZERO, INF, NAN, NAN, NAN,
                 "00000001", "80000001", 0, 0, 0), {"mode": "edge"}, [1]),
        case("wrap", "Pad", [row, axes(0, 2, 1, 4)],
             ints("int32", (2, 9), *(2, 3, 1, 2, 3, 1, 2, 3, 1) * 2), {"mode": "wrap"}, [1]),
        case("wrong way round: all taken away but padding", "Pad",
             [ints("bool", (2,), True, True), axes(-2, 3)],
             ints("bool", (3,), *[False] * 3), {}, [1]),
    ]  # fmt: skip


def nearest(x: Tensor, shape: Sequence[int], places: Sequence[Sequence[int]]) -> Tensor:
    """Return the elements at the original places given for each axis."""
    return filled(x.dtype, shape, lambda i: x.at([places[axis][i[axis]] for axis in range(len(i))]))


def linear(x: Tensor, axis: int, length: int, coordinate: Coordinate) -> Tensor:
    """Return one axis interpolated at exact coordinates, each weight rounded once."""
    last = x.shape[axis] - 1

    def one(index: tuple[int, ...]) -> float:
        place = min(max(coordinate(index[axis]), Fraction(0)), Fraction(last))
        low = floor(place)
        first: float = x.at((*index[:axis], low, *index[axis + 1 :]))
        share = place - low
        if share == 0:
            return first
        second: float = x.at((*index[:axis], low + 1, *index[axis + 1 :]))
        return float32.add(
            float32.multiply(first, float32.rounded(1 - share)),
            float32.multiply(second, float32.rounded(share)),
        )

    return filled("float32", (*x.shape[:axis], length, *x.shape[axis + 1 :]), one)


def half_pixel(scale: Fraction) -> Coordinate:
    """Return the coordinates of half_pixel."""
    return lambda i: (i + HALF) / scale - HALF


def resize_cases() -> list[Json]:
    """Return the vectors of Resize."""
    return _nearest_cases() + _linear_cases()


def _resized(
    name: str,
    x: Tensor,
    result: Tensor,
    scales: Sequence[float | str] | None = None,
    sizes: Sequence[int] | None = None,
    **attributes: Any,
) -> Json:
    listed = None if scales is None else f32((len(scales),), *scales)
    inputs: list[Tensor | None] = [x, None, listed]
    if sizes is not None:
        inputs.append(axes(*sizes))
    return case(name, "Resize", inputs, result, attributes, [2 if sizes is None else 3])


def _nearest_cases() -> list[Json]:
    x = counted("int8", 1, 1, 2, 3)
    line = counted("uint8", 4)
    twice = nearest(x, (1, 1, 4, 6), [[0], [0], [0, 0, 1, 1], [0, 0, 1, 1, 2, 2]])
    asymmetric: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric"}

    def one_axis(name: str, places: Sequence[int], length: int, **attributes: str) -> Json:
        return _resized(
            name, line, nearest(line, (length,), [places]), None, [length], **attributes
        )

    return [
        _resized("twice by default", x, twice, [1, 1, 2, 2]),
        _resized("twice, floor, asymmetric", x, twice, [1, 1, 2, 2], nearest_mode="floor",
                 **asymmetric),
        _resized("by 0.6, of bits", EDGE, nearest(EDGE, (1, 2, 1), [[0], [0, 1], [0]]),
                 [1, 1, "3f19999a"]),
        _resized("axes, to sizes", x, nearest(x, (1, 1, 3, 3), [[0], [0], [0, 0, 1], [0, 1, 2]]),
                 None, [3], axes=[-2]),
        one_axis("half prefers floor", (0, 2), 2),
        one_axis("half prefers ceil", (1, 3), 2, nearest_mode="round_prefer_ceil"),
        one_axis("ceil", (0, 1, 1, 2, 3, 3, 3), 7, nearest_mode="ceil"),
        one_axis("floor", (0, 0, 0, 1, 2, 2, 3), 7, nearest_mode="floor"),
        one_axis("align_corners to more", (0, 0, 1, 1, 2, 3), 6, nearest_mode="floor",
                 coordinate_transformation_mode="align_corners"),
        one_axis("align_corners to one", (0,), 1, coordinate_transformation_mode="align_corners"),
        one_axis("pytorch_half_pixel to one", (0,), 1, nearest_mode="round_prefer_ceil",
                 coordinate_transformation_mode="pytorch_half_pixel"),
        _resized("not larger", counted("uint8", 2, 4),
                 nearest(counted("uint8", 2, 4), (4, 7), [(0, 0, 1, 1), (0, 0, 1, 1, 2, 3, 3)]),
                 None, [6, 7], keep_aspect_ratio_policy="not_larger"),
    ]  # fmt: skip


def _linear_cases() -> list[Json]:
    x = spread("float32", (1, 1, 3, 4), 91)
    line = f32((4,), 1, 2, 4, 8)
    tenths = Fraction(float32.from_bits("3f19999a"))
    symmetric = lambda i: (4 - 2 / tenths) / 2 + (i + HALF) / tenths - HALF  # noqa: E731
    wide = linear(x, 3, 8, half_pixel(Fraction(2)))
    return [
        _resized("twice, the last axis first", x, linear(wide, 2, 6, half_pixel(Fraction(2))),
                 [1, 1, 2, 2], mode="linear"),
        _resized("to sizes, asymmetric", x,
                 linear(linear(x, 3, 3, lambda i: Fraction(4, 3) * i), 2, 7,
                        lambda i: Fraction(3, 7) * i),
                 None, [1, 1, 7, 3], mode="linear", coordinate_transformation_mode="asymmetric"),
        _resized("align_corners", line, linear(line, 0, 7, lambda i: Fraction(i, 2)),
                 None, [7], mode="linear", coordinate_transformation_mode="align_corners"),
        _resized("align_corners by a scale", line,
                 linear(line, 0, 2, lambda i: i * 3 / (4 * tenths - 1)),
                 ["3f19999a"], mode="linear", coordinate_transformation_mode="align_corners"),
        _resized("a scale that is no ratio of lengths", line,
                 linear(line, 0, 2, half_pixel(tenths)), ["3f19999a"], mode="linear"),
        _resized("half_pixel_symmetric", line, linear(line, 0, 2, symmetric),
                 ["3f19999a"], mode="linear",
                 coordinate_transformation_mode="half_pixel_symmetric"),
        _resized("pytorch_half_pixel", line, linear(line, 0, 3, half_pixel(Fraction(3, 4))),
                 None, [3], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
        _resized("whole places are copies, NaN and infinity reach their neighbours",
                 f32((4,), MINUS_ZERO, INF, 1, NAN),
                 f32((7,), MINUS_ZERO, INF, INF, INF, 1, NAN, NAN),
                 None, [7], mode="linear", coordinate_transformation_mode="align_corners"),
    ]  # fmt: skip


def contracted(a: Tensor, b: Tensor, equation: str, summed: str) -> Tensor:
    """Return a product of two tensors, summed over labels whose last one runs fastest."""
    left, result = equation.split("->")
    a_term, b_term = left.split(",")
    lengths = dict(zip(a_term + b_term, a.shape + b.shape, strict=True))

    def one(index: tuple[int, ...]) -> float:
        place = dict(zip(result, index, strict=True))
        pairs = []
        for inner in indices([lengths[label] for label in summed]):
            place.update(zip(summed, inner, strict=True))
            pairs.append((a.at([place[q] for q in a_term]), b.at([place[q] for q in b_term])))
        return operators.dot(pairs)

    return filled("float32", [lengths[label] for label in result], one)


def einsum_cases() -> list[Json]:
    """Return the vectors of Einsum."""

    def product(
        name: str, equation: str, a: Tensor, b: Tensor, summed: str, written: str = ""
    ) -> Json:
        result = contracted(a, b, equation, summed)
        return case(name, "Einsum", [a, b], result, {"equation": written or equation})

    def numbers(seed: int, *shape: int) -> Tensor:
        return spread("float32", shape, seed)

    return [
        product("a matrix product", "ij,jk->ik", numbers(92, 3, 5), numbers(93, 5, 2), "j"),
        product("without an arrow", "ij,jk->ik", numbers(92, 3, 5), numbers(93, 5, 2), "j",
                "i j, j k"),
        product("attention scores", "bhid,bhjd->bhij", numbers(94, 1, 2, 3, 4),
                numbers(95, 1, 2, 5, 4), "d"),
        product("heads behind the sequence", "bqnd,bknd->bnqk", numbers(96, 1, 3, 2, 4),
                numbers(97, 1, 2, 2, 4), "d"),
        product("two summed labels, in the order of the first operand", "adb,cbd->ca",
                numbers(98, 2, 3, 4), numbers(99, 2, 4, 3), "db"),
        product("an outer product", "i,j->ji", f32((2,), MINUS_ZERO, 3), f32((2,), 2, INF), ""),
        product("an inner product", "i,i->", numbers(100, 40), numbers(101, 40), "i"),
        product("a product of elements", "ij,ji->ji", numbers(102, 2, 3), numbers(103, 3, 2), ""),
        product("an ellipsis of one operand", "abi,ij->abj", numbers(104, 2, 2, 3),
                numbers(105, 3, 2), "i", "...i,ij->...j"),
        product("an ellipsis of unequal lengths, without an arrow", "abij,bjk->abik",
                numbers(106, 2, 2, 1, 3), numbers(107, 2, 3, 2), "j", "...ij, ...jk"),
    ]  # fmt: skip
