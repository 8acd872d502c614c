"""Vectors of MaxPool, AveragePool, GlobalAveragePool and Softmax."""

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    GREATEST,
    INF,
    LEAST,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    NEGATIVE_NAN,
)
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

Sizes = tuple[int, ...]


def _max_pool(
    name: str,
    x: Tensor,
    shape: Sizes,
    kernel: Sizes,
    strides: Sizes,
    pads: Sizes,
    dilations: Sizes,
    **extra: object,
) -> Json:
    """Return a MaxPool vector; `pads` are the resolved ones, written out unless auto_pad is."""
    y = operators.max_pool(shape, x, kernel, strides, pads, dilations)
    return case(name, "MaxPool", [x], y, _attributes(kernel, strides, pads, dilations, extra))


def _average_pool(
    name: str,
    x: Tensor,
    shape: Sizes,
    kernel: Sizes,
    strides: Sizes,
    pads: Sizes,
    dilations: Sizes,
    **extra: object,
) -> Json:
    """Return an AveragePool vector."""
    count_include_pad = extra.get("count_include_pad") == 1
    y = operators.average_pool(shape, x, kernel, strides, pads, dilations, count_include_pad)
    return case(name, "AveragePool", [x], y, _attributes(kernel, strides, pads, dilations, extra))


def _attributes(
    kernel: Sizes, strides: Sizes, pads: Sizes, dilations: Sizes, extra: dict[str, object]
) -> dict[str, object]:
    """Return the attributes, defaults left out."""
    given: dict[str, object] = {"kernel_shape": list(kernel), **extra}
    for name, values, default in (
        ("strides", strides, 1),
        ("dilations", dilations, 1),
        ("pads", pads, 0),
    ):
        if any(value != default for value in values) and not (
            name == "pads" and "auto_pad" in extra
        ):
            given[name] = list(values)
    return given


