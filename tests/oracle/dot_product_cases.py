"""Vectors of Conv, Gemm and MatMul."""

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.elementwise_cases import (
    INF,
    LEAST,
    MINUS_INF,
    MINUS_ZERO,
    NAN,
    PAYLOAD_NAN,
)
from tests.oracle.tensors import Json, Tensor, f32, spread

ORDER = (1, 2**24, 1, -(2.0**24), 0.5)
"""Added ascending from +0 these give 0.5; exactly they give 2.5, and descending 2."""

TINY = "0d800000"
"""2**-100: the product of two of them rounds to a zero of its sign."""


def matmul_cases() -> list[Json]:
    """Return the vectors of MatMul."""
    long_a, long_b = spread("float32", (2, 600), 11), spread("float32", (600, 3), 12)
    a4, b3 = spread("float32", (2, 1, 3, 4), 13), spread("float32", (2, 4, 2), 14)
    return [
        case(
            "terms ascend",
            "MatMul",
            [f32((1, 5), *ORDER), f32((5, 1), 1, 1, 1, 1, 1)],
            f32((1, 1), 0.5),
        ),
        case(
            "the product is not rounded before the addition",
            "MatMul",
            [f32((1, 2), 16777216, 4097), f32((2, 1), -1, 4097)],
            f32((1, 1), 8193),
        ),
        case(
            "a product that underflows leaves a zero of its sign",
            "MatMul",
            [f32((3, 2), TINY, 0, "8d800000", MINUS_ZERO, 1, -1), f32((2, 1), TINY, 1)],
            f32((3, 1), 0, MINUS_ZERO, -1),
        ),
        case(
            "a product of -0 and an exact cancellation give +0",
            "MatMul",
            [f32((2, 2), MINUS_ZERO, MINUS_ZERO, 1, -1), f32((2, 1), 1, 1)],
            f32((2, 1), 0, 0),
        ),
        case(
            "infinities and NaN",
            "MatMul",
            [
                f32((4, 2), INF, 1, INF, MINUS_INF, PAYLOAD_NAN, 0, MINUS_INF, 1),
                f32((2, 2), 1, 0, 1, 1),
            ],
            f32((4, 2), INF, NAN, NAN, NAN, NAN, NAN, MINUS_INF, NAN),
        ),
        case(
            "subnormal sum",
            "MatMul",
            [f32((1, 3), LEAST, LEAST, "80000003"), f32((3, 1), 0.5, 1, 0.5)],
            f32((1, 1), MINUS_ZERO),
        ),
        case(
            "600 terms of mixed sizes",
            "MatMul",
            [long_a, long_b],
            operators.matmul((2, 3), long_a, long_b),
        ),
        case(
            "600 terms, constant weights",
            "MatMul",
            [long_a, long_b],
            operators.matmul((2, 3), long_a, long_b),
            constants=[1],
        ),
        case("batches broadcast", "MatMul", [a4, b3], operators.matmul((2, 2, 3, 2), a4, b3)),
        case(
            "vector by matrix",
            "MatMul",
            [f32((2,), 1, 2), f32((2, 3), 1, 2, 3, 4, 5, 6)],
            f32((3,), 9, 12, 15),
        ),
        case(
            "matrix by vector",
            "MatMul",
            [f32((2, 2), 1, 2, 3, 4), f32((2,), 5, 6)],
            f32((2,), 17, 39),
        ),
        case("vector by vector", "MatMul", [f32((3,), 1, 2, 3), f32((3,), 4, 5, 6)], f32((), 32)),
        case(
            "vector by a stack",
            "MatMul",
            [f32((2,), 1, -1), f32((2, 2, 1), 5, 3, 1, 8)],
            f32((2, 1), 2, -7),
        ),
    ]


