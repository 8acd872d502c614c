"""The compiled kernels, interpreted, give the bytes of every golden vector and break no rule.

Every load and store stays in the buffers of its launch, reads what was written, and meets no other
thread; every kernel runs at least once.
"""

import functools
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from cvm.inference.backends.cuda.kernels import source_names
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import AttributeValue
from cvm.inference.self_test import run_self_test
from node.self_test_vectors import load_self_test_vectors
from tests.fuzz_graphs import drawn_graph
from tests.inference_fuzzer import disagreements, usable_vectors
from tests.unit.inference.cpu.one_node import (
    Inputs,
    draw,
    draw_finite,
    draw_hostile,
    one_node_graph,
    output_bytes,
    run_inputs,
)
from tests.unit.inference.cuda import nvrtc
from tests.unit.inference.cuda.ptx import can_compile, compile_ptx
from tests.unit.inference.cuda.ptx_device import PtxBackend, PtxDevice
from tests.unit.inference.cuda.ptx_faults import OutOfBounds, OutputNotWritten
from tests.unit.inference.cuda.ptx_machine import LinkedKernel
from tests.unit.inference.cuda.ptx_parser import parse_ptx

FIRST = "75"
OTHERS = ["80", "86", "89", "90", "100", "120"]
CAPABILITIES = [FIRST, *(pytest.param(entry, marks=pytest.mark.slow) for entry in OTHERS)]

pytestmark = pytest.mark.skipif(not can_compile(), reason=f"needs {nvrtc.PACKAGE}, nvcc or CuPy")

Kernels = Callable[[str], Mapping[str, LinkedKernel]]
Case = tuple[str, Mapping[str, AttributeValue], Inputs, set[int]]


@pytest.fixture(scope="module")
def kernels_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Kernels]:
    """Return what compiles and links the kernels of a source for a capability, once."""

    @functools.cache
    def linked(capability: str, source: str) -> Mapping[str, LinkedKernel]:
        folder: Path = tmp_path_factory.mktemp(f"{source}-{capability}")
        kernels = parse_ptx(compile_ptx(source, capability, folder))
        return {name: LinkedKernel(kernel) for name, kernel in kernels.items()}

    return lambda capability: functools.partial(linked, capability)


CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}
CASTS = [
    *(("int32", "bool"), ("int32", "int32"), ("int32", "int8"), ("int32", "uint8")),
    *(("int64", "int64"), ("int64", "uint8"), ("int8", "bool"), ("int8", "float32")),
    *(("int8", "int8"), ("uint8", "bool"), ("uint8", "uint8")),
]
PADDED: Mapping[str, AttributeValue] = {"pads": (1, 1, 1, 1)}
AXIS = np.array([1], np.int64)


