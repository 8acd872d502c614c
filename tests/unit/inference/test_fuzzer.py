"""Random graphs give the same bytes on the definition and at every feature level of this CPU."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cvm.inference.backends.backend import Trace
from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.inference.backends.reference import ReferenceBackend, ReferencePlan
from cvm.inference.graph import Graph, Node
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array
from tests.fuzz_graphs import drawn_graph
from tests.inference_fuzzer import disagreements, fuzz, usable_vectors

LEVELS = [level.name for level in available_levels()]


def test_2_000_random_nodes_agree() -> None:
    report = fuzz(2_000, seed=0, levels=LEVELS)
    assert [entry.text() for entry in report.found] == []
    assert report.nodes == 2_000
    assert len(report.operators) > len(OPERATORS) - 10


@pytest.mark.slow
def test_20_000_other_random_nodes_agree() -> None:
    report = fuzz(20_000, seed=1, levels=LEVELS)
    assert [entry.text() for entry in report.found] == []


def test_a_seed_fixes_the_graph() -> None:
    vectors = usable_vectors()
    first, inputs = drawn_graph(vectors, random.Random(7), 5)
    second, again = drawn_graph(vectors, random.Random(7), 5)
    assert [(n.spec.name, n.inputs, n.output_types) for n in first.nodes] == [
        (n.spec.name, n.inputs, n.output_types) for n in second.nodes
    ]
    assert [array.tobytes() for array in inputs] == [array.tobytes() for array in again]


class _WrongPlan:
    """The definition, but every Relu changes the lowest bit of its first element."""

    def __init__(self, graph: Graph) -> None:
        self._plan = ReferencePlan(replace(graph, nodes=tuple(map(_spoiled, graph.nodes))))

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        return self._plan.run(inputs, trace)


class _WrongBackend:
    name = "wrong"

    def plan(self, graph: Graph) -> _WrongPlan:
        return _WrongPlan(graph)


def _spoiled(node: Node) -> Node:
    if node.spec.name != "Relu":
        return node

    def run(parameters: object, x: Array) -> tuple[Array, ...]:
        (y,) = node.spec.run(parameters, x)
        bits = y.copy().view(np.uint32)
        bits.reshape(-1)[0] ^= 1
        return (bits.view(np.float32),)

    return replace(node, spec=replace(node.spec, run=run))


def test_a_wrong_bit_is_found_and_its_node_is_shown_alone() -> None:
    relus = [
        vector
        for vector in usable_vectors()
        if vector.op_type == "Relu" and vector.outputs[0].dtype == np.float32
    ]
    graph, inputs = drawn_graph(relus, random.Random(3), 4)
    ordinary = [np.full_like(array, 1.5) for array in inputs]
    assert disagreements(graph, ordinary, [ReferenceBackend()]) == []
    (found,) = disagreements(graph, ordinary, [_WrongBackend()])
    assert (found.level, found.node.name) == ("wrong", "n0")
    assert "output 0 at element 0: 0x3fc00001, the definition gives 0x3fc00000" in found.text()
