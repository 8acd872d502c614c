"""Weights that a file makes by nodes are made once, within the memory that the graph may take."""

import tracemalloc
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cvm.inference.backends import early_nodes
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.early_nodes import with_early_values
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items, trace_items
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from tests.unit.inference.onnx_models import encoded, model_of, value

WIDTH = 128
"""A product of (1, 128) by (128, 128) reads more than planning works out by itself."""


def filled(name: str, number: float, dtype: str = "float32") -> onnx.NodeProto:
    one = numpy_helper.from_array(np.array([number], dtype))
    return helper.make_node("ConstantOfShape", ["square"], [name], value=one)


def products(*extra: onnx.NodeProto, weights: dict[str, Array] | None = None) -> Model:
    """Return y = (x a) b, a and b made by `extra`."""
    nodes = [
        *extra,
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("MatMul", ["h", "b"], ["y"]),
    ]
    shape = {"square": np.array([WIDTH, WIDTH], np.int64)}
    row = (1, WIDTH)
    return parse_model(
        encoded(model_of(nodes, [value("x", row)], [value("y", row)], shape | (weights or {})))
    )


EIGHT_BITS: dict[str, Array] = {
    "q": (np.arange(WIDTH * WIDTH) % 251 - 125).astype(np.int8).reshape(WIDTH, WIDTH),
    "scale": np.array(0.125, np.float32),
    "swap": np.array([1, 0], np.int64),
}
MODELS = [
    pytest.param(lambda: products(filled("a", 0.5), filled("b", -3.0)), id="filled"),
    pytest.param(
        lambda: products(
            filled("a", 0.5), helper.make_node("Transpose", ["a"], ["b"], perm=[1, 0])
        ),
        id="filled and turned",
    ),
    pytest.param(
        lambda: products(
            helper.make_node("DequantizeLinear", ["q", "scale"], ["a"]),
            helper.make_node("Identity", ["a"], ["b"]),
            weights=EIGHT_BITS,
        ),
        id="8 bits",
    ),
    pytest.param(
        lambda: products(
            filled("i", 3, "int8"),
            helper.make_node("Cast", ["i"], ["a"], to=TensorProto.FLOAT),
            filled("b", 2.0),
        ),
        id="converted",
    ),
]


@pytest.mark.parametrize("build", MODELS)
def test_a_weight_made_of_constants_becomes_a_constant(build: object) -> None:
    assert callable(build)
    model = build()
    early = with_early_values(model.graph)
    assert [node.spec.name for node in early.nodes] == ["MatMul", "MatMul"]
    assert all(node.view.constant_at(1) is not None for node in early.nodes)


@pytest.mark.parametrize("build", MODELS)
def test_the_bytes_and_the_trace_are_those_of_the_definition(build: object) -> None:
    assert callable(build)
    model = build()
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32).reshape(1, WIDTH)
    data = encode_tensors([x])
    plan = CpuBackend().plan(model.graph)
    wanted = trace_items(ReferenceBackend().plan(model.graph), model, data)
    assert run_items(plan, model, data) == wanted[0]
    assert trace_items(plan, model, data) == wanted


def test_what_an_input_can_change_stays() -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "t"], ["y"]),
    ]
    model = parse_model(encoded(model_of(nodes, [value("x", (1, 4))], [value("y", (1, 1))])))
    assert with_early_values(model.graph) is model.graph


def test_an_output_of_the_graph_is_made_in_every_run() -> None:
    nodes = [filled("y", 2.0)]
    shape = {"square": np.array([1, 4], np.int64)}
    model = parse_model(encoded(model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))], shape)))
    assert with_early_values(model.graph) is model.graph


def chain_of_weights(order: list[int]) -> Model:
    """Return h8 = h0 w0 w1 ..., the weights of `order` made first and the others where read."""
    nodes = [filled(f"w{index}", index) for index in order]
    for index in range(8):
        nodes += [] if index in order else [filled(f"w{index}", index)]
        nodes += [helper.make_node("MatMul", [f"h{index}", f"w{index}"], [f"h{index + 1}"])]
    shape = {"square": np.array([WIDTH, WIDTH], np.int64)}
    row = (1, WIDTH)
    return parse_model(encoded(model_of(nodes, [value("h0", row)], [value("h8", row)], shape)))


KEPT = [
    pytest.param(list(range(8)), 8, id="all alive together"),
    pytest.param([0, 1, 2, 3, 4, 5], 4, id="six alive together"),
    pytest.param([], 0, id="one after the other"),
]


@pytest.mark.parametrize(("order", "kept"), KEPT)
def test_early_values_take_no_more_memory_than_the_graph(order: list[int], kept: int) -> None:
    graph = chain_of_weights(order).graph
    early = with_early_values(graph)
    assert len(early.constants) - len(graph.constants) == kept
    needed = sum(array.nbytes for array in early.constants.values())
    assert needed <= graph.cost.peak_bytes


def test_an_early_value_is_dropped_after_its_last_reader() -> None:
    names = ["a", *(f"t{index}" for index in range(20)), "b"]
    turns = [
        helper.make_node("Transpose", [source], [target], perm=[1, 0])
        for source, target in pairwise(names)
    ]
    graph = products(filled("a", 0.5), *turns).graph
    tracemalloc.start()
    early = with_early_values(graph)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(early.nodes) == 2
    assert most < graph.cost.peak_bytes + 4 * WIDTH * WIDTH


def test_planning_makes_no_more_elements_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = chain_of_weights(list(range(8))).graph
    monkeypatch.setattr(early_nodes, "MAX_EARLY_ELEMENTS", 3 * WIDTH * WIDTH)
    early = with_early_values(graph)
    assert len(early.constants) - len(graph.constants) == 3


def test_an_infinite_value_stays_with_its_node() -> None:
    weights: dict[str, Array] = {
        "q": np.full((WIDTH, WIDTH), 127, np.int8),
        "scale": np.array(3e38, np.float32),
    }
    model = products(
        helper.make_node("DequantizeLinear", ["q", "scale"], ["a"]),
        filled("b", 1.0),
        weights=weights,
    )
    assert with_early_values(model.graph) is model.graph
