"""Vectors of the Reduce operators; outputs without an oracle are worked by hand."""

from collections.abc import Sequence

from tests.oracle import reductions
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
)
from tests.oracle.operators import window_values
from tests.oracle.reductions import Fold
from tests.oracle.tensors import Json, Tensor, f32, filled, ints, spread

CUBE = spread("float32", (2, 3, 4), 201)
TALL = spread("float32", (300, 3), 202)
FOUR = spread("float32", (2, 3, 2, 4), 203)


def _reduced(
    op: str,
    fold: Fold,
    name: str,
    x: Tensor,
    axes: Sequence[int] | None,
    shape: Sequence[int],
    **attributes: int,
) -> Json:
    """Return a vector whose axes are listed, or left out where they are None."""
    rank = len(x.shape)
    reduced = [a % rank for a in axes] if axes is not None else list(range(rank))
    y = reductions.folded(x, sorted(reduced), shape, fold)
    if axes is None:
        return case(name, op, [x], y, attributes)
    listed = ints("int64", (len(axes),), *axes)
    return case(name, op, [x, listed], y, attributes, [1])


def _by_hand(op: str, name: str, x: Tensor, y: Tensor, axis: int = 1, **attributes: int) -> Json:
    """Return a vector that reduces one axis."""
    return case(name, op, [x, ints("int64", (1,), axis)], y, attributes, [1])


def reduce_sum_cases() -> list[Json]:
    """Return the vectors of ReduceSum."""
    op, fold = "ReduceSum", reductions.total
    specials = f32((4, 2), MINUS_ZERO, MINUS_ZERO, INF, MINUS_INF, NEGATIVE_NAN, 1, GREATEST, LEAST)
    unchanged = f32((2, 2), MINUS_ZERO, 1, INF, LEAST)
    steps = Tensor("float32", (512,), [2.0**24] + [0.0] * 255 + [1.0] * 256)
    return [
        _reduced(op, fold, "the last axis", CUBE, (-1,), (2, 3, 1)),
        _reduced(op, fold, "a middle axis, dropped", CUBE, (1,), (2, 4), keepdims=0),
        _reduced(op, fold, "all axes by default", CUBE, None, (1, 1, 1)),
        _reduced(op, fold, "scattered axes, unordered, row-major", FOUR, (2, 0), (1, 3, 1, 4)),
        _reduced(op, fold, "300 rows make two chunks", TALL, (0,), (3,), keepdims=0),
        case("chunks are added apart from each other", op, [steps], f32((1,), 2.0**24 + 256)),
        _by_hand(op, "-0, infinities, NaN", specials, f32((4, 1), 0, NAN, NAN, GREATEST)),
        case(
            "no axes and no operation: -0 stays",
            op,
            [unchanged, ints("int64", (0,))],
            unchanged,
            {"noop_with_empty_axes": 1},
            [1],
        ),
        case("a scalar", op, [f32((), -2.5)], f32((), -2.5)),
        _by_hand(
            op,
            "int32 wraps",
            ints("int32", (2, 2), INT32_MAX, 1, INT32_MIN, -1),
            ints("int32", (2,), INT32_MIN, INT32_MAX),
            keepdims=0,
        ),
        _by_hand(
            op,
            "int64 wraps",
            ints("int64", (1, 2), INT64_MAX, INT64_MAX),
            ints("int64", (1, 1), -2),
        ),
    ]


def reduce_mean_cases() -> list[Json]:
    """Return the vectors of ReduceMean."""
    op, fold = "ReduceMean", reductions.mean
    return [
        _reduced(op, fold, "the last axis", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "spatial axes", FOUR, (-2, -1), (2, 3), keepdims=0),
        _reduced(op, fold, "300 rows", TALL, (0,), (1, 3)),
        _by_hand(op, "thirds", f32((1, 3), 1, 0, 0), f32((1, 1), "3eaaaaab")),
        _by_hand(
            op,
            "integers are truncated toward zero",
            ints("int32", (4, 2), 7, 0, -7, 0, -1, 0, -8, 0),
            ints("int32", (4, 1), 3, -3, 0, -4),
        ),
        _by_hand(
            op,
            "an integer sum wraps before it is divided",
            ints("int64", (2, 2), INT64_MIN, 0, INT64_MAX, 2),
            ints("int64", (2,), -(2**62), -(2**62) + 1),
            keepdims=0,
        ),
    ]


