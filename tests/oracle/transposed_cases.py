"""Vectors of ConvTranspose, on exact fractions."""

from collections.abc import Sequence

from tests.oracle import float32
from tests.oracle.case import case
from tests.oracle.elementwise_cases import INF, LEAST, MINUS_ZERO, NAN
from tests.oracle.operators import dot
from tests.oracle.tensors import Json, Tensor, f32, filled, indices, spread

Sizes = Sequence[int]


def conv_transpose(
    shape: Sizes,
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    strides: Sizes,
    pads_begin: Sizes,
    dilations: Sizes,
    group: int = 1,
) -> Tensor:
    """Gather each output from the inputs that reach it."""
    depth, maps = x.shape[1] // group, w.shape[1]

    def one(index: tuple[int, ...]) -> float:
        batch, channel, *place = index
        first = channel // maps * depth
        pairs = []
        for c in range(first, first + depth):
            for tap in indices(w.shape[2:]):
                position = []
                for o, t, s, p, d, n in zip(
                    place, tap, strides, pads_begin, dilations, x.shape[2:], strict=True
                ):
                    distance = o + p - t * d
                    if distance % s == 0 and 0 <= distance // s < n:
                        position.append(distance // s)
                if len(position) == len(place):
                    pairs.append((x.at((batch, c, *position)), w.at((c, channel % maps, *tap))))
        total = dot(pairs)
        return total if bias is None else float32.add(total, bias.data[channel])

    return filled("float32", shape, one)


def conv_transpose_cases() -> list[Json]:
    """Return the vectors of ConvTranspose."""
    op = "ConvTranspose"
    x, w = spread("float32", (1, 4, 3, 4), 401), spread("float32", (4, 3, 3, 3), 402)
    bias = spread("float32", (3,), 403)
    line, line_w = spread("float32", (2, 2, 5), 404), spread("float32", (2, 1, 4), 405)
    cube, cube_w = spread("float32", (1, 1, 2, 2, 2), 406), spread("float32", (1, 2, 2, 1, 2), 407)
    pair_w = spread("float32", (4, 2, 2, 2), 408)

    def made(name: str, y: Tensor, inputs: list[Tensor], **attributes: object) -> Json:
        return case(name, op, inputs, y, attributes, [1])

    def two(shape: Sizes, strides: Sizes, pads: Sizes, dilations: Sizes) -> Tensor:
        return conv_transpose(shape, x, w, bias, strides, pads, dilations)

    return [
        made("stride 1", two((1, 3, 5, 6), (1, 1), (0, 0), (1, 1)), [x, w, bias]),
        made(
            "stride 2, padded",
            two((1, 3, 6, 8), (2, 2), (1, 1), (1, 1)),
            [x, w, bias],
            strides=[2, 2],
            pads=[1, 1, 0, 0],
        ),
        made(
            "output_padding, dilations",
            two((1, 3, 10, 12), (2, 3), (1, 0), (3, 1)),
            [x, w, bias],
            strides=[2, 3],
            dilations=[3, 1],
            pads=[1, 0, 1, 1],
            output_padding=[1, 1],
        ),
        made(
            "output_shape: the odd position is cut at the beginning, none is left to cut",
            two((1, 3, 6, 12), (2, 2), (1, 0), (1, 1)),
            [x, w, bias],
            strides=[2, 2],
            output_shape=[6, 12],
        ),
        made(
            "SAME_UPPER: the odd position is cut at the end",
            two((1, 3, 6, 4), (2, 1), (0, 1), (1, 1)),
            [x, w, bias],
            strides=[2, 1],
            auto_pad="SAME_UPPER",
        ),
        made(
            "SAME_LOWER",
            two((1, 3, 6, 4), (2, 1), (1, 1), (1, 1)),
            [x, w, bias],
            strides=[2, 1],
            auto_pad="SAME_LOWER",
        ),
        made(
            "two groups without a bias, a kernel below the stride",
            conv_transpose((1, 4, 8, 11), x, pair_w, None, (3, 3), (0, 0), (1, 1), 2),
            [x, pair_w],
            strides=[3, 3],
            group=2,
        ),
        made(
            "one spatial axis, two items",
            conv_transpose((2, 1, 11), line, line_w, None, (2,), (1,), (1,)),
            [line, line_w],
            strides=[2],
            pads=[1, 0],
        ),
        made(
            "three spatial axes",
            conv_transpose((1, 2, 4, 2, 3), cube, cube_w, None, (2, 1, 1), (0, 0, 0), (1, 1, 1)),
            [cube, cube_w],
            strides=[2, 1, 1],
        ),
        made(
            "infinity, NaN, -0 by underflow",
            f32((1, 1, 6), INF, "ff800000", NAN, NAN, 0, MINUS_ZERO),
            [f32((1, 1, 3), INF, NAN, LEAST), f32((1, 1, 2), 0.5, -0.5)],
            strides=[2],
        ),
    ]