def gemm_cases() -> list[Json]:
    """Return the vectors of Gemm."""
    a, b = spread("float32", (3, 5), 21), spread("float32", (5, 4), 22)
    row, column = spread("float32", (4,), 23), spread("float32", (3, 1), 24)
    long_a, weights = spread("float32", (1, 400), 25), spread("float32", (10, 400), 26)
    bias = spread("float32", (10,), 27)
    third = {"float": "3eaaaaab"}
    alpha = 0.3333333432674408
    shape = (3, 4)
    return [
        case("no c", "Gemm", [a, b], operators.gemm(shape, a, b)),
        case("c is a row", "Gemm", [a, b, row], operators.gemm(shape, a, b, row)),
        case(
            "c is a column, factors",
            "Gemm",
            [a, b, column],
            operators.gemm(shape, a, b, column, alpha, -2.5),
            {"alpha": third, "beta": {"float": "c0200000"}},
        ),
        case(
            "c is a scalar",
            "Gemm",
            [a, b, f32((), 0.125)],
            operators.gemm(shape, a, b, f32((), 0.125)),
        ),
        case(
            "both transposed",
            "Gemm",
            [operators.transposed(a), operators.transposed(b)],
            operators.gemm(shape, a, b),
            {"transA": 1, "transB": 1},
        ),
        case(
            "a classifier",
            "Gemm",
            [long_a, weights, bias],
            operators.gemm((1, 10), long_a, operators.transposed(weights), bias),
            {"transB": 1},
            [1, 2],
        ),
        case(
            "alpha without c",
            "Gemm",
            [a, b],
            operators.gemm(shape, a, b, None, alpha),
            {"alpha": third},
        ),
        case(
            "a factor of 0 still multiplies",
            "Gemm",
            [f32((1, 1), INF), f32((1, 1), 1), f32((1,), INF)],
            f32((1, 1), NAN),
            {"alpha": {"float": "00000000"}, "beta": {"float": "00000000"}},
        ),
        case(
            "a factor of -1 and c of -0",
            "Gemm",
            [f32((1, 1), 0), f32((1, 1), 1), f32((1, 1), MINUS_ZERO)],
            f32((1, 1), MINUS_ZERO),
            {"alpha": {"float": "bf800000"}},
        ),
        case(
            "terms ascend, c comes last",
            "Gemm",
            [f32((1, 5), *ORDER), f32((5, 1), 1, 1, 1, 1, 1), f32((1,), 2**24)],
            f32((1, 1), 2**24),
        ),
    ]


def _conv(
    name: str,
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    shape: tuple[int, ...],
    attributes: dict[str, object] | None = None,
    begin: tuple[int, ...] = (0, 0),
) -> Json:
    """Return a Conv vector; `shape` and the resolved pads at the beginning are given by hand."""
    given = attributes or {}
    ones = (1,) * len(begin)
    strides, dilations = given.get("strides", ones), given.get("dilations", ones)
    group = given.get("group", 1)
    assert isinstance(strides, list | tuple)
    assert isinstance(dilations, list | tuple)
    assert isinstance(group, int)
    y = operators.conv(shape, x, w, bias, strides, begin, dilations, group)
    inputs = [x, w] if bias is None else [x, w, bias]
    return case(name, "Conv", inputs, y, given, list(range(1, len(inputs))))


