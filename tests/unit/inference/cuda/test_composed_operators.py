"""Operators of several launches: transposed convolutions, recurrent layers, Einsum, norms."""

import ctypes

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvm.inference.graph import AttributeValue
from cvm.inference.operators.recurrent_activations import KINDS
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import draw, draw_hostile
from tests.unit.inference.cuda.equality import assert_equals_definition

EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = {"LSTM": 3, "GRU": 2, "RNN": 1}


def layer(
    op: str, seed: int, sequence: int, batch: int, hidden: int, passes: int
) -> list[Array | None]:
    """Return x, w, r, bias, no lengths, and the first states."""
    columns = GATES[op] * hidden
    shapes = [
        (sequence, batch, 5),
        (passes, columns, 5),
        (passes, columns, hidden),
        (passes, 2 * columns),
    ]
    x, w, r, bias = (draw(seed + i, "float32", *shape) / 8 for i, shape in enumerate(shapes))
    states = [draw(seed + 9 + i, "float32", passes, batch, hidden) / 4 for i in range(2)]
    return [x, w, r, bias, None, *states[: 2 if op == "LSTM" else 1]]


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op", GATES)
def test_recurrent_layers(shim: ctypes.CDLL, op: str, direction: str) -> None:
    passes = 2 if direction == "bidirectional" else 1
    inputs = layer(op, 1, 4, 3, 7, passes)
    attributes: dict[str, AttributeValue] = {"direction": direction, "hidden_size": 7}
    outputs = 3 if op == "LSTM" else 2
    assert_equals_definition(shim, op, attributes, inputs, {1, 2}, outputs=outputs)
    inputs[3] = None
    inputs[4] = np.array([2, 4, 1], np.int32)
    attributes["clip"] = np.float32(0.25)
    assert_equals_definition(shim, op, attributes, inputs, {1, 2, 4}, outputs=outputs)


@pytest.mark.parametrize("schedule", [0, 1, 2], ids=["forward", "backward", "shuffled"])
@pytest.mark.parametrize("op", GATES)
def test_a_state_wider_than_a_block(shim: ctypes.CDLL, op: str, schedule: int) -> None:
    inputs = layer(op, 2, 2, 1, 300, 1)
    assert_equals_definition(shim, op, {}, inputs, {1, 2}, schedule, outputs=2)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("op", GATES)
def test_activations(shim: ctypes.CDLL, op: str, name: str) -> None:
    inputs = layer(op, 3, 2, 2, 6, 1)
    attributes: dict[str, AttributeValue] = {"activations": (name,) * FUNCTIONS[op]}
    if op == "GRU":
        attributes["linear_before_reset"] = 1
    if name == "ScaledTanh":
        factors = (np.float32(1.25),) * FUNCTIONS[op]
        attributes |= {"activation_alpha": factors, "activation_beta": factors}
    if op == "LSTM":
        inputs.append(draw(4, "float32", 1, 18))
    assert_equals_definition(shim, op, attributes, inputs, {1, 2}, outputs=2)


@EXAMPLES
@given(
    axes=st.lists(
        st.tuples(*[st.integers(1, 4)] * 3, st.integers(1, 2), st.integers(0, 2)),
        min_size=1,
        max_size=3,
    ),
    group=st.integers(1, 2),
    maps=st.integers(1, 3),
    has_bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_conv_transpose(
    shim: ctypes.CDLL,
    axes: list[tuple[int, int, int, int, int]],
    group: int,
    maps: int,
    has_bias: bool,
    seed: int,
) -> None:
    lengths, kernel, strides, dilations, pads = zip(*axes, strict=True)
    lengths = tuple(length + 3 for length in lengths)
    kernel = tuple(k + pad for k, pad in zip(kernel, pads, strict=True))
    x = draw_hostile(seed, 2, 2 * group, *lengths)
    w = draw(seed + 1, "float32", 2 * group, maps, *kernel)
    bias = draw(seed + 2, "float32", maps * group) if has_bias else None
    attributes: dict[str, AttributeValue] = {
        "group": group,
        "strides": strides,
        "dilations": dilations,
        "pads": (*pads, *(0,) * len(pads)),
    }
    assert_equals_definition(shim, "ConvTranspose", attributes, (x, w, bias), {1})


EQUATIONS = [
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("ij,jk->ki", (40, 37), (37, 50)),
    ("i,j->ji", (4,), (5,)),
    ("abc,cab->b", (2, 3, 4), (4, 2, 3)),
]


@pytest.mark.parametrize(("equation", "a", "b"), EQUATIONS)
def test_einsum(shim: ctypes.CDLL, equation: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    operands = (draw(1, "float32", *a), draw(2, "float32", *b))
    assert_equals_definition(shim, "Einsum", {"equation": equation}, operands)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_a_zero_point_that_a_run_computes(shim: ctypes.CDLL, dtype: str) -> None:
    a, b = draw(1, dtype, 2, 33, 20), draw(2, "int8", 20, 40)
    for zero in (0, 7, np.iinfo(dtype).max):
        inputs = (a, b, np.array(zero, dtype), draw(3, "int8", 40))
        assert_equals_definition(shim, "MatMulInteger", {}, inputs, {1, 3})


@pytest.mark.parametrize("is_hostile", [False, True], ids=["ordinary", "hostile"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_layer_normalization(shim: ctypes.CDLL, axis: int, is_hostile: bool) -> None:
    shape = (2, 3, 300)
    x = draw_hostile(1, *shape) if is_hostile else draw(1, "float32", *shape)
    scale, bias = draw(2, "float32", 300), draw(3, "float32", 3, 1)
    attributes: dict[str, AttributeValue] = {"axis": axis}
    assert_equals_definition(shim, "LayerNormalization", attributes, (x, scale, bias), outputs=3)
    assert_equals_definition(shim, "LayerNormalization", attributes, (x, scale))


@pytest.mark.parametrize("listed", [(0, 2, 3), (1,), (0, 1, 2, 3), ()], ids=str)
def test_mean_variance(shim: ctypes.CDLL, listed: tuple[int, ...]) -> None:
    x = draw(5, "float32", 2, 3, 20, 17)
    assert_equals_definition(shim, "MeanVarianceNormalization", {"axes": listed}, (x,))
