"""The golden vectors hold for the CUDA kernels, whatever order the threads of a block run in."""

import ctypes

import pytest

from cvm.inference.backends.cuda import CudaBackend
from cvm.inference.self_test import run_self_test
from node.self_test_vectors import load_self_test_vectors
from tests.unit.inference.cuda.shim_device import ShimDevice


@pytest.mark.parametrize("schedule", [0, 1, 2], ids=["forward", "backward", "shuffled"])
def test_every_golden_vector_holds(shim: ctypes.CDLL, schedule: int) -> None:
    vectors = load_self_test_vectors()
    backend = CudaBackend(ShimDevice(shim, schedule))
    assert run_self_test(backend, vectors) == len(vectors) >= 180
