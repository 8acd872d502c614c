"""Random graphs give the same bytes on the definition and at every feature level of this CPU."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cvm.inference.backends.backend import Trace
from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.backends.reference import ReferenceBackend, ReferencePlan
from cvm.inference.graph import Graph, Node
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array
from tests.fuzz_graphs import drawn_graph
from tests.inference_fuzzer import (
    SHUFFLED,
    FuzzReport,
    disagreements,
    fuzz,
    jobs_of,
    usable_vectors,
)
from tests.unit.inference.cuda.shim_device import ShimDevice, build_shim, has_compiler

LEVELS = [level.name for level in available_levels()]


def test_2_000_random_nodes_agree() -> None:
    report = fuzz(2_000, seed=0, levels=LEVELS)
    assert report.found == ()
    assert report.nodes == 2_000
    assert len(report.operators) > len(OPERATORS) - 10


@pytest.mark.slow
def test_20_000_other_random_nodes_agree() -> None:
    report = fuzz(20_000, seed=1, levels=LEVELS)
    assert report.found == ()


@pytest.mark.skipif(not has_compiler(), reason="needs g++ to build the CUDA kernels for this CPU")
def test_400_random_nodes_agree_on_the_kernels_of_cuda(tmp_path: Path) -> None:
    device = ShimDevice(build_shim(tmp_path), SHUFFLED)
    ran: list[int] = []
    report = fuzz(400, 2, [], rare=[CudaBackend(device)], progress=ran.append)
    assert (report.found, report.backends) == ((), ("cuda",))
    assert ran == list(range(5, 401, 5))
    assert len(device.launched) > 20


def test_jobs_share_the_nodes_and_draw_from_seeds_of_their_own() -> None:
    assert [(job.nodes, job.seed) for job in jobs_of(7, 3, 2, 1)] == [(3, "3/0"), (4, "3/1")]
    assert [(job.nodes, job.seed) for job in jobs_of(7, 3, 1, 1)] == [(7, 3)]
    one = FuzzReport(5, 1, frozenset({"Add"}), ("avx2",), ())
    other = FuzzReport(6, 2, frozenset({"Mul"}), ("avx2",), ("x",))
    both = FuzzReport(11, 3, frozenset({"Add", "Mul"}), ("avx2",), ("x",))
    assert one.joined(other) == both


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