def reduce_max_cases() -> list[Json]:
    """Return the vectors of ReduceMax."""
    op, fold = "ReduceMax", reductions.greatest
    specials = f32(
        (5, 2), MINUS_ZERO, 0, NEGATIVE_NAN, INF, MINUS_INF, MINUS_INF, -1, LEAST, -3, -2
    )
    chosen = (0, NAN, MINUS_INF, LEAST, -2)
    return [
        _reduced(op, fold, "a middle axis", CUBE, (1,), (2, 1, 4)),
        _reduced(op, fold, "scattered axes", FOUR, (0, -2), (3, 4), keepdims=0),
        _by_hand(op, "+0 above -0, NaN, -inf alone", specials, f32((5, 1), *chosen)),
        case(
            "the same by columns",
            op,
            [f32((2, 3), MINUS_ZERO, NEGATIVE_NAN, -3, 0, INF, -2), ints("int64", (1,), 0)],
            f32((3,), 0, NAN, -2),
            {"keepdims": 0},
            [1],
        ),
        _by_hand(
            op, "int8", ints("int8", (2, 2), -128, 127, -3, -2), ints("int8", (2, 1), 127, -2)
        ),
        _by_hand(op, "uint8", ints("uint8", (1, 2), 200, 100), ints("uint8", (1, 1), 200)),
        _by_hand(op, "int64", ints("int64", (1, 2), INT64_MIN, -1), ints("int64", (1, 1), -1)),
        _by_hand(
            op,
            "bool",
            Tensor("bool", (2, 2), [False, True, False, False]),
            Tensor("bool", (2, 1), [True, False]),
        ),
    ]


def reduce_min_cases() -> list[Json]:
    """Return the vectors of ReduceMin."""
    op, fold = "ReduceMin", reductions.least
    specials = f32((4, 2), 0, MINUS_ZERO, NEGATIVE_NAN, MINUS_INF, INF, INF, 1, LEAST)
    return [
        _reduced(op, fold, "the first axis", CUBE, (0,), (1, 3, 4)),
        _reduced(op, fold, "all axes", CUBE, (0, 1, 2), (), keepdims=0),
        _by_hand(
            op, "-0 below +0, NaN, +inf alone", specials, f32((4, 1), MINUS_ZERO, NAN, INF, LEAST)
        ),
        _by_hand(
            op, "int32", ints("int32", (1, 2), INT32_MIN, 1), ints("int32", (1, 1), INT32_MIN)
        ),
        _by_hand(
            op,
            "bool",
            Tensor("bool", (2, 2), [False, True, True, True]),
            Tensor("bool", (2,), [False, True]),
            keepdims=0,
        ),
    ]


def reduce_prod_cases() -> list[Json]:
    """Return the vectors of ReduceProd."""
    op, fold = "ReduceProd", reductions.product
    specials = f32((4, 2), MINUS_ZERO, 3, 0, INF, GREATEST, -2, LEAST, 0.5)
    return [
        _reduced(op, fold, "the last axis", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "scattered axes", FOUR, (1, 3), (2, 2), keepdims=0),
        _by_hand(
            op, "-0, NaN, overflow, a tie", specials, f32((4, 1), MINUS_ZERO, NAN, MINUS_INF, 0)
        ),
        _by_hand(
            op, "int32 wraps", ints("int32", (1, 2), INT32_MIN, 3), ints("int32", (1, 1), INT32_MIN)
        ),
        _by_hand(op, "int64 wraps", ints("int64", (1, 2), INT64_MAX, 2), ints("int64", (1, 1), -2)),
    ]


