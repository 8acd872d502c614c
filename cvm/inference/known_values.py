"""Values that are known before a model runs: initializers, and what small nodes make of them."""

from collections.abc import Mapping

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.faults import InferenceFault
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array

MAX_NODE_ELEMENTS, MAX_NODE_STEPS = 2**12, 2**18
"""Elements that a node reads and makes, and its steps, where its outputs are worked out."""

MAX_ELEMENTS, MAX_STEPS = 2**16, 2**22
"""The same for all such nodes of one file; the values of those beyond are not known."""


class KnownValues:
    """Knows, while the nodes are walked in order, which values no input of the model can change."""

    def __init__(self, initializers: Mapping[str, Array]) -> None:
        self._values = dict(initializers)
        self._elements_left, self._steps_left = MAX_ELEMENTS, MAX_STEPS

    def get(self, name: str) -> Array | None:
        """Return a value that is known, or None."""
        return self._values.get(name)

    def add(self, name: str, value: Array) -> None:
        """Add an initializer."""
        self._values[name] = value

    def learn(self, node: Node) -> None:
        """Work out a node's outputs by its definition where all that it reads is known.

        Which values are known is part of the engine: an operator may want a known value. A
        float that is no finite number is not known, as it could not be a weight; nor is what
        a node with an index out of range would make.
        """
        given = node.view.constants
        if not node.spec.reads_types_only and any(
            value is None and present is not None
            for value, present in zip(given, node.view.types, strict=True)
        ):
            return
        elements, steps = _elements_of(node), _steps_of(node)
        if elements > min(MAX_NODE_ELEMENTS, self._elements_left):
            return
        if steps > min(MAX_NODE_STEPS, self._steps_left):
            return
        self._elements_left -= elements
        self._steps_left -= steps
        absent = (None,) * (node.spec.operand_count() - len(given))
        try:
            with default_float_environment(), np.errstate(all="ignore"):
                outputs = node.spec.run(node.parameters, *given, *absent)
        except InferenceFault:
            return
        for name, output in zip(node.outputs, outputs, strict=True):
            if output.dtype != np.float32 or np.isfinite(output).all():
                self._values[name] = _read_only(output)


def _elements_of(node: Node) -> int:
    """Return how many elements a node reads and makes."""
    read = 0 if node.spec.reads_types_only else sum(t.size for t in node.view.types if t)
    return read + sum(tensor_type.size for tensor_type in node.output_types)


def _steps_of(node: Node) -> int:
    """Return the steps of a node that has no more elements than it may."""
    cost = node.cost
    return cost.elementwise + SERIAL * (cost.macs + cost.transcendental)


def _read_only(array: Array) -> Array:
    """Return a copy that cannot be written."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy
