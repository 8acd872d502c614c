"""The plan: memory, views, repeated runs, faults; no GPU is needed for any of it."""

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from cvm.faults import DeviceFault
from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.backends.cuda.arena import VIEWS, lay_out
from cvm.inference.backends.cuda.device import Launch, Memory
from cvm.inference.backends.cuda.elementwise import merged_axes
from cvm.inference.backends.cuda.launch_builder import ConstantPool
from cvm.inference.backends.cuda.table import BUILDERS, ML_BUILDERS
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.faults import InputOutOfRange
from cvm.inference.graph import AttributeValue, Graph
from cvm.inference.model_file import parse_model
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.one_node import draw, one_node_graph
from tests.unit.inference.cuda.shim_device import ShimDevice
from tests.unit.inference.onnx_models import encoded, model_of, two_layers, value


def layers() -> Graph:
    return parse_model(encoded(two_layers())).graph


def chain(length: int) -> Graph:
    """Return x + x + ... by way of `length` nodes of 1,024 bytes each."""
    nodes = [helper.make_node("Add", [f"v{i}", f"v{i}"], [f"v{i + 1}"]) for i in range(length)]
    model = model_of(nodes, [value("v0", (256,))], [value(f"v{length}", (256,))])
    return parse_model(encoded(model)).graph


def views() -> Graph:
    """Return a graph that reshapes an input twice, and a constant, into its outputs."""
    nodes = [
        helper.make_node("Reshape", ["x", "six"], ["flat"]),
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Flatten", ["flat"], ["y"]),
        helper.make_node("Reshape", ["table", "six"], ["z"]),
    ]
    weights = {
        "six": np.array([6], np.int64),
        "table": np.arange(6, dtype=np.int64).reshape(2, 3),
    }
    outputs = [value("y", (6, 1)), value("r", (2, 3)), value("z", (6,), TensorProto.INT64)]
    return parse_model(encoded(model_of(nodes, [value("x", (2, 3))], outputs, weights))).graph


def test_every_operator_has_kernels_or_is_a_view() -> None:
    without = {
        (domain, name)
        for (domain, name), spec in OPERATORS.items()
        if name not in (ML_BUILDERS if domain else BUILDERS) and not spec.makes_initializer
    }
    assert without == {("", name) for name in VIEWS}


def test_a_node_without_a_kernel_runs_by_its_definition_between_launches(
    shim: ctypes.CDLL,
) -> None:
    graph, x = chain(3), draw(1, "float32", 256)
    unknown = replace(graph.nodes[1].spec, name="Nothing")
    nodes = (graph.nodes[0], replace(graph.nodes[1], spec=unknown), graph.nodes[2])
    device = ShimDevice(shim)
    plan = CudaBackend(device).plan(replace(graph, nodes=nodes))
    assert plan.run([x])[0].tobytes() == (x * 8).tobytes()
    assert device.launched == ["add_f32", "add_f32"]
    traced: list[float] = []
    plan.run([x], lambda _, outputs: traced.append(float(outputs[0][0] / x[0])))
    assert traced == [2, 4, 8]


def test_two_buffers_are_enough_for_a_chain() -> None:
    assert lay_out(chain(10))[1] == 2 * 1024


def test_a_value_keeps_its_place_until_its_last_reader() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["early"]),
        helper.make_node("Add", ["x", "x"], ["a"]),
        helper.make_node("Add", ["a", "a"], ["b"]),
        helper.make_node("Add", ["b", "early"], ["y"]),
    ]
    model = model_of(nodes, [value("x", (256,))], [value("y", (256,))])
    offsets, size_bytes = lay_out(parse_model(encoded(model)).graph)
    assert size_bytes == 3 * 1024
    assert offsets["early"] not in (offsets["a"], offsets["b"], offsets["y"])


def test_a_view_lies_where_its_source_lies() -> None:
    offsets, _ = lay_out(views())
    assert offsets["x"] == offsets["flat"] == offsets["y"] != offsets["r"]
    assert "z" not in offsets


def test_views_of_inputs_and_of_constants_can_be_outputs(shim: ctypes.CDLL) -> None:
    graph, x = views(), draw(1, "float32", 2, 3)
    expected = ReferenceBackend().plan(graph).run([x])
    made = CudaBackend(ShimDevice(shim)).plan(graph).run([x])
    assert [a.tobytes() for a in made] == [a.tobytes() for a in expected]
    assert [a.shape for a in made] == [(6, 1), (2, 3), (6,)]


def test_runs_do_not_depend_on_the_run_before(shim: ctypes.CDLL) -> None:
    made = CudaBackend(ShimDevice(shim)).plan(layers())
    first = made.run([draw(1, "float32", 1, 3)])[0]
    kept = first.tobytes()
    made.run([draw(2, "float32", 1, 3)])
    assert made.run([draw(1, "float32", 1, 3)])[0].tobytes() == kept == first.tobytes()


