"""The CPU backend: numba kernels per feature level, byte-equal to the definitions."""

from cvm.inference.backends.cpu.feature_level import find_level
from cvm.inference.backends.cpu.plan import CpuPlan
from cvm.inference.graph import Graph


class CpuBackend:
    """Runs graphs on this machine's CPU, one thread per plan.

    `level` is a feature level by name (`avx512`, `avx2`, `generic`) or None for the best that
    this machine has; every level gives the same bytes. Raises ValueError for one that it lacks.
    """

    def __init__(self, level: str | None = None) -> None:
        self._level = find_level(level)

    @property
    def name(self) -> str:
        """Return `cpu`."""
        return "cpu"

    @property
    def level(self) -> str:
        """Return the name of the feature level in use."""
        return self._level.name

    def plan(self, graph: Graph) -> CpuPlan:
        """Make a graph ready to run: choose and compile kernels, pack weights, lay out memory."""
        return CpuPlan(graph, self._level)