def cases_beyond_the_vectors() -> list[Case]:
    """Return one node for each kernel that no golden vector is large or odd enough to run."""
    wide = draw_hostile(1, 2, 3, 9, 9), draw_finite(2, 35, 3, 3, 3)
    long = draw_hostile(3, 3, 9, 30), draw_finite(4, 35, 9, 1), draw(5, "float32", 35)
    bytes_wide = draw(6, "uint8", 2, 3, 9, 9), draw(7, "int8", 35, 3, 3, 3)
    zeros = np.array(3, np.uint8), draw(8, "int8", 35)
    return [
        *(("Cast", {"to": CODES[to]}, (draw(9, of, 300),), set()) for of, to in CASTS),
        ("Conv", PADDED, wide, {1}),
        ("Conv", {}, long, {1, 2}),
        ("Conv", PADDED, (wide[0][:1], draw_finite(10, 20, 3, 3, 3)), {1}),
        ("Conv", {}, (draw_hostile(11, 1, 3, 6), draw_finite(12, 20, 3, 2)), {1}),
        ("ConvInteger", PADDED, (*bytes_wide, *zeros), {1, 2, 3}),
        ("ConvInteger", PADDED, (bytes_wide[0][:1], bytes_wide[1][:20]), {1}),
        ("MatMul", {}, (draw_hostile(13, 40, 37), draw_hostile(14, 37, 50)), set()),
        ("MatMulInteger", {}, (draw(15, "uint8", 40, 37), draw(16, "int8", 37, 50)), set()),
        ("ArgMin", {"axis": 1}, (draw(17, "int32", 4, 9),), set()),
        ("ReduceMax", {}, (draw(18, "int32", 3, 300, 2), AXIS), {1}),
        ("ReduceMin", {}, (draw(19, "int64", 3, 300, 2), AXIS), {1}),
        ("ReduceMin", {}, (draw(20, "int8", 3, 300, 2), AXIS), {1}),
        ("Neg", {}, (draw(21, "int64", 300),), set()),
        ("Sign", {}, (draw(22, "int32", 300),), set()),
        *(
            ("Mod", {"fmod": 1}, (draw(23, dtype, 300), draw(24, dtype, 300) // 16), set())
            for dtype in ("int32", "int64", "uint8")
        ),
        ("Pad", {"mode": "edge"}, (draw(25, "int64", 4), np.array([1, 2], np.int64)), {1}),
    ]


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_kernel_and_every_golden_vector(
    kernels_for: Callable[[str], Kernels], capability: str
) -> None:
    kernels, vectors = kernels_for(capability), load_self_test_vectors()
    device = PtxDevice(kernels)
    backend = PtxBackend(device)
    assert run_self_test(backend, vectors) == len(vectors) >= 890
    for op, attributes, inputs, constants in cases_beyond_the_vectors():
        graph, given = (
            one_node_graph(op, attributes, inputs, constants),
            run_inputs(inputs, constants),
        )
        expected = output_bytes(ReferenceBackend(), graph, given)
        assert output_bytes(backend, graph, given) == expected, op
    every = {name for source in source_names() for name in kernels(source)}
    assert every - {kernel.name for kernel in device.launched} == set()


@pytest.mark.slow
@pytest.mark.parametrize("capability", [FIRST, OTHERS[-1]])
def test_2_000_random_nodes(kernels_for: Callable[[str], Kernels], capability: str) -> None:
    backend = PtxBackend(PtxDevice(kernels_for(capability)))
    vectors, source = usable_vectors(), random.Random(capability)
    ran, found = 0, []
    while ran < 2_000:
        graph, inputs = drawn_graph(vectors, source, 5)
        ran += len(graph.nodes)
        found += disagreements(graph, inputs, [backend])
    assert [entry.text() for entry in found] == []


@pytest.mark.parametrize(
    ("elements", "fault"),
    [pytest.param(6, OutOfBounds, id="too many"), pytest.param(4, OutputNotWritten, id="too few")],
)
def test_a_launch_over_a_wrong_number_of_elements_is_found(
    kernels_for: Callable[[str], Kernels], elements: int, fault: type[Exception]
) -> None:
    device = PtxDevice(kernels_for(FIRST))
    inputs = draw(1, "float32", 5), draw(2, "float32", 5)
    graph = one_node_graph("Add", {}, inputs, ())
    plan = PtxBackend(device).plan(graph)
    plan.run(inputs)
    (record,) = device.allowances
    device.replace_word(record, 5, elements)
    with pytest.raises(fault):
        plan.run(inputs)


def test_a_read_behind_a_table_is_found(
    kernels_for: Callable[[str], Kernels], monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = np.abs(draw(1, "float32", 70)) + np.float32(1)
    inputs = draw(2, "int8", 2, 70), scale
    graph = one_node_graph("DequantizeLinear", {"axis": 1}, inputs, {1})
    monkeypatch.setattr(np, "broadcast_to", lambda array, _shape: array)
    plan = PtxBackend(PtxDevice(kernels_for(FIRST))).plan(graph)
    monkeypatch.undo()
    with pytest.raises(OutOfBounds, match=r"^dequantise_int8: thread 1 of block 0 "):
        plan.run(inputs[:1])
