"""Functions, activations, comparisons, choices and casts have the definition's bits."""

import numpy as np
import pytest

from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import (
    HOSTILE,
    assert_equals_definition,
    draw,
    draw_hostile,
)

LEVEL = LEVELS[-1]
"""These kernels are the same at every level."""

Attributes = dict[str, AttributeValue]

F = np.float32
UNARY: list[tuple[str, Attributes]] = [
    *((op, {}) for op in ("Abs", "Acos", "Asin", "Atan", "Ceil", "Cos", "Cosh", "Erf", "Exp")),
    *((op, {}) for op in ("Floor", "HardSwish", "IsInf", "IsNaN", "Log", "Mish", "Neg")),
    *((op, {}) for op in ("Reciprocal", "Round", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus")),
    *((op, {}) for op in ("Softsign", "Sqrt", "Tan", "Tanh", "Celu", "Elu", "Selu", "Gelu")),
    ("Celu", {"alpha": F(-0.3)}),
    ("Elu", {"alpha": F(2.5)}),
    ("Gelu", {"approximate": "tanh"}),
    ("HardSigmoid", {"alpha": F(0.7), "beta": F(-0.1)}),
    ("IsInf", {"detect_negative": 0}),
    ("LeakyRelu", {"alpha": F(0.3)}),
    ("Selu", {"alpha": F(0.3), "gamma": F(-2)}),
    ("ThresholdedRelu", {"alpha": F(-0.5)}),
]


def any_floats(seed: int) -> Array:
    """Return float32 of every magnitude, and 3,000 around the places where rules change."""
    rng = np.random.default_rng(seed)
    anything = rng.integers(0, 2**32, 20_000, dtype=np.uint32)
    places = [2.0**-10, 0.41421357, 0.70710677, 1, 1.4142135, 2.4142135, 4, 9.01, 88.72, 104, 2**15]
    starts = np.array(places, np.float32).view(np.uint32)
    near = (starts[:, None] + rng.integers(-100, 100, (1, 300))).astype(np.uint32)
    bits = np.concatenate([anything, near.reshape(-1), near.reshape(-1) | np.uint32(1 << 31)])
    return bits.view(np.float32)


@pytest.mark.parametrize(
    ("op", "attributes"), UNARY, ids=[f"{op} {' '.join(a)}".strip() for op, a in UNARY]
)
def test_unary(op: str, attributes: Attributes) -> None:
    for x in (any_floats(1), draw(2, "float32", 20_000), HOSTILE.copy(), draw(3, "float32")):
        assert_equals_definition(LEVEL, op, attributes, [x])


BROADCASTS = [
    pytest.param((50, 6), (50, 6), id="same shape"),
    pytest.param((2, 3, 4, 5), (3, 1, 5), id="two axes repeat"),
    pytest.param((3, 1, 5, 1), (2, 1, 4, 1, 7), id="both repeat"),
    pytest.param((), (4, 7), id="scalar first"),
    pytest.param((4, 7), (1,), id="one value second"),
    pytest.param((2, 1, 3, 1, 2, 1), (1, 2, 1, 3, 1, 2), id="six axes, nothing merges"),
    pytest.param((0, 5), (5,), id="no elements"),
]
INTEGERS = ["int8", "uint8", "int32", "int64"]
COMPARISONS = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]


@pytest.mark.parametrize("op", ["Sub", "Div", "Pow", "Max", "Min", "Sum", "Mean", *COMPARISONS])
@pytest.mark.parametrize(("a", "b"), BROADCASTS)
def test_binary_of_floats(op: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert_equals_definition(LEVEL, op, {}, [draw_hostile(4, *a), draw_hostile(5, *b)])
    assert_equals_definition(LEVEL, op, {}, [draw(6, "float32", *a), draw(7, "float32", *b)], {1})


@pytest.mark.parametrize("op", ["Sub", "Div", "Mod", "Max", "Min", *COMPARISONS])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_binary_of_integers(op: str, dtype: str) -> None:
    a, b = draw(8, dtype, 9, 1, 7), draw(9, dtype, 8, 7)
    b[0] = 0
    assert_equals_definition(LEVEL, op, {}, [a, b])
    assert_equals_definition(LEVEL, op, {}, [a, a], {1})


@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits(op: str, dtype: str) -> None:
    operands = [draw(10, dtype, 4, 5), draw(11, dtype, 5)]
    assert_equals_definition(LEVEL, op, {}, operands[:1] if op == "BitwiseNot" else operands)


@pytest.mark.parametrize("op", ["And", "Or", "Xor", "Not", "Equal"])
def test_logic(op: str) -> None:
    operands = [draw(12, "int8", 4, 5) > 0, draw(13, "int8", 5) > 0]
    assert_equals_definition(LEVEL, op, {}, operands[:1] if op == "Not" else operands)


@pytest.mark.parametrize("op", ["Max", "Min", "Sum", "Mean"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_several_inputs_fold_in_their_order(op: str, count: int) -> None:
    shapes = [(7, 1), (3, 1, 5), (), (7, 5), (1,)]
    inputs = [draw_hostile(14 + i, *shape) for i, shape in enumerate(shapes[:count])]
    assert_equals_definition(LEVEL, op, {}, inputs)
    assert_equals_definition(LEVEL, op, {}, inputs[::-1], {0})


@pytest.mark.parametrize("slope", [(), (3, 1, 1), (4,), (2, 3, 4, 4), (3, 4, 1)], ids=str)
def test_prelu(slope: tuple[int, ...]) -> None:
    for draw_floats in (draw_hostile, lambda seed, *shape: draw(seed, "float32", *shape)):
        inputs = [draw_floats(19, 2, 3, 4, 4), draw_floats(20, *slope)]
        assert_equals_definition(LEVEL, "PRelu", {}, inputs)
    inputs = [draw(21, "int64", 2, 3, 4, 4), draw(22, "int64", *slope)]
    assert_equals_definition(LEVEL, "PRelu", {}, inputs)


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, 0, np.nan, np.inf, -2.5])
def test_power_by_a_constant(exponent: float) -> None:
    inputs = [any_floats(23), np.array(exponent, np.float32)]
    assert_equals_definition(LEVEL, "Pow", {}, inputs, {1})


def test_power_of_anything() -> None:
    x = np.concatenate([any_floats(24), np.abs(draw(25, "float32", 20_000))])
    y = np.concatenate([any_floats(26), draw(27, "float32", 20_000)])
    assert_equals_definition(LEVEL, "Pow", {}, [x, y])
    whole = np.concatenate([draw(26, "int8", len(x) - 900), draw(27, "int32", 900)])
    assert_equals_definition(LEVEL, "Pow", {}, [x, whole.astype(np.float32)])


@pytest.mark.parametrize("base", ["float32", "int32", "int64"])
@pytest.mark.parametrize("exponent", ["float32", *INTEGERS])
def test_power_of_dtypes(base: str, exponent: str) -> None:
    assert_equals_definition(LEVEL, "Pow", {}, [draw(28, base, 9, 1), draw(29, exponent, 20)])


@pytest.mark.parametrize("fmod", [0, 1])
def test_remainders_with_either_sign(fmod: int) -> None:
    inputs = [draw(30, "int32", 300), draw(31, "int8", 300).astype(np.int32)]
    assert_equals_definition(LEVEL, "Mod", {"fmod": fmod}, inputs)
    if fmod:
        floats = [any_floats(32), any_floats(33)]
        assert_equals_definition(LEVEL, "Mod", {"fmod": 1}, floats)


SELECTED = [
    pytest.param((4, 5), (4, 5), (4, 5), id="same shape"),
    pytest.param((4, 5), (), (4, 5), id="a scalar"),
    pytest.param((4, 5), (4, 5), (1,), id="another scalar"),
    pytest.param((), (4, 5), (5,), id="a scalar condition"),
    pytest.param((2, 1, 3, 1), (2, 3, 4), (1, 2, 1, 4), id="all repeat"),
    pytest.param((0,), (1,), (), id="no elements"),
]


@pytest.mark.parametrize("dtype", ["float32", *INTEGERS, "bool"])
@pytest.mark.parametrize(("c", "a", "b"), SELECTED)
def test_where(dtype: str, c: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> None:
    condition = draw(34, "int8", *c) > 0
    if dtype == "bool":
        operands = [draw(35, "int8", *a) > 0, draw(36, "int8", *b) > 0]
    elif dtype == "float32":
        operands = [draw_hostile(35, *a), draw_hostile(36, *b)]
    else:
        operands = [draw(35, dtype, *a), draw(36, dtype, *b)]
    assert_equals_definition(
        LEVEL, "Where", {}, [np.asarray(condition), *map(np.asarray, operands)]
    )


CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}


@pytest.mark.parametrize("source", CODES)
@pytest.mark.parametrize("target", CODES)
def test_casts(source: str, target: str) -> None:
    if source == "float32":
        edges = np.array([2.0**p for p in (7, 8, 31, 32, 63, 64)], np.float32).view(np.uint32)
        near = (edges[:, None] + np.arange(-3, 4)).astype(np.uint32).view(np.float32).reshape(-1)
        x = np.concatenate([any_floats(37), draw(38, "float32", 900), HOSTILE, near, -near])
    elif source == "bool":
        x = draw(39, "int8", 300) > 0
    else:
        x = draw(40, source, 900)
    assert_equals_definition(LEVEL, "Cast", {"to": CODES[target]}, [x])
    like = np.zeros((2, 1), target)
    assert_equals_definition(LEVEL, "CastLike", {}, [x, like])


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts(direction: str) -> None:
    inputs = [draw(41, "uint8", 30, 1), draw(42, "uint8", 30) % np.uint8(12)]
    assert_equals_definition(LEVEL, "BitShift", {"direction": direction}, inputs)


@pytest.mark.parametrize("op", ["Abs", "Neg", "Sign"])
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_unary_of_integers(op: str, dtype: str) -> None:
    x = draw(43, dtype, 300)
    x[0] = np.iinfo(dtype).min
    assert_equals_definition(LEVEL, op, {}, [x])
