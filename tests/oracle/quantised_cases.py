"""Vectors of QLinearConv and QLinearMatMul."""

from collections.abc import Sequence

from tests.oracle import operators
from tests.oracle.case import case
from tests.oracle.tensors import Json, Tensor, f32, ints, spread

LONG = 40_000
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def _requantisation(x: float, w: float, y: float, zero: int, dtype: str) -> list[Tensor]:
    """Return y_scale and y_zero after x_scale and w_scale, as four tensors of one element."""
    return [f32((), x), f32((), w), f32((), y), ints(dtype, (), zero)]


def qlinear_matmul_cases() -> list[Json]:
    """Return the vectors of QLinearMatMul."""
    u8, s8 = spread("uint8", (3, 20), 111), spread("int8", (20, 4), 112)
    s8_a, s8_b = spread("int8", (2, 2, 5), 113), spread("int8", (5, 3), 114)
    odd = ints("int8", (5, 1), 1, 3, 5, -1, -3)
    one = ints("int8", (1, 1), 1)
    steps = ints("int8", (4, 1), 127, -128, 1, -1)
    constants = [1, 2, 4, 5, 6, 7]
    return [
        _qlinear_matmul(
            "halves go to the even integer",
            odd,
            one,
            _requantisation(0.5, 1, 1, 0, "int8"),
            0,
            [0],
            (5, 1),
        ),
        _qlinear_matmul(
            "halves beside an odd zero point",
            odd,
            one,
            _requantisation(0.5, 1, 1, 1, "uint8"),
            0,
            [0],
            (5, 1),
        ),
        _qlinear_matmul(
            "saturation at both ends, int8",
            steps,
            ints("int8", (1, 1), 127),
            _requantisation(1, 1, 1, 5, "int8"),
            0,
            [0],
            (4, 1),
        ),
        _qlinear_matmul(
            "saturation at both ends, uint8",
            steps,
            ints("int8", (1, 1), 127),
            _requantisation(1, 1, 1, 128, "uint8"),
            0,
            [0],
            (4, 1),
        ),
        _qlinear_matmul(
            "uint8 by int8",
            u8,
            s8,
            _requantisation(0.02, 0.005, 0.1, 120, "uint8"),
            131,
            [0] * 4,
            (3, 4),
            [*constants, 3],
        ),
        _qlinear_matmul(
            "a scale for each column",
            u8,
            s8,
            [
                f32((), 0.0196),
                f32((4,), 0.001, 0.02, 0.3, 0.0005),
                f32((), 0.37),
                ints("int8", (), -9),
            ],
            7,
            [0, 1, -2, 3],
            (3, 4),
            [*constants, 3],
        ),
        _qlinear_matmul(
            "int8 by int8, a stack",
            s8_a,
            s8_b,
            _requantisation(0.1, 0.1, 2.5, -1, "int8"),
            -3,
            [4] * 3,
            (2, 2, 3),
        ),
        _qlinear_matmul(
            "a sum above 2**24 is rounded to float32 first",
            ints("uint8", (1, 300), *[255] * 300),
            ints("uint8", (300, 1), *[255] * 299, 254),
            _requantisation(2.0**-10, 2.0**-10, 0.15, 0, "uint8"),
            0,
            [0],
            (1, 1),
        ),
        case(
            "a vector by a vector",
            "QLinearMatMul",
            [
                ints("uint8", (2,), 3, 4),
                f32((), 1),
                ints("uint8", (), 1),
                ints("uint8", (2,), 5, 6),
                f32((), 1),
                ints("uint8", (), 2),
                f32((), 2),
                ints("uint8", (), 10),
            ],
            ints("uint8", (), 19),
            constants=constants,
        ),
    ]


def _qlinear_matmul(
    name: str,
    a: Tensor,
    b: Tensor,
    scaling: list[Tensor],
    a_zero: int,
    b_zeros: list[int],
    shape: tuple[int, ...],
    constants: Sequence[int] = (1, 2, 4, 5, 6, 7),
) -> Json:
    """Return a QLinearMatMul vector; `scaling` is a_scale, b_scale, y_scale, y_zero."""
    a_scale, b_scale, y_scale, y_zero = _as_float32(scaling)
    sums = operators.matmul_integer(shape, a, b, [a_zero] * shape[-2], b_zeros)
    factors = _multipliers(a_scale, b_scale, y_scale, shape[-1])
    y = operators.requantised(sums, factors, len(shape) - 1, y_zero.data[0], y_zero.dtype)
    zeros = ints(b.dtype, b_scale.shape, *(b_zeros if b_scale.shape else b_zeros[:1]))
    inputs = [a, a_scale, ints(a.dtype, (), a_zero), b, b_scale, zeros, y_scale, y_zero]
    return case(name, "QLinearMatMul", inputs, y, constants=sorted(constants))


def _as_float32(scaling: list[Tensor]) -> list[Tensor]:
    """Round every decimal scale to the float32 that the file will hold."""
    return [
        Tensor(t.dtype, t.shape, [operators.as_float32(v) for v in t.data])
        if t.dtype == "float32"
        else t
        for t in scaling
    ]