def conv_cases() -> list[Json]:
    """Return the vectors of Conv."""
    x, w = spread("float32", (2, 4, 6, 5), 31), spread("float32", (6, 4, 3, 3), 32)
    grouped, depthwise = spread("float32", (6, 2, 3, 2), 33), spread("float32", (8, 1, 3, 3), 34)
    bias, line = spread("float32", (6,), 35), spread("float32", (1, 3, 7), 36)
    volume = spread("float32", (1, 2, 3, 4, 3), 37)
    deep, point = spread("float32", (1, 300, 2, 2), 38), spread("float32", (2, 300, 1, 1), 39)
    line_w, volume_w = spread("float32", (2, 3, 3), 40), spread("float32", (3, 2, 2, 2, 2), 41)
    same = {"auto_pad": "SAME_UPPER", "strides": [2, 2]}
    underflow = f32((1, 1, 1, 2), "8d800000", MINUS_ZERO)
    return [
        _conv("no padding", x, w, None, (2, 6, 4, 3)),
        _conv("padding, bias", x, w, bias, (2, 6, 6, 5), {"pads": [1, 1, 1, 1]}, (1, 1)),
        _conv(
            "uneven padding, strides",
            x,
            w,
            bias,
            (2, 6, 3, 3),
            {"pads": [0, 2, 1, 1], "strides": [2, 2]},
            (0, 2),
        ),
        _conv(
            "dilations",
            x,
            w,
            None,
            (2, 6, 4, 3),
            {"dilations": [2, 2], "pads": [1, 1, 1, 1]},
            (1, 1),
        ),
        _conv("groups", x, grouped, bias, (2, 6, 4, 4), {"group": 2}),
        _conv(
            "depthwise, two filters a channel",
            x,
            depthwise,
            None,
            (2, 8, 3, 3),
            {"group": 4, "strides": [2, 2], "pads": [1, 1, 1, 1]},
            (1, 1),
        ),
        _conv("SAME_UPPER", x, grouped, None, (2, 6, 3, 3), {**same, "group": 2}, (0, 0)),
        _conv(
            "SAME_LOWER",
            x,
            grouped,
            None,
            (2, 6, 3, 3),
            {**same, "auto_pad": "SAME_LOWER", "group": 2},
            (1, 1),
        ),
        _conv("VALID", x, w, None, (2, 6, 4, 3), {"auto_pad": "VALID", "kernel_shape": [3, 3]}),
        _conv(
            "one spatial axis",
            line,
            line_w,
            f32((2,), -0.5, 3),
            (1, 2, 4),
            {"strides": [2], "pads": [1, 1]},
            (1,),
        ),
        _conv(
            "three spatial axes",
            volume,
            volume_w,
            None,
            (1, 3, 2, 4, 3),
            {"pads": [0, 1, 1, 0, 0, 0]},
            (0, 1, 1),
        ),
        _conv("300 channels, one tap", deep, point, None, (1, 2, 2, 2)),
        case(
            "terms ascend, bias last",
            "Conv",
            [f32((1, 5, 1), *ORDER), f32((1, 5, 1), 1, 1, 1, 1, 1), f32((1,), 2**24)],
            f32((1, 1, 1), 2**24),
            constants=[1, 2],
        ),
        case(
            "a padded tap leaves an underflow of -0",
            "Conv",
            [underflow, f32((1, 1, 1, 3), TINY, TINY, 1)],
            f32((1, 1, 1, 2), MINUS_ZERO, MINUS_ZERO),
            {"pads": [0, 1, 0, 1]},
            [1],
        ),
        case(
            "a bias of +0 makes it +0",
            "Conv",
            [underflow, f32((1, 1, 1, 3), TINY, TINY, 1), f32((1,), 0)],
            f32((1, 1, 1, 2), 0, 0),
            {"pads": [0, 1, 0, 1]},
            [1, 2],
        ),
        case(
            "NaN and infinities reach only their windows",
            "Conv",
            [f32((1, 1, 5), INF, 1, PAYLOAD_NAN, 2, MINUS_INF), f32((1, 1, 2), 1, -1)],
            f32((1, 1, 4), INF, NAN, NAN, INF),
            constants=[1],
        ),
        case(
            "subnormals",
            "Conv",
            [f32((1, 1, 3), LEAST, "80000003", "00000005"), f32((1, 1, 1), 0.5)],
            f32((1, 1, 3), 0, "80000002", "00000002"),
            constants=[1],
        ),
        case(
            "padding alone, bias of -0",
            "Conv",
            [f32((1, 1, 1), 3), f32((1, 1, 1), 2), f32((1,), MINUS_ZERO)],
            f32((1, 1, 3), 0, 6, 0),
            {"pads": [1, 1]},
            [1, 2],
        ),
    ]
