"""Vectors of operators that put elements elsewhere by a rule that no input decides."""

from collections.abc import Callable, Sequence

from tests.oracle.case import case
from tests.oracle.elementwise_cases import INF, LEAST, MINUS_ZERO, NAN
from tests.oracle.tensors import Json, Tensor, f32, filled, ints, spread

Index = tuple[int, ...]
EDGE = f32((1, 2, 3), MINUS_ZERO, INF, NAN, LEAST, "80000001", 0)
"""Values whose bits a careless copy would change."""


def axes(*values: int) -> Tensor:
    """Return a constant list of int64."""
    return ints("int64", (len(values),), *values)


def counted(dtype: str, *shape: int) -> Tensor:
    """Return 0, 1, 2 ... in a shape."""
    size = 1
    for length in shape:
        size *= length
    return ints(dtype, shape, *range(size)) if dtype != "float32" else f32(shape, *range(size))


def moved(x: Tensor, shape: Sequence[int], source: Callable[[Index], Sequence[int]]) -> Tensor:
    """Return the tensor whose element at an index is that of x at `source(index)`."""
    return filled(x.dtype, shape, lambda index: x.at(source(index)))


def concat_cases() -> list[Json]:
    """Return the vectors of Concat."""
    a, b = ints("int32", (2, 2), 1, 2, 3, 4), ints("int32", (2, 1), 5, 6)
    wide = counted("uint8", 2, 3, 2)
    return [
        case("first axis", "Concat", [a, a], ints("int32", (4, 2), 1, 2, 3, 4, 1, 2, 3, 4),
             {"axis": 0}),
        case("last axis from the back", "Concat", [a, b, a],
             ints("int32", (2, 5), 1, 2, 5, 1, 2, 3, 4, 6, 3, 4), {"axis": -1}),
        case("one tensor, bits stay", "Concat", [EDGE], EDGE, {"axis": 1}),
        case("middle axis, one constant", "Concat",
             [wide, ints("uint8", (2, 1, 2), 90, 91, 92, 93)],
             ints("uint8", (2, 4, 2), 0, 1, 2, 3, 4, 5, 90, 91, 6, 7, 8, 9, 10, 11, 92, 93),
             {"axis": 1}, [1]),
        case("bool", "Concat", [ints("bool", (1,), True), ints("bool", (2,), False, True)],
             ints("bool", (3,), True, False, True), {"axis": 0}),
    ]  # fmt: skip


def split_cases() -> list[Json]:
    """Return the vectors of Split."""
    x = counted("float32", 2, 5)
    last = [f32((2, 2), 0, 1, 5, 6), f32((2, 2), 2, 3, 7, 8), f32((2, 1), 4, 9)]
    return [
        case("lengths", "Split", [x, axes(1, 3, 1)],
             [f32((2, 1), 0, 5), f32((2, 3), 1, 2, 3, 6, 7, 8), f32((2, 1), 4, 9)],
             {"axis": 1}, [1]),
        case("num_outputs, the last is shorter", "Split",
             [x], last, {"axis": -1, "num_outputs": 3}),
        case("first axis by default", "Split", [EDGE], [EDGE], {"num_outputs": 1}),
        case("first axis in two", "Split", [ints("int64", (4,), 1, -(2**63), 2**63 - 1, 4)],
             [ints("int64", (2,), 1, -(2**63)), ints("int64", (2,), 2**63 - 1, 4)],
             {"num_outputs": 2}),
    ]  # fmt: skip


def slice_cases() -> list[Json]:
    """Return the vectors of Slice."""
    x = counted("int32", 3, 5)
    big = 2**63 - 1

    def sliced(
        name: str, lists: Sequence[Tensor | None], shape: Sequence[int], *values: int
    ) -> Json:
        return case(name, "Slice", [x, *lists], ints("int32", shape, *values), {},
                    range(1, 1 + len(lists)))  # fmt: skip

    return [
        sliced("both axes", [axes(1, 0), axes(3, 3)], (2, 3), 5, 6, 7, 10, 11, 12),
        sliced("one axis from the back", [axes(-3), axes(-1), axes(-1)], (3, 2),
               2, 3, 7, 8, 12, 13),
        sliced("steps", [axes(0, 1), axes(big, big), axes(0, 1), axes(2, 3)], (2, 2),
               1, 4, 11, 14),
        sliced("backwards to the start", [axes(-1), axes(-(2**63)), axes(1), axes(-2)], (3, 3),
               4, 2, 0, 9, 7, 5, 14, 12, 10),
        sliced("backwards, both ends inside", [axes(big, 3), axes(0, 0), axes(0, 1), axes(-1, -2)],
               (2, 2), 13, 11, 8, 6),
        sliced("without axes, with steps", [axes(2), axes(0), None, axes(-1)], (2, 5),
               *range(10, 15), *range(5, 10)),
        case("int32 lists, bits stay", "Slice",
             [EDGE, ints("int32", (1,), 0), ints("int32", (1,), 2), ints("int32", (1,), 2)],
             f32((1, 2, 2), MINUS_ZERO, INF, LEAST, "80000001"), {}, [1, 2, 3]),
    ]  # fmt: skip