def max_pool_cases() -> list[Json]:
    """Return the vectors of MaxPool."""
    x, line = spread("float32", (2, 2, 5, 6), 51), spread("float32", (1, 1, 9), 52)
    volume = spread("float32", (1, 1, 3, 4, 3), 53)
    int8, uint8 = spread("int8", (1, 2, 4, 4), 54), spread("uint8", (1, 1, 5, 5), 55)
    return [
        _max_pool("2 by 2", x, (2, 2, 2, 3), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
        _max_pool(
            "pads never win",
            f32((1, 1, 2, 2), -1, -2, -3, MINUS_INF),
            (1, 1, 3, 3),
            (2, 2),
            (1, 1),
            (1, 1, 1, 1),
            (1, 1),
        ),
        _max_pool("ceil_mode", x, (2, 2, 3, 3), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1), ceil_mode=1),
        _max_pool(
            "ceil_mode, the window that would start on the end pad is left out",
            f32((1, 1, 2), 1, 2),
            (1, 1, 1),
            (3,),
            (3,),
            (1, 1),
            (1,),
            ceil_mode=1,
        ),
        _max_pool("dilations", x, (2, 2, 3, 2), (2, 3), (1, 1), (0, 0, 0, 0), (2, 2)),
        _max_pool(
            "SAME_UPPER",
            x,
            (2, 2, 3, 3),
            (3, 3),
            (2, 2),
            (1, 0, 1, 1),
            (1, 1),
            auto_pad="SAME_UPPER",
        ),
        _max_pool(
            "SAME_LOWER",
            x,
            (2, 2, 3, 3),
            (3, 3),
            (2, 2),
            (1, 1, 1, 0),
            (1, 1),
            auto_pad="SAME_LOWER",
        ),
        _max_pool("one spatial axis", line, (1, 1, 4), (3,), (2,), (0, 0), (1,)),
        _max_pool(
            "three spatial axes",
            volume,
            (1, 1, 2, 2, 2),
            (2, 2, 2),
            (1, 2, 1),
            (0, 0, 0, 0, 0, 0),
            (1, 1, 1),
        ),
        case(
            "NaN, +0 above -0, -inf alone",
            "MaxPool",
            [f32((1, 1, 8), MINUS_ZERO, 0, 0, MINUS_ZERO, NEGATIVE_NAN, INF, MINUS_INF, MINUS_INF)],
            f32((1, 1, 4), 0, 0, NAN, MINUS_INF),
            {"kernel_shape": [2], "strides": [2]},
        ),
        case(
            "-0 alone",
            "MaxPool",
            [f32((1, 1, 2), MINUS_ZERO, MINUS_ZERO)],
            f32((1, 1, 1), MINUS_ZERO),
            {"kernel_shape": [2]},
        ),
        _max_pool(
            "int8, -128 beside padding",
            ints("int8", (1, 1, 2), -128, -128),
            (1, 1, 2),
            (2,),
            (2,),
            (1, 1),
            (1,),
        ),
        _max_pool("int8", int8, (1, 2, 3, 3), (2, 2), (1, 1), (0, 0, 0, 0), (1, 1)),
        _max_pool("uint8", uint8, (1, 1, 3, 3), (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    ]


def average_pool_cases() -> list[Json]:
    """Return the vectors of AveragePool."""
    x, line = spread("float32", (2, 2, 5, 6), 61), spread("float32", (1, 2, 310), 62)
    volume = spread("float32", (1, 1, 3, 4, 3), 63)
    small = f32((1, 1, 2, 2), 1, 2, 4, 8)
    return [
        case("2 by 2", "AveragePool", [small], f32((1, 1, 1, 1), 3.75), {"kernel_shape": [2, 2]}),
        _average_pool(
            "padding does not count", small, (1, 1, 3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1)
        ),
        _average_pool(
            "padding counts",
            small,
            (1, 1, 3, 3),
            (2, 2),
            (1, 1),
            (1, 1, 1, 1),
            (1, 1),
            count_include_pad=1,
        ),
        _average_pool("thirds and ninths", x, (2, 2, 3, 3), (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
        _average_pool(
            "ceil_mode", x, (2, 2, 3, 3), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1), ceil_mode=1
        ),
        _average_pool(
            "ceil_mode with counted padding: beyond the pads nothing counts",
            x,
            (2, 2, 3, 4),
            (3, 3),
            (2, 2),
            (1, 1, 1, 1),
            (1, 1),
            ceil_mode=1,
            count_include_pad=1,
        ),
        _average_pool(
            "ceil_mode, the window that would start on the end pad is left out",
            small,
            (1, 1, 1, 1),
            (3, 3),
            (3, 3),
            (1, 1, 1, 1),
            (1, 1),
            ceil_mode=1,
            count_include_pad=1,
        ),
        _average_pool(
            "dilations with padding", x, (2, 2, 5, 6), (3, 2), (1, 1), (2, 1, 2, 1), (2, 2)
        ),
        _average_pool(
            "SAME_LOWER",
            x,
            (2, 2, 3, 3),
            (2, 2),
            (2, 2),
            (1, 0, 0, 0),
            (1, 1),
            auto_pad="SAME_LOWER",
        ),
        _average_pool(
            "three spatial axes",
            volume,
            (1, 1, 2, 2, 1),
            (2, 2, 3),
            (1, 2, 1),
            (0, 0, 0, 0, 0, 0),
            (1, 1, 1),
        ),
        _average_pool("300 taps make two chunks", line, (1, 2, 3), (300,), (5,), (0, 0), (1,)),
        _average_pool(
            "a padded tap keeps its place in a chunk", line, (1, 2, 4), (300,), (10,), (20, 0), (1,)
        ),
        case(
            "NaN, infinities, signed zeros",
            "AveragePool",
            [f32((1, 1, 8), INF, MINUS_INF, INF, 1, NEGATIVE_NAN, 1, MINUS_ZERO, MINUS_ZERO)],
            f32((1, 1, 4), NAN, INF, NAN, 0),
            {"kernel_shape": [2], "strides": [2]},
        ),
        case(
            "overflow, subnormals",
            "AveragePool",
            [f32((1, 1, 4), GREATEST, GREATEST, LEAST, 0)],
            f32((1, 1, 2), INF, 0),
            {"kernel_shape": [2], "strides": [2]},
        ),
    ]


def global_average_pool_cases() -> list[Json]:
    """Return the vectors of GlobalAveragePool."""
    seven, wide = spread("float32", (2, 3, 7, 7), 71), spread("float32", (1, 2, 20, 30), 72)
    volume = spread("float32", (1, 2, 2, 3, 2), 73)
    op = "GlobalAveragePool"
    return [
        case("7 by 7", op, [seven], operators.global_average_pool(seven)),
        case("600 elements make three chunks", op, [wide], operators.global_average_pool(wide)),
        case("three spatial axes", op, [volume], operators.global_average_pool(volume)),
        case(
            "one spatial axis",
            op,
            [f32((1, 2, 3), 1, 1, 2, 2, 2, 0)],
            f32((1, 2, 1), "3faaaaab", "3faaaaab"),
        ),
        case(
            "-0, infinities, NaN",
            op,
            [f32((1, 3, 2), MINUS_ZERO, MINUS_ZERO, INF, 1, NAN, 1)],
            f32((1, 3, 1), 0, INF, NAN),
        ),
        case(
            "chunks are added apart from each other",
            op,
            [Tensor("float32", (1, 1, 512), [2.0**24] + [0.0] * 255 + [1.0] * 256)],
            f32((1, 1, 1), 32768.5),
        ),
    ]


def softmax_cases() -> list[Json]:
    """Return the vectors of Softmax."""
    logits, middle = spread("float32", (2, 10), 81), spread("float32", (2, 3, 4), 82)
    wide = spread("float32", (1, 600), 83)
    far = f32((1, 4), 0, -90, -104, MINUS_INF)
    return [
        case("ten classes", "Softmax", [logits], operators.softmax(logits, 1)),
        case("600 classes make three chunks", "Softmax", [wide], operators.softmax(wide, 1)),
        case("an inner axis", "Softmax", [middle], operators.softmax(middle, 1), {"axis": 1}),
        case(
            "the first axis, counted from the back",
            "Softmax",
            [middle],
            operators.softmax(middle, 0),
            {"axis": -3},
        ),
        case(
            "equal values",
            "Softmax",
            [f32((2, 4), 5, 5, 5, 5, "ff7fffff", "ff7fffff", "ff7fffff", "ff7fffff")],
            f32((2, 4), *[0.25] * 8),
        ),
        case(
            "far below the largest: subnormal, then zero",
            "Softmax",
            [far],
            operators.softmax(far, 1),
        ),
        case(
            "one value, signed zeros",
            "Softmax",
            [f32((3, 1), MINUS_ZERO, GREATEST, LEAST)],
            f32((3, 1), 1, 1, 1),
        ),
        case(
            "NaN, +inf and -inf alone make NaN",
            "Softmax",
            [f32((3, 2), 1, NEGATIVE_NAN, INF, 1, MINUS_INF, MINUS_INF)],
            f32((3, 2), NAN, NAN, NAN, NAN, NAN, NAN),
        ),
    ]