def reduce_l1_cases() -> list[Json]:
    """Return the vectors of ReduceL1."""
    op, fold = "ReduceL1", reductions.magnitudes
    specials = f32((3, 2), MINUS_ZERO, MINUS_ZERO, MINUS_INF, 1, NEGATIVE_NAN, 0)
    return [
        _reduced(op, fold, "the last axis", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "300 rows", TALL, (0,), (3,), keepdims=0),
        _by_hand(op, "-0, -inf, NaN", specials, f32((3, 1), 0, INF, NAN)),
        case(
            "no axes: magnitudes alone",
            op,
            [f32((3,), MINUS_ZERO, -2, MINUS_INF)],
            f32((3,), 0, 2, INF),
            {"noop_with_empty_axes": 1},
        ),
        _by_hand(
            op,
            "the least int32 has no magnitude",
            ints("int32", (2, 2), INT32_MIN, 1, -5, 3),
            ints("int32", (2, 1), INT32_MIN + 1, 8),
        ),
    ]


def reduce_sum_square_cases() -> list[Json]:
    """Return the vectors of ReduceSumSquare."""
    op, fold = "ReduceSumSquare", reductions.squares
    specials = f32((4, 2), MINUS_ZERO, 0, MINUS_INF, 1, NEGATIVE_NAN, 0, GREATEST, LEAST)
    return [
        _reduced(op, fold, "squares are rounded before they are added", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "300 rows", TALL, (0,), (3,), keepdims=0),
        _by_hand(op, "-0, -inf, NaN, overflow", specials, f32((4, 1), 0, INF, NAN, INF)),
        _by_hand(op, "int32 wraps", ints("int32", (1, 2), 65536, 3), ints("int32", (1, 1), 9)),
        _by_hand(op, "int64 wraps", ints("int64", (1, 2), INT64_MIN, -3), ints("int64", (1, 1), 9)),
    ]


def reduce_l2_cases() -> list[Json]:
    """Return the vectors of ReduceL2."""
    op, fold = "ReduceL2", reductions.norm
    specials = f32((4, 2), MINUS_ZERO, 0, MINUS_INF, 1, NEGATIVE_NAN, 0, LEAST, LEAST)
    return [
        _reduced(op, fold, "the last axis", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "300 rows", TALL, (0,), (3,), keepdims=0),
        _by_hand(
            op, "-0, -inf, NaN, squares that underflow", specials, f32((4, 1), 0, INF, NAN, 0)
        ),
        _by_hand(
            op,
            "int32: truncated, a sum that wrapped around below 0",
            ints("int32", (3, 2), 3, 4, 1, 1, 32768, 32768),
            ints("int32", (3, 1), 5, 1, 0),
        ),
        _by_hand(
            op,
            "int64: the sum is rounded to float32 first",
            ints("int64", (1, 2), 2**31 - 1, 0),
            ints("int64", (1, 1), 2**31),
        ),
    ]


def reduce_log_sum_cases() -> list[Json]:
    """Return the vectors of ReduceLogSum."""
    op, fold = "ReduceLogSum", reductions.log_of_total
    specials = f32((4, 2), MINUS_ZERO, MINUS_ZERO, -1, 0, INF, 1, NEGATIVE_NAN, 0)
    positive = Tensor("float32", CUBE.shape, [abs(value) for value in CUBE.data])
    return [
        _reduced(op, fold, "the last axis", positive, (2,), (2, 3, 1)),
        _reduced(op, fold, "scattered axes", positive, (0, 2), (3,), keepdims=0),
        _by_hand(op, "0, below 0, inf, NaN", specials, f32((4, 1), MINUS_INF, NAN, INF, NAN)),
        _by_hand(
            op,
            "int32: truncated; the logarithms of 0 and of a sum below 0",
            ints("int32", (3, 2), 1000, 1, 1, -1, 1, -2),
            ints("int32", (3, 1), 6, INT32_MIN, 0),
        ),
    ]


def reduce_log_sum_exp_cases() -> list[Json]:
    """Return the vectors of ReduceLogSumExp."""
    op, fold = "ReduceLogSumExp", reductions.log_of_exponentials
    specials = f32((3, 2), MINUS_INF, MINUS_INF, INF, 1, NEGATIVE_NAN, 0)
    return [
        _reduced(op, fold, "the last axis", CUBE, (2,), (2, 3, 1)),
        _reduced(op, fold, "300 rows", TALL, (0,), (3,), keepdims=0),
        _by_hand(op, "-inf alone, inf, NaN", specials, f32((3, 1), MINUS_INF, INF, NAN)),
        _by_hand(op, "far above what exp holds", f32((1, 2), 1000, 0), f32((1, 1), 1000)),
        _by_hand(
            op,
            "int64: rounded to float32, truncated back",
            ints("int64", (2, 2), 3, 3, 2**24 + 1, 0),
            ints("int64", (2, 1), 3, 2**24),
        ),
    ]