INDEX_CASES = [
    pytest.param("Gather", {"axis": 1}, np.array([0, 7, -9], np.int64), 7, 3, id="Gather"),
    pytest.param("GatherElements", {}, np.array([[1, -3, 0]], np.int32), -3, 2, id="elements"),
    pytest.param("GatherND", {}, np.array([[1, 2], [1, 3]], np.int64), 3, 3, id="GatherND"),
]


@pytest.mark.parametrize("is_traced", [False, True], ids=["run", "trace"])
@pytest.mark.parametrize(("op", "attributes", "indices", "index", "length"), INDEX_CASES)
def test_an_index_outside_is_the_fault_of_the_definition(
    shim: ctypes.CDLL,
    op: str,
    attributes: dict[str, AttributeValue],
    indices: Array,
    index: int,
    length: int,
    is_traced: bool,
) -> None:
    x = draw(1, "float32", 2, 3)
    graph = one_node_graph(op, attributes, (x, indices), ())
    plan = CudaBackend(ShimDevice(shim)).plan(graph)
    for _ in range(2):
        with pytest.raises(InputOutOfRange) as fault:
            plan.run([x, indices], (lambda node, outputs: None) if is_traced else None)
        assert (fault.value.index, fault.value.size) == (index, length)
    inside = np.zeros_like(indices)
    expected = ReferenceBackend().plan(graph).run([x, inside])
    assert plan.run([x, inside])[0].tobytes() == expected[0].tobytes()


def test_all_nodes_of_a_graph_are_one_step(shim: ctypes.CDLL) -> None:
    recorded: list[int] = []

    class Recorder(ShimDevice):
        def recorded(self, launches: Sequence[Launch]) -> Callable[[], None]:
            recorded.append(len(launches))
            return super().recorded(launches)

    nodes = [
        helper.make_node("Erf", ["x"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[1, 0]),
        helper.make_node("Identity", ["b"], ["c"]),
        helper.make_node("Sub", ["c", "c"], ["y"]),
    ]
    graph = parse_model(encoded(model_of(nodes, [value("x", (2, 3))], [value("y", (3, 2))]))).graph
    CudaBackend(Recorder(shim)).plan(graph)
    assert recorded == [3]


def test_an_input_of_another_dtype_is_refused(shim: ctypes.CDLL) -> None:
    made = CudaBackend(ShimDevice(shim)).plan(layers())
    with pytest.raises(TypeError, match="Cannot cast"):
        made.run([np.zeros((1, 3), np.float64)])


def test_observed_nans_are_canonical(shim: ctypes.CDLL) -> None:
    x = np.array([0xFFC12345, 0x7F812345], np.uint32).view(np.float32)
    graph = one_node_graph("Add", {}, (x, x), ())
    (y,) = CudaBackend(ShimDevice(shim)).plan(graph).run([x, x])
    assert y.view(np.uint32).tolist() == [0x7FC00000, 0x7FC00000]


class FullDevice(ShimDevice):
    """Has no memory left."""

    def allocate(self, size_bytes: int) -> Memory:  # type: ignore[override]
        raise DeviceFault("cuda", f"no room for {size_bytes} bytes")


def test_a_device_without_memory_is_a_fault(shim: ctypes.CDLL) -> None:
    with pytest.raises(DeviceFault, match="no room for"):
        CudaBackend(FullDevice(shim)).plan(layers())


def test_without_cupy_the_fault_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.delitem(sys.modules, "cvm.inference.backends.cuda.cupy_device", raising=False)
    with pytest.raises(DeviceFault, match=r"pip install 'cvm-chain\[cuda\]', or use the cpu"):
        CudaBackend()


def test_constants_lie_apart_and_aligned() -> None:
    pool = ConstantPool()
    places = [pool.add(np.full(n, n % 256, np.uint8)) for n in (1, 256, 300)]
    assert [place.offset for place in places] == [0, 256, 512]
    contents = pool.contents()
    assert contents.size == pool.size_bytes == 1024
    assert [int(contents[place.offset]) for place in places] == [1, 256 % 256, 300 % 256]


MERGES = [
    pytest.param((2, 3), (3, 1), (3, 1), [(6, 1, 1)], id="both whole"),
    pytest.param((2, 3), (3, 1), (0, 0), [(6, 1, 0)], id="one element"),
    pytest.param((2, 3), (3, 1), (0, 1), [(2, 3, 0), (3, 1, 1)], id="a row"),
    pytest.param((2, 1, 3), (3, 0, 1), (3, 0, 1), [(6, 1, 1)], id="an axis of length 1"),
    pytest.param((), (), (), [], id="a scalar"),
]


@pytest.mark.parametrize(("lengths", "a", "b", "expected"), MERGES)
def test_axes_that_need_no_division_merge(
    lengths: tuple[int, ...],
    a: tuple[int, ...],
    b: tuple[int, ...],
    expected: list[tuple[int, int, int]],
) -> None:
    assert merged_axes(lengths, a, b) == expected