def transpose_cases() -> list[Json]:
    """Return the vectors of Transpose."""
    x = spread("float32", (2, 3, 4), 71)
    images = spread("int8", (1, 3, 2, 5), 72)
    six = spread("uint8", (2, 1, 3, 2, 2, 3), 73)
    order = (3, 0, 5, 1, 4, 2)

    def ordered(t: Tensor, perm: Sequence[int]) -> Tensor:
        shape = [t.shape[axis] for axis in perm]
        return moved(t, shape, lambda i: [i[perm.index(axis)] for axis in range(len(perm))])

    wide = spread("int8", (37, 41), 74)
    return [
        case("backwards by default", "Transpose", [x], ordered(x, (2, 1, 0))),
        case("channels last", "Transpose", [images], ordered(images, (0, 2, 3, 1)),
             {"perm": [0, 2, 3, 1]}),
        case("six axes", "Transpose", [six], ordered(six, order), {"perm": list(order)}),
        case("larger than a tile", "Transpose", [wide], ordered(wide, (1, 0))),
        case("bits stay", "Transpose", [EDGE],
             f32((3, 2, 1), MINUS_ZERO, LEAST, INF, "80000001", NAN, 0)),
        case("a scalar", "Transpose", [ints("bool", (), True)], ints("bool", (), True)),
    ]  # fmt: skip


def squeeze_cases() -> list[Json]:
    """Return the vectors of Squeeze."""
    x = counted("float32", 1, 3, 1, 2)
    return [
        case("every axis of length 1", "Squeeze", [x], f32((3, 2), *range(6))),
        case("one axis", "Squeeze", [x, axes(2)], f32((1, 3, 2), *range(6)), {}, [1]),
        case("from the back", "Squeeze", [x, axes(-4, -2)], f32((3, 2), *range(6)), {}, [1]),
        case("to a scalar", "Squeeze", [f32((1, 1), MINUS_ZERO)], f32((), MINUS_ZERO)),
    ]


def unsqueeze_cases() -> list[Json]:
    """Return the vectors of Unsqueeze."""
    x = counted("int64", 2, 3)
    return [
        case("in front", "Unsqueeze", [x, axes(0)], ints("int64", (1, 2, 3), *range(6)), {}, [1]),
        case("axes of the result, in any order", "Unsqueeze", [x, axes(3, 1)],
             ints("int64", (2, 1, 3, 1), *range(6)), {}, [1]),
        case("from the back", "Unsqueeze", [x, axes(-1, 0)], ints("int64", (1, 2, 3, 1), *range(6)),
             {}, [1]),
        case("a scalar", "Unsqueeze", [f32((), NAN), axes(0)], f32((1,), NAN), {}, [1]),
    ]  # fmt: skip


def identity_cases() -> list[Json]:
    """Return the vectors of Identity."""
    return [
        case("bits stay", "Identity", [EDGE], EDGE),
        case("a constant", "Identity", [axes(3, -3)], axes(3, -3), {}, [0]),
        case(
            "bool", "Identity", [ints("bool", (2,), True, False)], ints("bool", (2,), True, False)
        ),
        case("uint8 scalar", "Identity", [ints("uint8", (), 255)], ints("uint8", (), 255)),
    ]


def dropout_cases() -> list[Json]:
    """Return the vectors of Dropout."""
    off = ints("bool", (), False)
    return [
        case("nothing is dropped", "Dropout", [EDGE], EDGE),
        case("a mask of true", "Dropout", [f32((2,), 1, MINUS_ZERO)],
             [f32((2,), 1, MINUS_ZERO), ints("bool", (2,), True, True)]),
        case("the ratio is not read", "Dropout", [EDGE, f32((), 0.75)], EDGE, {"seed": 7}, [1]),
        case("training_mode is false", "Dropout", [EDGE, None, off], EDGE, {}, [2]),
    ]  # fmt: skip


