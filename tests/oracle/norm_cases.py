"""Vectors of the norms, of LRN, LogSoftmax and DynamicQuantizeLinear."""

from tests.oracle import norms
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
from tests.oracle.operators import as_float32
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

EPSILON = as_float32(1e-5)
BITS_OF_EPSILON = "3727c5ac"


def layer_normalization_cases() -> list[Json]:
    """Return the vectors of LayerNormalization."""
    op = "LayerNormalization"
    x, long = spread("float32", (2, 3, 8), 301), spread("float32", (9, 300), 302)
    scale, bias = spread("float32", (8,), 303), spread("float32", (8,), 304)
    wide, ones = spread("float32", (3, 8), 305), f32((300,), *[1.0] * 300)
    stretched = spread("float32", (2, 1, 8), 306)
    y, mean, inverse = norms.layer(x, 2, scale, bias, EPSILON)
    three = case("mean and inverse deviation", op, [x, scale, bias], y)
    three["outputs"] += [mean.json(), inverse.json()]
    last = case(
        "the inverse deviation alone", op, [x, scale], norms.layer(x, 2, scale, None, EPSILON)[0]
    )
    last["outputs"] += [None, inverse.json()]
    specials = f32((4, 2), INF, 1, NEGATIVE_NAN, 0, MINUS_ZERO, MINUS_ZERO, GREATEST, GREATEST)
    return [
        case("the last axis", op, [x, scale, bias], y, constants=[1, 2]),
        three,
        last,
        case(
            "from axis 1, another epsilon",
            op,
            [x, wide, wide],
            norms.layer(x, 1, wide, wide, 0.5)[0],
            {"axis": 1, "epsilon": 0.5},
        ),
        case(
            "a scale that stretches over x",
            op,
            [x, stretched, scale],
            norms.layer(x, 2, stretched, scale, EPSILON)[0],
            {"axis": -1},
        ),
        case(
            "rows of two chunks, one row more than lie side by side",
            op,
            [long, ones],
            norms.layer(long, 1, ones, None, EPSILON)[0],
            constants=[1],
        ),
        case(
            "inf and NaN spoil their row; -0 minus the mean +0 is -0; overflow",
            op,
            [specials, f32((2,), 1, 2)],
            f32((4, 2), NAN, NAN, NAN, NAN, MINUS_ZERO, MINUS_ZERO, NAN, NAN),
            constants=[1],
        ),
    ]


def instance_normalization_cases() -> list[Json]:
    """Return the vectors of InstanceNormalization."""
    op = "InstanceNormalization"
    x, long = spread("float32", (2, 3, 4, 5), 311), spread("float32", (1, 2, 270), 312)
    scale, bias = spread("float32", (3,), 313), spread("float32", (3,), 314)
    two, one = f32((2,), 1, -2), f32((2,), 0.5, 0)
    return [
        case("two spatial axes", op, [x, scale, bias], norms.grouped(x, 3, scale, bias, EPSILON)),
        case(
            "270 elements make two chunks",
            op,
            [long, two, one],
            norms.grouped(long, 2, two, one, EPSILON),
            constants=[1, 2],
        ),
        case(
            "another epsilon",
            op,
            [x, scale, bias],
            norms.grouped(x, 3, scale, bias, 2.0),
            {"epsilon": {"float": 2.0}},
        ),
        case(
            "a constant channel is its bias, one with NaN is NaN",
            op,
            [f32((1, 2, 3), 7, 7, 7, 1, NAN, 2), two, one],
            f32((1, 2, 3), 0.5, 0.5, 0.5, NAN, NAN, NAN),
        ),
    ]


def group_normalization_cases() -> list[Json]:
    """Return the vectors of GroupNormalization."""
    op = "GroupNormalization"
    x, scale, bias = (
        spread("float32", (2, 4, 3, 2), 321),
        f32((4,), 1, -2, 0.5, 3),
        f32((4,), 0, 1, 2, 3),
    )
    long = spread("float32", (1, 4, 70), 322)
    return [
        case(
            "two groups",
            op,
            [x, scale, bias],
            norms.grouped(x, 2, scale, bias, EPSILON),
            {"num_groups": 2},
        ),
        case(
            "one group of two chunks",
            op,
            [long, scale, bias],
            norms.grouped(long, 1, scale, bias, EPSILON),
            {"num_groups": 1},
            [1, 2],
        ),
        case(
            "a group for each channel, another epsilon",
            op,
            [x, scale, bias],
            norms.grouped(x, 4, scale, bias, 0.25),
            {"num_groups": 4, "epsilon": {"float": 0.25}, "stash_type": 1},
        ),
        case(
            "an infinity spoils its group alone",
            op,
            [f32((1, 4, 1), MINUS_INF, 1, 5, 5), scale, bias],
            f32((1, 4, 1), NAN, NAN, 2, 3),
            {"num_groups": 2},
        ),
    ]


