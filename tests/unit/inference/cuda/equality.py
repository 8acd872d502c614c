"""Compares what the CUDA kernels make of one node with the definition."""

import ctypes
from collections.abc import Collection, Mapping

from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.graph import AttributeValue
from tests.unit.inference.cpu.one_node import (
    Inputs,
    one_node_graph,
    output_bytes,
    run_inputs,
)
from tests.unit.inference.cuda.shim_device import ShimDevice

SHUFFLED = 2


def assert_equals_definition(
    shim: ctypes.CDLL,
    op: str,
    attributes: Mapping[str, AttributeValue],
    inputs: Inputs,
    constants: Collection[int] = (),
    schedule: int = SHUFFLED,
    outputs: int = 1,
) -> list[str]:
    """Compare every bit, and return the kernels that were launched."""
    graph = one_node_graph(op, attributes, inputs, constants, outputs)
    given = run_inputs(inputs, constants)
    device = ShimDevice(shim, schedule)
    expected = output_bytes(ReferenceBackend(), graph, given)
    assert output_bytes(CudaBackend(device), graph, given) == expected
    return device.launched