def _multipliers(x: Tensor, w: Tensor, y: Tensor, channels: int) -> list[float]:
    """Return one multiplier per channel."""
    w_scales = w.data if len(w.data) == channels else w.data * channels
    return [operators.multiplier(x.data[0], w_scale, y.data[0]) for w_scale in w_scales]


def qlinear_conv_cases() -> list[Json]:
    """Return the vectors of QLinearConv."""
    x, w = spread("uint8", (1, 4, 5, 5), 121), spread("int8", (4, 2, 3, 3), 122)
    signed, line = spread("int8", (1, 2, 7), 123), spread("int8", (3, 2, 3), 124)
    bias = ints("int32", (4,), 1000, -20000, 0, 77777)
    per_channel = f32((4,), 0.001, 0.02, 0.0003, 0.0075)
    odd, one = ints("int8", (1, 1, 6), 1, 3, 5, -1, -3, -5), ints("int8", (1, 1, 1), 1)
    return [
        _qlinear_conv(
            "padding, bias, a scale for each channel",
            [x, w, bias],
            [f32((), 0.017), per_channel, f32((), 0.4), ints("uint8", (), 119)],
            128,
            [0] * 4,
            (1, 4, 5, 5),
            {"group": 2, "pads": [1, 1, 1, 1]},
            (1, 1),
        ),
        _qlinear_conv(
            "zero points for each channel, strides, dilations",
            [x, w],
            [f32((), 0.017), per_channel, f32((), 0.4), ints("int8", (), -4)],
            7,
            [1, -2, 3, -128],
            (1, 4, 2, 2),
            {"group": 2, "pads": [1, 1, 1, 1], "strides": [2, 2], "dilations": [2, 2]},
            (1, 1),
        ),
        _qlinear_conv(
            "one spatial axis, int8",
            [signed, line],
            _requantisation(0.05, 0.01, 0.3, 0, "int8"),
            -1,
            [0],
            (1, 3, 4),
            {"pads": [1, 1], "strides": [2]},
            (1,),
        ),
        _qlinear_conv(
            "halves go to the even integer",
            [odd, one],
            _requantisation(1, 0.5, 1, 0, "int8"),
            0,
            [0],
            (1, 1, 6),
            {},
            (0,),
        ),
        _qlinear_conv(
            "the bias decides a half",
            [odd, one, ints("int32", (1,), 2)],
            _requantisation(1, 0.5, 1, 3, "uint8"),
            0,
            [0],
            (1, 1, 6),
            {},
            (0,),
        ),
        _qlinear_conv(
            "saturation at both ends",
            [
                ints("int8", (1, 1, 4), -128, 127, 100, -100),
                ints("int8", (1, 1, 1), 127),
                ints("int32", (1,), 2**24 + 1),
            ],
            _requantisation(1, 0.03125, 4096, 1, "int8"),
            0,
            [0],
            (1, 1, 4),
            {},
            (0,),
        ),
        _qlinear_conv(
            "the greatest bias and the least multiplier",
            [
                ints("uint8", (1, 1, 2), 0, 255),
                ints("uint8", (2, 1, 1), 0, 255),
                ints("int32", (2,), INT32_MIN + 1, INT32_MAX - 65025),
            ],
            [f32((), 2.0**-60), f32((2,), 2.0**-66, 2.0**100), f32((), 1), ints("int8", (), 7)],
            0,
            [0, 0],
            (1, 2, 2),
            {},
            (0,),
        ),
    ]


def _qlinear_conv(
    name: str,
    operands: list[Tensor],
    scaling: list[Tensor],
    x_zero: int,
    w_zeros: list[int],
    shape: tuple[int, ...],
    attributes: dict[str, object],
    begin: tuple[int, ...],
) -> Json:
    """Return a QLinearConv vector; `operands` is x, w and maybe bias, `scaling` as above."""
    x, w = operands[:2]
    x_scale, w_scale, y_scale, y_zero = _as_float32(scaling)
    ones = (1,) * len(begin)
    strides, dilations = attributes.get("strides", ones), attributes.get("dilations", ones)
    group = attributes.get("group", 1)
    assert isinstance(strides, list | tuple)
    assert isinstance(dilations, list | tuple)
    assert isinstance(group, int)
    spread_zeros = w_zeros if len(w_zeros) == shape[1] else w_zeros * shape[1]
    sums = operators.conv_integer(
        shape, x, w, x_zero, spread_zeros, strides, begin, dilations, group
    )
    if len(operands) > 2:
        added = operators.add(shape, sums, Tensor("int32", (shape[1], *ones), operands[2].data))
        sums = added
    factors = _multipliers(x_scale, w_scale, y_scale, shape[1])
    y = operators.requantised(sums, factors, 1, y_zero.data[0], y_zero.dtype)
    zeros = ints(w.dtype, w_scale.shape, *(spread_zeros if w_scale.shape else w_zeros[:1]))
    inputs = [
        x,
        x_scale,
        ints(x.dtype, (), x_zero),
        w,
        w_scale,
        zeros,
        y_scale,
        y_zero,
        *operands[2:],
    ]
    return case(name, "QLinearConv", inputs, y, attributes, range(1, len(inputs)))
