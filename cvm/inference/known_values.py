"""Values that are known before a model runs: initializers, and what small nodes make of them."""

from collections.abc import Mapping

import numpy as np

from cvm.inference.faults import InferenceFault
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array

MAX_NODE_WORK = 2**12
"""Elements read and made, and steps, of a node whose outputs are worked out at planning."""

MAX_WORK = 2**16
"""The same for all such nodes of one file; the values of those beyond are not known."""


class KnownValues:
    """Knows, while the nodes are walked in order, which values no input of the model can change."""

    def __init__(self, initializers: Mapping[str, Array]) -> None:
        self._values = dict(initializers)
        self._work_left = MAX_WORK

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
        work = _work_of(node)
        if work > min(MAX_NODE_WORK, self._work_left):
            return
        self._work_left -= work
        absent = (None,) * (node.spec.operand_count() - len(given))
        try:
            with default_float_environment(), np.errstate(all="ignore"):
                outputs = node.spec.run(node.parameters, *given, *absent)
        except InferenceFault:
            return
        for name, output in zip(node.outputs, outputs, strict=True):
            if output.dtype != np.float32 or np.isfinite(output).all():
                self._values[name] = _read_only(output)


def _work_of(node: Node) -> int:
    """Return what working out a node's outputs costs, in elements and steps."""
    read = 0 if node.spec.reads_types_only else sum(t.size for t in node.view.types if t)
    made = sum(tensor_type.size for tensor_type in node.output_types)
    cost = node.cost
    return read + made + cost.macs + cost.elementwise + cost.transcendental


def _read_only(array: Array) -> Array:
    """Return a copy that cannot be written."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy
