"""Whether this machine can run CUDA kernels."""

import pytest


def require_gpu() -> None:
    """Skip where CuPy or a GPU is missing; one that is there and fails is no reason to skip."""
    cupy = pytest.importorskip("cupy", reason="needs CuPy: pip install 'cvm-chain[cuda]'")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"needs an NVIDIA driver and a GPU: {error}")
