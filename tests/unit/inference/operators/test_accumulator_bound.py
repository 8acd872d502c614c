"""Integer operators are refused exactly from the first weight that could overflow an int32."""

import numpy as np
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import NodeView
from cvm.inference.operators.accumulator_bound import largest_distance
from cvm.inference.tensor_type import Array
from tests.unit.inference.operators.nodes import Operand, const, f32, node, spec_of, t

U8, S8 = "uint8", "int8"
UNIT = f32(1)


def weights(total: int, dtype: str = S8) -> Array:
    """Return one column of magnitudes that add up to `total`."""
    full, rest = divmod(total, 127)
    return np.array([127] * full + [rest], dtype).reshape(-1, 1)


def product(b: Operand, depth: int, a_zero: int = 0) -> NodeView:
    return node("MatMulInteger", t(U8, 1, depth), b, const(U8, a_zero))


def convolution(w: Array, bias: Array) -> NodeView:
    x = t(U8, 1, w.shape[1], 1)
    scales = (UNIT, const(U8, 0), w, UNIT, const(S8, 0), UNIT, const(U8, 0))
    return node("QLinearConv", x, *scales, bias)


GREATEST_SUM = (2**31 - 1) // 255
"""The most that |w| may add up to beside uint8 activations whose zero point is 0."""

FITS = weights(GREATEST_SUM)
DOES_NOT = weights(GREATEST_SUM + 1)
REST = 2**31 - 1 - 255 * GREATEST_SUM

ACCEPTED = [
    pytest.param(product(FITS, len(FITS)), id="weights at the bound"),
    pytest.param(product(np.repeat(DOES_NOT, 2, 1), len(DOES_NOT), 128), id="a middle zero point"),
    pytest.param(product(t(S8, 65_793, 1), 65_793), id="two inputs, 65,793 terms"),
    pytest.param(
        convolution(FITS.reshape(1, -1, 1), const("int32", [REST])), id="weights and bias"
    ),
    pytest.param(convolution(FITS.reshape(1, -1, 1), const("int32", [-REST])), id="a bias below 0"),
]


@pytest.mark.parametrize("view", ACCEPTED)
def test_accepts_what_cannot_overflow(view: NodeView) -> None:
    spec_of(view.op_type).parse(view)


REFUSED = [
    pytest.param(product(DOES_NOT, len(DOES_NOT)), "channel 0", id="weights over the bound"),
    pytest.param(
        product(np.concatenate([FITS, FITS, DOES_NOT], 1), len(FITS)),
        "channel 2",
        id="the third column",
    ),
    pytest.param(product(t(S8, 65_794, 1), 65_794), "65794 products", id="two inputs"),
    pytest.param(
        node("MatMulInteger", weights(GREATEST_SUM + 1, U8).T, t(U8, len(DOES_NOT), 1)),
        "channel 0",
        id="constant a",
    ),
    pytest.param(
        convolution(FITS.reshape(1, -1, 1), const("int32", [REST + 1])), "channel 0", id="bias"
    ),
    pytest.param(
        convolution(np.zeros((2, 1, 1), np.int8), const("int32", [0, -(2**31)])),
        "channel 1",
        id="the least bias alone",
    ),
    pytest.param(
        node("ConvInteger", t(U8, 1, 70_000, 1), np.full((1, 70_000, 1), -128, np.int8)),
        "channel 0",
        id="ConvInteger",
    ),
    pytest.param(
        node(
            "MatMulInteger",
            t(S8, 1, 140_000),
            np.zeros((140_000, 1), np.int8),
            None,
            const(S8, 127),
        ),
        "channel 0",
        id="zeros far from their zero point",
    ),
]


@pytest.mark.parametrize(("view", "value"), REFUSED)
def test_refuses_what_could_overflow(view: NodeView, value: str) -> None:
    with pytest.raises(InvalidModel, match=value) as caught:
        spec_of(view.op_type).parse(view)
    assert caught.value.rule == "accumulator bound"


DISTANCES = [
    pytest.param(U8, [0], 255, id="uint8 from 0"),
    pytest.param(U8, [128], 128, id="uint8 from the middle"),
    pytest.param(U8, [100, 10], 245, id="the farther of two"),
    pytest.param(S8, [0], 128, id="int8 from 0"),
    pytest.param(S8, [-128, 127], 255, id="int8 from both ends"),
]


@pytest.mark.parametrize(("dtype", "zeros", "distance"), DISTANCES)
def test_largest_distance(dtype: str, zeros: list[int], distance: int) -> None:
    assert largest_distance(dtype, const("int32", zeros)) == distance