def batch_normalization_cases() -> list[Json]:
    """Return the vectors of BatchNormalization."""
    op = "BatchNormalization"
    x, flat_x = spread("float32", (2, 3, 2, 2), 331), spread("float32", (4, 3), 332)
    scale, bias, mean = (spread("float32", (3,), seed) for seed in (333, 334, 335))
    own = (scale, bias, mean)
    variance = f32((3,), 0.5, 3, 100)
    two = [f32((2,), 2, -1), f32((2,), 0, 1), f32((2,), 0, 1), f32((2,), 1, -1)]
    return [
        case(
            "two spatial axes",
            op,
            [x, *own, variance],
            norms.batch(x, scale, bias, mean, variance, EPSILON),
            constants=[1, 2, 3, 4],
        ),
        case(
            "no spatial axis",
            op,
            [flat_x, *own, variance],
            norms.batch(flat_x, scale, bias, mean, variance, EPSILON),
        ),
        case(
            "another epsilon; momentum changes nothing",
            op,
            [x, *own, variance],
            norms.batch(x, scale, bias, mean, variance, 1.5),
            {"epsilon": {"float": 1.5}, "momentum": {"float": 0.5}},
        ),
        case(
            "infinity, NaN, a variance below 0",
            op,
            [f32((2, 2, 1), MINUS_INF, 1, NEGATIVE_NAN, 2), *two],
            f32((2, 2, 1), MINUS_INF, NAN, NAN, NAN),
            {"epsilon": {"float": 0.0}},
        ),
        case(
            "one axis: one channel",
            op,
            [f32((3,), 1, 2, 3), f32((1,), 2), f32((1,), 1), f32((1,), 1), f32((1,), 4)],
            f32((3,), 1, 2, 3),
            {"epsilon": {"float": 0.0}},
        ),
    ]


def mean_variance_normalization_cases() -> list[Json]:
    """Return the vectors of MeanVarianceNormalization."""
    op, epsilon = "MeanVarianceNormalization", as_float32(1e-9)
    x, line = spread("float32", (2, 3, 3, 2), 341), spread("float32", (3, 2, 90), 342)
    return [
        case("all axes but the channels", op, [x], norms.over_channels(x, epsilon)),
        case(
            "axes counted from the back",
            op,
            [line],
            norms.over_channels(line, epsilon),
            {"axes": [-1, 0]},
        ),
        case("a constant slice is 0", op, [f32((1, 2), 3, 3)], f32((1, 2), 0, 0), {"axes": [1]}),
        case("NaN", op, [f32((2, 2), 1, NAN, 1, -1)], f32((2, 2), NAN, NAN, 1, -1), {"axes": [1]}),
    ]


def lrn_cases() -> list[Json]:
    """Return the vectors of LRN."""
    x = spread("float32", (1, 7, 2, 2), 351)
    alpha, beta = as_float32(1e-4), 0.75
    return [
        case("size 5", "LRN", [x], norms.lrn(x, 5, alpha, beta, 1.0), {"size": 5}),
        case(
            "an even size reaches further up",
            "LRN",
            [x],
            norms.lrn(x, 4, 0.5, 0.5, 2.0),
            {"size": 4, "alpha": 0.5, "beta": 0.5, "bias": {"float": 2.0}},
        ),
        case(
            "a size above the channels",
            "LRN",
            [x],
            norms.lrn(x, 30, 3.0, beta, 1.0),
            {"size": 30, "alpha": {"float": 3.0}},
        ),
        case(
            "-0, infinity, NaN",
            "LRN",
            [f32((1, 3, 1), MINUS_ZERO, INF, NAN)],
            f32((1, 3, 1), MINUS_ZERO, NAN, NAN),
            {"size": 1},
        ),
    ]


def log_softmax_cases() -> list[Json]:
    """Return the vectors of LogSoftmax."""
    op = "LogSoftmax"
    logits, middle = spread("float32", (2, 10), 361), spread("float32", (2, 3, 4), 362)
    wide = spread("float32", (1, 600), 363)
    return [
        case("ten classes", op, [logits], norms.log_softmax(logits, 1)),
        case("600 classes make three chunks", op, [wide], norms.log_softmax(wide, 1)),
        case("an inner axis", op, [middle], norms.log_softmax(middle, 1), {"axis": 1}),
        case(
            "one value, signed zeros",
            op,
            [f32((3, 1), MINUS_ZERO, GREATEST, LEAST)],
            f32((3, 1), 0, 0, 0),
        ),
        case(
            "far below the largest, -inf, NaN, +inf",
            op,
            [f32((4, 2), 0, -200, 0, MINUS_INF, 1, NEGATIVE_NAN, INF, 1)],
            f32((4, 2), 0, -200, 0, MINUS_INF, NAN, NAN, NAN, NAN),
        ),
    ]


def dynamic_quantize_linear_cases() -> list[Json]:
    """Return the vectors of DynamicQuantizeLinear, worked by hand."""
    op = "DynamicQuantizeLinear"

    def quantised(name: str, x: Tensor, y: tuple[int, ...], scale: float | str, zero: int) -> Json:
        vector = case(name, op, [x], ints("uint8", x.shape, *y))
        vector["outputs"] += [f32((), scale).json(), ints("uint8", (), zero).json()]
        return vector

    return [
        quantised(
            "scale 1, ties to even", f32((5,), 255, 0.5, 1.5, 2.5, 0), (255, 0, 2, 2, 0), 1, 0
        ),
        quantised("0 is always in range", f32((2,), 127.5, 255), (128, 255), 1, 0),
        quantised("values below 0 alone", f32((2, 1), -255, -1), (0, 254), 1, 255),
        quantised("a zero point that is a tie", f32((3,), -0.5, 254.5, 0), (0, 254, 0), 1, 0),
        quantised(
            "a zero point that is a tie, to even", f32((3,), -1.5, 253.5, 0), (0, 255, 2), 1, 2
        ),
        quantised("nothing but zeros", f32((2,), MINUS_ZERO, 0), (0, 0), 1, 0),
        quantised("a range that vanishes beside 255", f32((2,), LEAST, 0), (0, 0), 1, 0),
        quantised("NaN", f32((3,), NEGATIVE_NAN, 5, INF), (0, 0, 0), NAN, 0),
        quantised("infinity", f32((3,), INF, 5, -5), (0, 0, 0), INF, 0),
        quantised("both infinities", f32((3,), MINUS_INF, 5, INF), (0, 0, 0), INF, 0),
        quantised("a range that overflows", f32((2,), "ff7fffff", GREATEST), (0, 0), INF, 0),
    ]
