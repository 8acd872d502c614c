"""The CUDA backend: our own kernels through CuPy, byte-equal to the definitions."""

from typing import TYPE_CHECKING

from cvm.faults import DeviceFault
from cvm.inference.backends.cuda.device import Device
from cvm.inference.backends.cuda.plan import CudaPlan
from cvm.inference.graph import Graph

if TYPE_CHECKING:
    from cvm.inference.backends.cuda.cupy_device import CupyDevice

MEMORY_LIMIT_BYTES = 4 * 2**30
"""Device memory of all plans together, by default."""


class CudaBackend:
    """Runs graphs on one GPU.

    `device` is the machine that runs the kernels, or None for the first GPU that CuPy finds;
    `memory_limit_bytes` bounds the memory pool of that GPU. Raises `DeviceFault` where CuPy,
    a driver or a GPU is missing.
    """

    def __init__(
        self, device: Device | None = None, memory_limit_bytes: int = MEMORY_LIMIT_BYTES
    ) -> None:
        self._device = open_gpu(memory_limit_bytes) if device is None else device

    @property
    def name(self) -> str:
        """Return `cuda`."""
        return "cuda"

    def plan(self, graph: Graph) -> CudaPlan:
        """Make a graph ready to run: upload weights, lay out memory, list launches."""
        return CudaPlan(graph, self._device)


def open_gpu(memory_limit_bytes: int = MEMORY_LIMIT_BYTES) -> "CupyDevice":
    """Return the first GPU; raises `DeviceFault` with what to install where there is none."""
    try:
        # Only here: a machine without CuPy must be able to import the package.
        from cvm.inference.backends.cuda.cupy_device import CupyDevice as Gpu
    except ImportError as error:
        remedy = "pip install 'cvm-chain[cuda]', or use the cpu backend"
        raise DeviceFault("cuda", f"{error}; {remedy}") from error
    return Gpu(memory_limit_bytes)
