"""The definition: runs every node by its operator's NumPy function, one after the other."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.backends.backend import Trace
from cvm.inference.graph import Graph, Node
from cvm.inference.memory import last_uses
from cvm.inference.tensor_type import Array


class ReferencePlan:
    """A graph with, for every node, the values that die after it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._operand_names = [_operand_names(node) for node in graph.nodes]
        self.dying = _dying_values(graph)

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item; see `backend.Plan`. Float faults (overflow, NaN) are values, not errors."""
        names = (value.name for value in self._graph.inputs)
        values: dict[str, Array] = dict(zip(names, inputs, strict=True))
        constants = self._graph.constants
        steps = zip(self._graph.nodes, self._operand_names, self.dying, strict=True)
        with np.errstate(all="ignore"):
            for node, operand_names, dying in steps:
                operands = [
                    constants[name] if name in constants else values.get(name)
                    for name in operand_names
                ]
                outputs = node.spec.run(node.parameters, *operands)
                values.update(zip(node.outputs, outputs, strict=True))
                for name in dying:
                    del values[name]
                if trace is not None:
                    trace(node, outputs)
        return tuple(values[value.name] for value in self._graph.outputs)


def _dying_values(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return, for every node, the values that nothing needs after it."""
    uses = last_uses(graph.nodes, graph.outputs)
    dying: list[list[str]] = [[] for _ in graph.nodes]
    made = [(value.name, 0) for value in graph.inputs]
    made += [(name, index) for index, node in enumerate(graph.nodes) for name in node.outputs]
    for name, made_at in made:
        last = uses.get(name, made_at)
        if last < len(graph.nodes):
            dying[last].append(name)
    return tuple(map(tuple, dying))


def _operand_names(node: Node) -> tuple[str, ...]:
    """Return a node's inputs, absent ones at the end included: a definition takes them as None."""
    return node.inputs + ("",) * (node.spec.operand_count() - len(node.inputs))


class ReferenceBackend:
    """Slow, readable, and right by definition; every other backend must equal it."""

    @property
    def name(self) -> str:
        """Return `reference`."""
        return "reference"

    def plan(self, graph: Graph) -> ReferencePlan:
        """Find out when each value dies; nothing else is prepared."""
        return ReferencePlan(graph)
