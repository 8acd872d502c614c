"""Definitions on drawn values equal the scalar oracle on exact fractions, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.operators.convolution import BLOCK
from cvm.inference.tensor_type import Array
from tests.oracle import float32, operators
from tests.oracle.tensors import Tensor, spread
from tests.unit.inference.operators.nodes import const, node, run_node, t

ANY_FLOAT = st.floats(width=32)
SETTINGS = settings(max_examples=150, derandomize=True, deadline=None)


def array_of(tensor: Tensor) -> Array:
    return np.array(tensor.data, tensor.dtype).reshape(tensor.shape)


def tensor_of(array: Array) -> Tensor:
    return Tensor(str(array.dtype), array.shape, array.reshape(-1).tolist())


def same(result: Array, expected: Tensor) -> bool:
    """Compare bits; every NaN is one value."""
    if result.dtype != np.float32:
        return bool(result.reshape(-1).tolist() == expected.data)
    bits = [float32.to_bits(value) for value in result.reshape(-1).tolist()]
    return bits == [float32.to_bits(value) for value in expected.data]


def floats(data: st.DataObject, *shape: int) -> Array:
    size = int(np.prod(shape))
    values = data.draw(st.lists(ANY_FLOAT, min_size=size, max_size=size))
    return np.array(values, np.float32).reshape(shape)


def bytes_of(data: st.DataObject, dtype: str, *shape: int) -> Array:
    size = int(np.prod(shape))
    return np.frombuffer(data.draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


@given(st.data())
@SETTINGS
def test_matmul(data: st.DataObject) -> None:
    a, b = floats(data, 2, 5), floats(data, 5, 2)
    result = run_node(node("MatMul", t("float32", 2, 5), t("float32", 5, 2)), a, b)
    assert same(result, operators.matmul((2, 2), tensor_of(a), tensor_of(b)))


@given(st.data())
@SETTINGS
def test_convolution_with_padding(data: st.DataObject) -> None:
    x = floats(data, 1, 2, 4)
    w = np.nan_to_num(floats(data, 2, 1, 3))
    view = node("Conv", t("float32", 1, 2, 4), w, attributes={"group": 2, "pads": (1, 2)})
    expected = operators.conv((1, 2, 5), tensor_of(x), tensor_of(w), None, (1,), (1,), (1,), 2)
    assert same(run_node(view, x, w), expected)


@given(st.data())
@SETTINGS
def test_pools(data: st.DataObject) -> None:
    x = floats(data, 1, 1, 5)
    attributes = {"kernel_shape": (3,), "strides": (2,), "pads": (1, 1)}
    window = ((3,), (2,), (1, 1), (1,))
    tensor = tensor_of(x)
    largest = run_node(node("MaxPool", t("float32", 1, 1, 5), attributes=attributes), x)
    assert same(largest, operators.max_pool((1, 1, 3), tensor, *window))
    average = run_node(node("AveragePool", t("float32", 1, 1, 5), attributes=attributes), x)
    assert same(average, operators.average_pool((1, 1, 3), tensor, *window))


@given(st.data())
@SETTINGS
def test_softmax(data: st.DataObject) -> None:
    x = floats(data, 2, 3)
    result = run_node(node("Softmax", t("float32", 2, 3)), x)
    assert same(result, operators.softmax(tensor_of(x), 1))


@given(st.data(), st.integers(-128, 127), st.floats(2.0**-126, 2.0**127, width=32))
@SETTINGS
def test_quantise_and_back(data: st.DataObject, zero: int, scale: float) -> None:
    x = floats(data, 4)
    constants = np.array(scale, np.float32), const("int8", zero)
    q = run_node(node("QuantizeLinear", t("float32", 4), *constants), x, *constants)
    assert same(q, operators.quantize(tensor_of(x), [scale], [zero], None, "int8"))
    y = run_node(node("DequantizeLinear", t("int8", 4), *constants), q, *constants)
    assert same(y, operators.dequantize(tensor_of(q), [scale], [zero], None))


@given(st.data(), st.integers(0, 255), st.integers(-128, 127), st.floats(2.0**-40, 4, width=32))
@SETTINGS
def test_quantised_product(data: st.DataObject, za: int, zb: int, scale: float) -> None:
    a, b = bytes_of(data, "uint8", 2, 6), bytes_of(data, "int8", 6, 2)
    one, factor = np.array(1, np.float32), np.array(scale, np.float32)
    a_zero, b_zero, y_zero = const("uint8", za), const("int8", zb), const("uint8", 100)
    operands = (one, a_zero, b, factor, b_zero, one, y_zero)
    view = node("QLinearMatMul", t("uint8", 2, 6), *operands)
    sums = operators.matmul_integer((2, 2), tensor_of(a), tensor_of(b), [za] * 2, [zb] * 2)
    expected = operators.requantised(sums, [scale] * 2, 1, 100, "uint8")
    assert same(run_node(view, a, *operands), expected)


@pytest.mark.parametrize("op", ["Add", "Mul"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_integers_wrap_without_a_warning(op: str, dtype: str) -> None:
    greatest = const(dtype, np.iinfo(dtype).max)
    rule = operators.add if op == "Add" else operators.mul
    result = run_node(node(op, t(dtype), t(dtype)), greatest, greatest)
    assert same(result, rule((), tensor_of(greatest), tensor_of(greatest)))


def test_more_outputs_than_a_block_change_nothing() -> None:
    channels = 3 * BLOCK // 64
    x, w = spread("float32", (1, 2, 8, 8), 1), spread("float32", (channels, 2, 1, 1), 2)
    whole = run_node(node("Conv", t("float32", 1, 2, 8, 8), array_of(w)), array_of(x), array_of(w))
    for channel in (0, channels // 2, channels - 1):
        one = array_of(w)[channel : channel + 1]
        part = run_node(node("Conv", t("float32", 1, 2, 8, 8), one), array_of(x), one)
        assert same(whole[:, channel : channel + 1], tensor_of(part))


def test_rows_of_a_large_product_stand_alone() -> None:
    a, b = array_of(spread("float32", (70, 3), 3)), array_of(spread("float32", (3, 500), 4))
    assert a.shape[0] * b.shape[1] > 2 * BLOCK
    whole = run_node(node("MatMul", t("float32", 70, 3), t("float32", 3, 500)), a, b)
    for row in (0, 33, 69):
        part = run_node(
            node("MatMul", t("float32", 1, 3), t("float32", 3, 500)), a[row : row + 1], b
        )
        assert same(whole[row : row + 1], tensor_of(part))


def test_the_order_of_a_long_product_is_visible() -> None:
    """The golden vector of 600 terms tells the rule from everything that is nearly it."""
    a, b = spread("float32", (2, 600), 11), spread("float32", (600, 3), 12)
    places = [(row, column) for row in range(2) for column in range(3)]
    pairs = [operators.product_pairs(a, b, place) for place in places]
    ruled = [operators.dot(terms) for terms in pairs]
    assert [operators.exact_dot(terms) for terms in pairs] != ruled
    assert [operators.unfused_dot(terms) for terms in pairs] != ruled
    assert [operators.dot(terms[::-1]) for terms in pairs] != ruled
    in_float64 = array_of(a).astype(np.float64) @ array_of(b).astype(np.float64)
    assert in_float64.astype(np.float32).reshape(-1).tolist() != ruled
