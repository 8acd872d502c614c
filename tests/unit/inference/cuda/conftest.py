"""The kernels, built once for this CPU."""

import ctypes

import pytest

from tests.unit.inference.cuda.shim_device import build_shim, has_compiler


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if not has_compiler():
        pytest.skip("needs g++ to build the CUDA kernels for this CPU")
    return build_shim(tmp_path_factory.mktemp("shim"))
