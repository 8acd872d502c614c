"""What a plan runs: tasks, each a node with the nodes that are fused into it.

Bias, addition and bounds are the same single operations whether a convolution's results pass
through memory before them or not, so fusing changes no bit. A traced run does without it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import TensorType

NO_LOW = np.float32(-np.inf)
NO_HIGH = np.float32(np.inf)
NEGATIVE_ZERO_BITS = 0x8000_0000


@dataclass(frozen=True, slots=True)
class Task:
    """A node, and for a convolution what follows it: an addend by name, and bounds.

    `inputs` and `outputs` are the values as the plan keeps them, the addend last if there is one.
    """

    node: Node
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_types: tuple[TensorType, ...]
    addend: str = ""
    low: np.float32 = NO_LOW
    high: np.float32 = NO_HIGH
    is_bounded: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of all values that are read."""
        return (*self.inputs, self.addend)


def unfused(graph: Graph) -> list[Task]:
    """Return a task for each node."""
    return [Task(node, node.inputs, node.outputs, node.output_types) for node in graph.nodes]


def fused(graph: Graph, may_fuse: Callable[[Node], bool]) -> list[Task]:
    """Return tasks in an order that runs; convolutions for which `may_fuse` take in what follows.

    A task stands where the last of its nodes stood.
    """
    readers = _readers(graph)
    kept = {value.name for value in graph.outputs}
    taken: set[int] = set()
    placed: list[tuple[int, Task]] = []
    for index, task in enumerate(unfused(graph)):
        if index in taken:
            continue
        last = index
        if may_fuse(task.node):
            while (following := _only_reader(task, readers, kept)) is not None:
                if following in taken:
                    break
                grown = _grown(task, graph, graph.nodes[following])
                if grown is None:
                    break
                task, last = grown, following
                taken.add(following)
        placed.append((last, task))
    return [task for _, task in sorted(placed, key=lambda entry: entry[0])]


def _readers(graph: Graph) -> dict[str, list[int]]:
    """Return the indices of the nodes that read each value, one for each time that they do."""
    readers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers.setdefault(name, []).append(index)
    return readers


def _only_reader(task: Task, readers: dict[str, list[int]], kept: set[str]) -> int | None:
    """Return the only node that reads a task's result, or None."""
    result = task.outputs[0]
    indices = readers.get(result, [])
    return indices[0] if len(indices) == 1 and result not in kept else None


def _grown(task: Task, graph: Graph, node: Node) -> Task | None:
    """Return a task with a node taken in, or None where that cannot be done."""
    if task.is_bounded or node.spec.domain or node.output_types != task.output_types:
        return None
    if node.spec.name == "Add" and not task.addend:
        return _with_addend(task, graph, node)
    bounds = _bounds(node)
    if bounds is None:
        return None
    return replace(task, outputs=node.outputs, low=bounds[0], high=bounds[1], is_bounded=True)


def _with_addend(task: Task, graph: Graph, node: Node) -> Task | None:
    """Return a task that adds an image of the same shape, or None."""
    index = 1 if node.inputs[0] == task.outputs[0] else 0
    other = node.inputs[index]
    if other in graph.constants or node.view.types[index] != task.output_types[0]:
        return None
    return replace(task, outputs=node.outputs, addend=other)


def _bounds(node: Node) -> tuple[np.float32, np.float32] | None:
    """Return the bounds of a Relu or of a Clip with constant bounds that a comparison can tell.

    A bound of -0, or an upper one of +0, would need a look at the sign of a zero.
    """
    if node.spec.name == "Relu":
        return np.float32(0), NO_HIGH
    if node.spec.name != "Clip":
        return None
    bounds = [NO_LOW, NO_HIGH]
    for index in (1, 2):
        if index < len(node.inputs) and node.inputs[index]:
            constant = node.view.constant_at(index)
            if constant is None:
                return None
            bounds[index - 1] = np.float32(constant.reshape(())[()])
    low, high = bounds
    is_negative_zero = int(low.view(np.uint32)) == NEGATIVE_ZERO_BITS
    if np.isnan(low) or np.isnan(high) or is_negative_zero or high == 0:
        return None
    return low, high
