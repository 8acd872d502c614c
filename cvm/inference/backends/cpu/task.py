"""What a plan runs: tasks, each a node with the nodes that are fused into it."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import TensorType

NO_LOW = np.float32(-np.inf)
NO_HIGH = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class QuantisedSum:
    """What precedes a QuantizeLinear: zero point and scale of two quantised terms, and bounds."""

    first: tuple[int, np.float32]
    second: tuple[int, np.float32]
    low: np.float32 = NO_LOW
    high: np.float32 = NO_HIGH


@dataclass(frozen=True, slots=True)
class Task:
    """A node with what is fused into it; `inputs` and `outputs` are values as the plan keeps them.

    A convolution may have an addend by name and bounds. A QuantizeLinear with `terms` reads the
    two quantised values that are added before it.
    """

    node: Node
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_types: tuple[TensorType, ...]
    addend: str = ""
    low: np.float32 = NO_LOW
    high: np.float32 = NO_HIGH
    is_bounded: bool = False
    terms: QuantisedSum | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of all values that are read."""
        return (*self.inputs, self.addend)


def unfused(graph: Graph) -> list[Task]:
    """Return a task for each node."""
    return [Task(node, node.inputs, node.outputs, node.output_types) for node in graph.nodes]