def expand_cases() -> list[Json]:
    """Return the vectors of Expand."""
    x = ints("int8", (3, 1), -1, 0, 1)
    return [
        case("the last axis", "Expand", [x, axes(3, 2)], ints("int8", (3, 2), -1, -1, 0, 0, 1, 1),
             {}, [1]),
        case("new axes in front", "Expand", [x, axes(2, 1, 1)],
             ints("int8", (2, 3, 1), -1, 0, 1, -1, 0, 1), {}, [1]),
        case("the tensor stretches the shape", "Expand", [EDGE, axes(1)], EDGE, {}, [1]),
        case("a scalar", "Expand",
             [f32((), MINUS_ZERO), axes(2, 2)], f32((2, 2), *[MINUS_ZERO] * 4),
             {}, [1]),
        case("axes between", "Expand", [counted("int64", 2, 1, 2), axes(2, 3, 2)],
             ints("int64", (2, 3, 2), 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3), {}, [1]),
    ]  # fmt: skip


def tile_cases() -> list[Json]:
    """Return the vectors of Tile."""
    x = ints("int32", (2, 2), 1, 2, 3, 4)
    return [
        case("both axes", "Tile", [x, axes(2, 2)],
             ints("int32", (4, 4), 1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4), {}, [1]),
        case("the first axis", "Tile", [x, axes(2, 1)],
             ints("int32", (4, 2), 1, 2, 3, 4, 1, 2, 3, 4), {}, [1]),
        case("once, bits stay", "Tile", [EDGE, axes(1, 1, 1)], EDGE, {}, [1]),
        case("a scalar has no axis", "Tile", [f32((), 2), axes()], f32((), 2), {}, [1]),
        case("one value", "Tile", [ints("uint8", (1, 1), 255), axes(1, 3)],
             ints("uint8", (1, 3), 255, 255, 255), {}, [1]),
    ]  # fmt: skip


def depth_to_space_cases() -> list[Json]:
    """Return the vectors of DepthToSpace."""
    x = spread("float32", (1, 8, 2, 3), 75)
    many = spread("uint8", (2, 9, 1, 2), 76)

    def dcr(t: Tensor, b: int) -> Tensor:
        n, c, h, w = t.shape
        d = c // (b * b)
        return moved(t, (n, d, h * b, w * b), lambda i: (
            i[0], (i[2] % b * b + i[3] % b) * d + i[1], i[2] // b, i[3] // b))  # fmt: skip

    def crd(t: Tensor, b: int) -> Tensor:
        n, c, h, w = t.shape
        return moved(t, (n, c // (b * b), h * b, w * b), lambda i: (
            i[0], (i[1] * b + i[2] % b) * b + i[3] % b, i[2] // b, i[3] // b))  # fmt: skip

    return [
        case("DCR by default", "DepthToSpace", [x], dcr(x, 2), {"blocksize": 2}),
        case("CRD", "DepthToSpace", [x], crd(x, 2), {"blocksize": 2, "mode": "CRD"}),
        case("blocks of 3", "DepthToSpace", [many], dcr(many, 3), {"blocksize": 3, "mode": "DCR"}),
        case("blocks of 1", "DepthToSpace", [many], many, {"blocksize": 1, "mode": "CRD"}),
    ]


def space_to_depth_cases() -> list[Json]:
    """Return the vectors of SpaceToDepth."""
    x = spread("float32", (1, 2, 4, 6), 77)
    small = ints("int8", (1, 1, 2, 2), 1, 2, 3, 4)

    def blocks(t: Tensor, b: int) -> Tensor:
        n, c, h, w = t.shape
        return moved(t, (n, c * b * b, h // b, w // b), lambda i: (
            i[0], i[1] % c, i[2] * b + i[1] // c // b, i[3] * b + i[1] // c % b))  # fmt: skip

    return [
        case("blocks of 2", "SpaceToDepth", [x], blocks(x, 2), {"blocksize": 2}),
        case("one block", "SpaceToDepth", [small], ints("int8", (1, 4, 1, 1), 1, 2, 3, 4),
             {"blocksize": 2}),
        case("blocks of 1", "SpaceToDepth", [small], small, {"blocksize": 1}),
        case("two images", "SpaceToDepth", [spread("uint8", (2, 3, 2, 4), 78)],
             blocks(spread("uint8", (2, 3, 2, 4), 78), 2), {"blocksize": 2}),
    ]  # fmt: skip
