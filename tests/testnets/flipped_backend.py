"""A backend like `cpu`, which flips one bit of what it computes once a file says so."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvm.inference.backends.backend import Backend, Plan, Trace
from cvm.inference.graph import Graph
from cvm.inference.tensor_type import Array


class FlippedBackend:
    """Passes its self-test as long as the file is not there, as hardware that fails later."""

    name = "flipped"

    def __init__(self, honest: Backend, flip_file: Path) -> None:
        self._honest = honest
        self._flip_file = flip_file

    def plan(self, graph: Graph) -> Plan:
        """Plan on the honest backend."""
        return FlippedPlan(self._honest.plan(graph), self._flip_file)


class FlippedPlan:
    """An honest plan with one bit of its first output wrong, while the file is there."""

    def __init__(self, honest: Plan, flip_file: Path) -> None:
        self._honest = honest
        self._flip_file = flip_file

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run, and flip the lowest bit of the first byte."""
        first, *rest = self._honest.run(inputs, trace)
        if not self._flip_file.exists():
            return (first, *rest)
        flipped = np.frombuffer(first.tobytes(), np.uint8).copy()
        flipped[0] ^= 1
        return (flipped.view(first.dtype).reshape(first.shape), *rest)
