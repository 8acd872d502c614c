"""What a backend is: it plans a checked graph once and runs the plan many times."""

from collections.abc import Callable, Sequence
from typing import Protocol

from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import Array

Trace = Callable[[Node, tuple[Array, ...]], None]
"""Called after every node, in graph order, with the node's outputs."""


class Plan(Protocol):
    """A graph made ready for one backend; it may be run from one thread at a time."""

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item: arrays of the graph's input types give arrays of its output types.

        Raises `InputOutOfRange`, or a `LocalFault` when the machine failed. With `trace`,
        every node of the graph is reported, so no node may be fused away.
        """


class Backend(Protocol):
    """One way of running graphs; all of them give the same bytes."""

    @property
    def name(self) -> str:
        """Return `reference`, `cpu` or `cuda`."""

    def plan(self, graph: Graph) -> Plan:
        """Make a graph ready to run: choose kernels, pack weights, lay out memory."""