def global_max_pool_cases() -> list[Json]:
    """Return the vectors of GlobalMaxPool."""
    op, fold = "GlobalMaxPool", reductions.greatest
    line = f32((1, 3, 3), MINUS_ZERO, 0, MINUS_ZERO, INF, NEGATIVE_NAN, 1, MINUS_INF, -3, -2)
    return [
        case("two spatial axes", op, [FOUR], reductions.folded(FOUR, (2, 3), (2, 3, 1, 1), fold)),
        case("one spatial axis", op, [line], f32((1, 3, 1), 0, NAN, -2)),
        case("one element", op, [f32((1, 1, 1), MINUS_ZERO)], f32((1, 1, 1), MINUS_ZERO)),
        case(
            "three spatial axes",
            op,
            [f32((1, 1, 1, 2, 2), -5, -4, -7, LEAST)],
            f32((1, 1, 1, 1, 1), LEAST),
        ),
    ]


def global_lp_pool_cases() -> list[Json]:
    """Return the vectors of GlobalLpPool."""
    op = "GlobalLpPool"

    def pooled(name: str, power: int, **attributes: int) -> Json:
        y = reductions.folded(FOUR, (2, 3), (2, 3, 1, 1), reductions.powered(power))
        return case(name, op, [FOUR], y, attributes)

    specials = f32((1, 3, 2), MINUS_ZERO, 0, MINUS_INF, 1, NAN, 1)
    return [
        pooled("2 by default", 2),
        pooled("p = 1", 1, p=1),
        pooled("p = 3", 3, p=3),
        pooled("p = 5", 5, p=5),
        case("-0, -inf, NaN", op, [specials], f32((1, 3, 1), 0, INF, NAN)),
        case("-0, -inf, NaN for p = 3", op, [specials], f32((1, 3, 1), 0, INF, NAN), {"p": 3}),
    ]


def lp_pool_cases() -> list[Json]:
    """Return the vectors of LpPool."""
    x = spread("float32", (1, 2, 4, 5), 204)
    line = f32((1, 1, 4), 3, -4, MINUS_INF, NAN)

    def pooled(
        name: str, p: int, around: Sequence[int], shape: Sequence[int], **extra: object
    ) -> Json:
        def one(index: tuple[int, ...]) -> float:
            window = window_values(x, index, (2, 3), (2, 1), around, (1, 1))
            values = [0.0 if value is None else value for _, value in window]
            return float(reductions.powered(p)(values, "float32"))

        attributes = {"kernel_shape": [2, 3], "strides": [2, 1], "p": p, **extra}
        return case(name, "LpPool", [x], filled("float32", shape, one), attributes)

    padded = (1, 1, 1, 1)
    return [
        pooled("p = 2", 2, (0, 0, 0, 0), (1, 2, 2, 3)),
        pooled("p = 1, padded", 1, padded, (1, 2, 3, 5), pads=list(padded)),
        case(
            "p = 2 by default, -inf, NaN",
            "LpPool",
            [line],
            f32((1, 1, 3), 5, INF, NAN),
            {"kernel_shape": [2]},
        ),
        case(
            "dilated, three spatial axes, p = 1",
            "LpPool",
            [f32((1, 1, 1, 3, 1), 1, -2, MINUS_ZERO)],
            f32((1, 1, 1, 1, 1), 1),
            {"kernel_shape": [1, 2, 1], "dilations": [1, 2, 1], "p": 1},
        ),
        case(
            "p = 4",
            "LpPool",
            [f32((1, 1, 2), -2, 0)],
            f32((1, 1, 1), 2),
            {"kernel_shape": [2], "p": 4},
        ),
    ]
