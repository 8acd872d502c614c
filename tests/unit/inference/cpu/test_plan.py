"""A plan reports every node, keeps runs apart, and turns a lack of memory into a fault."""

import numpy as np
import pytest

from cvm.faults import OutOfMemory
from cvm.inference.backends.backend import Plan
from cvm.inference.backends.cpu import CpuBackend, arena, plan
from cvm.inference.backends.cpu.feature_level import LEVELS as ALL_LEVELS
from cvm.inference.backends.cpu.feature_level import available_levels, find_level
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import Graph, Node
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_bytes import encode_tensor
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import draw, draw_hostile, one_node_graph
from tests.unit.inference.onnx_models import encoded, two_layers


def traced(made: Plan, inputs: list[Array]) -> list[tuple[str, list[bytes]]]:
    """Return each node's name and output bytes, in the order of the reports."""
    reports: list[tuple[str, list[bytes]]] = []

    def note(node: Node, outputs: tuple[Array, ...]) -> None:
        reports.append((node.name, [encode_tensor(output) for output in outputs]))

    made.run(inputs, note)
    return reports


@pytest.fixture
def graph() -> Graph:
    """Return a small graph of several nodes."""
    return parse_model(encoded(two_layers())).graph


def inputs_of(graph: Graph, seed: int) -> list[Array]:
    """Return reproducible inputs."""
    return [draw(seed, value.type.dtype, *value.type.shape) for value in graph.inputs]


@pytest.mark.parametrize("level", LEVELS)
def test_trace_reports_every_node_as_the_definition_does(level: str, graph: Graph) -> None:
    inputs = inputs_of(graph, 1)
    expected = traced(ReferenceBackend().plan(graph), inputs)
    assert traced(CpuBackend(level).plan(graph), inputs) == expected
    assert [name for name, _ in expected] == [node.name for node in graph.nodes]


def test_outputs_of_one_run_survive_the_next(graph: Graph) -> None:
    made = CpuBackend().plan(graph)
    first = made.run(inputs_of(graph, 1))
    kept = [output.copy() for output in first]
    made.run(inputs_of(graph, 2))
    assert [output.tobytes() for output in first] == [output.tobytes() for output in kept]


def test_runs_do_not_depend_on_the_run_before(graph: Graph) -> None:
    made = CpuBackend().plan(graph)
    alone = made.run(inputs_of(graph, 1))[0].tobytes()
    made.run(inputs_of(graph, 2))
    assert made.run(inputs_of(graph, 1))[0].tobytes() == alone


def test_inputs_are_left_as_they_are() -> None:
    x = draw_hostile(3, 40)
    x.flags.writeable = False
    CpuBackend().plan(one_node_graph("Relu", {}, [x], set())).run([x])


def test_not_a_number_leaves_in_one_form() -> None:
    x = np.array([0xFFC12345, 0x7F812345], np.uint32).view(np.float32)
    (y,) = CpuBackend().plan(one_node_graph("Add", {}, [x, x], set())).run([x, x])
    assert y.view(np.uint32).tolist() == [0x7FC00000, 0x7FC00000]


def test_planning_without_memory_is_a_local_fault(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Array:
        raise MemoryError

    monkeypatch.setattr(arena, "empty_buffer", fail)
    with pytest.raises(OutOfMemory) as caught:
        CpuBackend().plan(graph)
    assert caught.value.needed_bytes == graph.cost.peak_bytes


def test_running_without_memory_is_a_local_fault(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Array) -> Array:
        raise MemoryError

    made = CpuBackend().plan(graph)
    monkeypatch.setattr(plan, "canonical_nan", fail)
    with pytest.raises(OutOfMemory):
        made.run(inputs_of(graph, 1))


def test_best_level_is_taken_by_default() -> None:
    assert CpuBackend().level == available_levels()[0].name
    assert CpuBackend().name == "cpu"


def test_generic_level_is_always_there() -> None:
    assert available_levels()[-1].name == "generic"
    assert [level.name for level in ALL_LEVELS] == ["avx512", "avx2", "generic"]


def test_unknown_level_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"'sse9' is not available here; choose one of: .*generic"):
        find_level("sse9")
