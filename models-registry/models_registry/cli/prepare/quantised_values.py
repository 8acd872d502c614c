"""What a draft knows of its quantised values: scales, zero points, makers and readers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cvm.inference.tensor_type import Array, TensorType
from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames

EIGHT_BITS = ("uint8", "int8")


@dataclass(frozen=True, slots=True)
class Quantised:
    """An integer value that stands for float32: (value - zero) * scale.

    `scale` is float32 and `zero` of the value's dtype, both of one element or one per index of
    `axis`.
    """

    name: str
    dtype: str
    scale: Array
    zero: Array
    axis: int


def same_scale(a: Quantised, b: Quantised) -> bool:
    """Return whether two values mean the same by each integer."""
    return (
        a.dtype == b.dtype
        and a.scale.size == b.scale.size == 1
        and a.scale.tobytes() == b.scale.tobytes()
        and a.zero.tobytes() == b.zero.tobytes()
    )


class QuantisedGraph:
    """A draft under lowering; call `changed` after its nodes changed."""

    def __init__(self, draft: Draft, types: Mapping[str, TensorType]) -> None:
        self.draft = draft
        self.types = dict(types)
        self.fresh = FreshNames(draft.names())
        self.changed()

    def changed(self) -> None:
        """Look up makers and readers again."""
        self._makers = self.draft.makers()
        self._readers: dict[str, list[DraftNode]] = {}
        for node in self.draft.nodes:
            for name in node.inputs:
                self._readers.setdefault(name, []).append(node)

    def readers(self, name: str) -> list[DraftNode]:
        """Return the nodes that read a value."""
        return self._readers.get(name, [])

    def only_reader(self, name: str) -> DraftNode | None:
        """Return the one node that reads a value that is no graph output."""
        readers = self.readers(name)
        return readers[0] if len(readers) == 1 and name not in self.draft.outputs else None

    def quantised(self, name: str) -> Quantised | None:
        """Return the integers behind a float value that a DequantizeLinear makes of 8 bits."""
        node = self._makers.get(name)
        if node is None or not node.is_default("DequantizeLinear"):
            return None
        found = self.parameters(node)
        return found if found.dtype in EIGHT_BITS else None

    def parameters(self, node: DraftNode) -> Quantised:
        """Return scale and zero point of a QuantizeLinear or DequantizeLinear.

        The name is that of the integers.
        """
        is_maker = node.op_type == "QuantizeLinear"
        name = node.outputs[0] if is_maker else node.inputs[0]
        dtype = self.types[name].dtype
        scale = self.draft.constants[node.inputs[1]].reshape(-1)
        zero_name = node.input_at(2)
        zero = (
            self.draft.constants[zero_name].reshape(-1)
            if zero_name
            else np.zeros(scale.size, dtype)
        )
        return Quantised(name, dtype, scale, zero, node.integer("axis", 1))

    def only_quantiser(self, name: str) -> DraftNode | None:
        """Return the QuantizeLinear that alone reads a value, with one scale."""
        reader = self.only_reader(name)
        if reader is None or not reader.is_default("QuantizeLinear"):
            return None
        return reader if self.parameters(reader).scale.size == 1 else None

    def constant(self, wanted: str, value: Array) -> str:
        """Add a constant and return its name."""
        name = self.fresh.take(wanted)
        self.draft.constants[name] = value
        return name

    def remove(self, node: DraftNode) -> None:
        """Remove a node."""
        self.draft.nodes.remove(node)

    def replace(self, node: DraftNode, nodes: list[DraftNode]) -> None:
        """Put nodes in the place of one."""
        place = self.draft.nodes.index(node)
        self.draft.nodes[place : place + 1] = nodes
        self.changed()