SCALES = [
    pytest.param(0.0, 1.0, 1.0, id="zero"),
    pytest.param(-1.0, 1.0, 1.0, id="negative"),
    pytest.param(float("nan"), 1.0, 1.0, id="NaN"),
    pytest.param(1.0, float("inf"), 1.0, id="infinite"),
    pytest.param(1.0, 1.0, 2.0**-127, id="subnormal"),
    pytest.param(2.0**-100, 2.0**-27, 1.0, id="subnormal product"),
    pytest.param(2.0**-100, 2.0**-27, 2.0**-60, id="subnormal product of a normal quotient"),
    pytest.param(2.0**100, 2.0**100, 2.0**100, id="infinite product of a finite quotient"),
    pytest.param(2.0**-60, 2.0**-60, 2.0**10, id="subnormal quotient"),
    pytest.param(2.0**60, 2.0**60, 2.0**-10, id="infinite quotient"),
]


@pytest.mark.parametrize(("x_scale", "w_scale", "y_scale"), SCALES)
def test_scales_and_their_quotient_are_normal(
    x_scale: float, w_scale: float, y_scale: float
) -> None:
    zero = const(S8, 0)
    view = node(
        "QLinearMatMul",
        *(t(S8, 1, 1), f32(x_scale), zero, t(S8, 1, 1), f32(w_scale), zero, f32(y_scale), zero),
    )
    with pytest.raises(InvalidModel) as caught:
        spec_of("QLinearMatMul").parse(view)
    assert caught.value.rule == "scale"


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 2.0**-127])
@pytest.mark.parametrize("op", ["QuantizeLinear", "DequantizeLinear"])
def test_every_scale_of_an_axis_is_normal(op: str, scale: float) -> None:
    x = t("float32" if op == "QuantizeLinear" else S8, 1, 2)
    with pytest.raises(InvalidModel) as caught:
        spec_of(op).parse(node(op, x, f32(1, scale)))
    assert caught.value.rule == "scale"


PER_ROW = np.ones(3, np.float32)
QUANTISED = [
    pytest.param(1, PER_ROW, id="a scale for each row of a"),
    pytest.param(4, np.ones(2, np.float32), id="scales against the columns"),
    pytest.param(6, PER_ROW, id="a scale of y for each row"),
    pytest.param(7, const(S8, [0, 0, 0]), id="a zero point of y for each row"),
]


@pytest.mark.parametrize(("index", "operand"), QUANTISED)
def test_only_columns_have_their_own_scale(index: int, operand: Array) -> None:
    zero = const(S8, 0)
    operands: list[Operand] = [t(S8, 3, 4), UNIT, zero, t(S8, 4, 5), UNIT, zero, UNIT, zero]
    operands[index] = operand
    with pytest.raises(InvalidModel) as caught:
        spec_of("QLinearMatMul").parse(node("QLinearMatMul", *operands))
    assert caught.value.rule == "operand shape"


@pytest.mark.parametrize("index", [1, 2, 4, 5, 6, 7])
def test_what_requantises_is_constant(index: int) -> None:
    zero = const(S8, 0)
    operands: list[Operand] = [t(S8, 3, 4), UNIT, zero, t(S8, 4, 5), UNIT, zero, UNIT, zero]
    operands[index] = t("float32" if index in (1, 4, 6) else S8)
    with pytest.raises(InvalidModel) as caught:
        spec_of("QLinearMatMul").parse(node("QLinearMatMul", *operands))
    assert caught.value.rule == "constant operand"


@pytest.mark.parametrize("index", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_quantised_convolution_knows_all_but_its_input(index: int) -> None:
    zero, w = const(S8, 0), np.ones((2, 1, 1), np.int8)
    bias = const("int32", [0, 0])
    operands: list[Operand] = [t(S8, 1, 1, 4), UNIT, zero, w, UNIT, zero, UNIT, zero, bias]
    spec_of("QLinearConv").parse(node("QLinearConv", *operands))
    known = operands[index]
    assert isinstance(known, np.ndarray)
    operands[index] = t(str(known.dtype), *known.shape)
    with pytest.raises(InvalidModel) as caught:
        spec_of("QLinearConv").parse(node("QLinearConv", *operands))
    assert caught.value.rule == "constant operand"


def test_an_int32_zero_point_other_than_0_is_refused() -> None:
    view = node("DequantizeLinear", t("int32", 4), UNIT, const("int32", 3))
    with pytest.raises(InvalidModel) as caught:
        spec_of("DequantizeLinear").parse(view)
    assert caught.value.rule == "zero point"
