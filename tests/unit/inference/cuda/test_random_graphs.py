"""Random graphs of every operator give the definition's bytes; so does every kernel on its own."""

import ctypes
import random

import numpy as np
import pytest

from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.fuzz_graphs import drawn_graph
from tests.inference_fuzzer import disagreements, usable_vectors
from tests.unit.inference.cpu.one_node import Inputs, draw, draw_hostile
from tests.unit.inference.cuda.equality import assert_equals_definition
from tests.unit.inference.cuda.shim_device import ShimDevice


@pytest.mark.parametrize("schedule", [0, 2], ids=["forward", "shuffled"])
def test_1_000_random_nodes_agree(shim: ctypes.CDLL, schedule: int) -> None:
    vectors, source = usable_vectors(), random.Random(schedule)
    backend = CudaBackend(ShimDevice(shim, schedule))
    ran, found = 0, []
    while ran < 1_000:
        graph, inputs = drawn_graph(vectors, source, 5)
        ran += len(graph.nodes)
        found += disagreements(graph, inputs, [backend])
    assert [entry.text() for entry in found] == []


INTEGERS = ["int8", "uint8", "int32", "int64"]
DTYPES = ["float32", *INTEGERS]
CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}


def values(seed: int, dtype: str, *shape: int) -> Array:
    if dtype == "bool":
        return draw(seed, "uint8", *shape) > 100
    return draw_hostile(seed, *shape) if dtype == "float32" else draw(seed, dtype, *shape)


def axes(*listed: int) -> Array:
    return np.array(listed, np.int64)


@pytest.mark.parametrize("target", CODES)
@pytest.mark.parametrize("source", CODES)
def test_cast(shim: ctypes.CDLL, source: str, target: str) -> None:
    x = values(1, source, 700)
    assert_equals_definition(shim, "Cast", {"to": CODES[target]}, (x,))
    if source == "float32":
        wide = np.ldexp(draw(2, "float32", 700), 40)
        assert_equals_definition(shim, "Cast", {"to": CODES[target]}, (wide,))


@pytest.mark.parametrize("op", ["Sub", "Div", "Max", "Min", "Less", "GreaterOrEqual", "Equal"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_two_operands(shim: ctypes.CDLL, op: str, dtype: str) -> None:
    pair = (values(1, dtype, 40, 1, 3), values(2, dtype, 50, 1))
    assert_equals_definition(shim, op, {}, pair)


@pytest.mark.parametrize("fmod", [0, 1])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_remainders(shim: ctypes.CDLL, dtype: str, fmod: int) -> None:
    divisors = (draw(2, "int8", 999) // 16).astype(dtype)
    assert_equals_definition(shim, "Mod", {"fmod": fmod}, (values(1, dtype, 999), divisors))


def test_remainders_of_float32(shim: ctypes.CDLL) -> None:
    bits = np.random.default_rng(3).integers(0, 2**32, (2, 5000), np.uint32).view(np.float32)
    assert_equals_definition(shim, "Mod", {"fmod": 1}, (bits[0], bits[1]))


@pytest.mark.parametrize("op", ["Abs", "Neg", "Sign"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "int32", "int64"])
def test_signs(shim: ctypes.CDLL, op: str, dtype: str) -> None:
    limits = [] if dtype == "float32" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    x = np.concatenate([values(4, dtype, 500), np.array(limits, dtype)])
    assert_equals_definition(shim, op, {}, (x,))


FUNCTIONS = [
    *("Acos", "Asin", "Atan", "Cos", "Cosh", "Elu", "Erf", "Exp", "Gelu", "Log", "Mish", "Selu"),
    *("Sigmoid", "Sin", "Sinh", "Softplus", "Tan", "Tanh"),
]


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_of_any_float32(shim: ctypes.CDLL, op: str) -> None:
    rng = np.random.default_rng(5)
    anything = rng.integers(0, 2**32, 3000, np.uint32).view(np.float32)
    near = np.ldexp(rng.standard_normal(3000), rng.integers(-12, 7, 3000)).astype(np.float32)
    assert_equals_definition(shim, op, {}, (np.concatenate([anything, near]),))


def test_powers_of_any_float32(shim: ctypes.CDLL) -> None:
    rng = np.random.default_rng(6)
    base = rng.integers(0, 2**32, 4000, np.uint32).view(np.float32)
    exponent = np.where(rng.random(4000) < 0.5, rng.integers(-9, 9, 4000), rng.normal(0, 4, 4000))
    assert_equals_definition(shim, "Pow", {}, (base, exponent.astype(np.float32)))
    assert_equals_definition(shim, "Pow", {}, (draw_hostile(1, 60, 1), draw_hostile(2, 60)))


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
def test_extremes(shim: ctypes.CDLL, op: str, dtype: str) -> None:
    x = values(7, dtype, 3, 300, 2, 5)
    for listed in ((1,), (0, 2), (1, 2, 3), (0, 1, 2, 3)):
        assert_equals_definition(shim, op, {}, (x, axes(*listed)), {1})


SUMS = ["ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp"]


@pytest.mark.parametrize("op", SUMS)
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_reductions(shim: ctypes.CDLL, op: str, dtype: str) -> None:
    x = draw(8, dtype, 3, 300, 2, 5)
    for listed in ((1,), (0, 2), (1, 2, 3), (3,)):
        assert_equals_definition(shim, op, {}, (x, axes(*listed)), {1})


@pytest.mark.parametrize("select_last_index", [0, 1])
@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int32"])
def test_places_of_extremes(shim: ctypes.CDLL, op: str, dtype: str, select_last_index: int) -> None:
    attributes: dict[str, AttributeValue] = {"select_last_index": select_last_index, "axis": 1}
    assert_equals_definition(shim, op, attributes, (values(9, dtype, 4, 30, 3),))


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_topk(shim: ctypes.CDLL, dtype: str, largest: int) -> None:
    x = values(10, dtype, 3, 90, 4)
    for k in (1, 7, 90):
        inputs = (x, np.array([k], np.int64))
        attributes: dict[str, AttributeValue] = {"axis": 1, "largest": largest}
        assert_equals_definition(shim, "TopK", attributes, inputs, {1}, outputs=2)


MOVES: list[tuple[str, dict[str, AttributeValue], Inputs, set[int]]] = [
    ("Transpose", {"perm": (2, 0, 3, 1)}, (), set()),
    ("Tile", {}, (axes(2, 1, 3, 1),), {1}),
    ("Pad", {"mode": "reflect"}, (axes(1, 0, 2, 1, 0, 2, 1, 3),), {1}),
    ("Pad", {"mode": "constant"}, (axes(1, -1, 2, 0, 0, 2, -1, 3),), {1}),
    ("Expand", {}, (axes(2, 1, 1, 1, 1, 1),), {1}),
    ("Gather", {"axis": 2}, (np.array([[0, -1, 2]], np.int32),), set()),
    ("GatherND", {"batch_dims": 1}, (np.array([[[1, -1]], [[0, 2]]], np.int64),), set()),
    ("Trilu", {"upper": 0}, (), set()),
]


@pytest.mark.parametrize("case", MOVES, ids=lambda case: f"{case[0]} {case[1]}")
@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
def test_movement(
    shim: ctypes.CDLL,
    dtype: str,
    case: tuple[str, dict[str, AttributeValue], Inputs, set[int]],
) -> None:
    op, attributes, others, constants = case
    inputs = (values(11, dtype, 2, 3, 4, 5), *others)
    assert_equals_definition(shim, op, attributes, inputs, constants)
