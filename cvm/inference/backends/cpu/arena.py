"""Where activations lie: one block of memory, laid out from the nodes between which each lives."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cvm.inference.backends.cpu.step_builder import aligned, empty_buffer
from cvm.inference.graph import Graph
from cvm.inference.memory import last_uses
from cvm.inference.tensor_type import Array, TensorType

VIEWS = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators whose first output is their first input, perhaps with another shape: it stays."""


@dataclass(slots=True)
class Slot:
    """A stretch of memory and the nodes (first, last) between which it is taken."""

    size_bytes: int
    first: int
    last: int
    offset: int = 0


def slots_of(graph: Graph) -> dict[str, Slot]:
    """Return a slot for each value that is no constant; a view shares the slot of its source."""
    uses = last_uses(graph.nodes, graph.outputs)
    slots = {
        value.name: Slot(aligned(value.type.size_bytes), -1, uses.get(value.name, -1))
        for value in graph.inputs
    }
    for index, node in enumerate(graph.nodes):
        for name, tensor_type in zip(node.outputs, node.output_types, strict=True):
            last = uses.get(name, index)
            is_view = node.spec.name in VIEWS and name == node.outputs[0]
            if is_view and node.inputs[0] in slots:
                source = slots[node.inputs[0]]
                source.last = max(source.last, last)
                slots[name] = source
            else:
                slots[name] = Slot(aligned(tensor_type.size_bytes), index, last)
    return slots


def place(slots: list[Slot]) -> int:
    """Give every slot an offset so that slots alive together do not overlap; return the size.

    Larger slots are placed first, each at the lowest offset that is free while it lives.
    """
    placed: list[Slot] = []
    for slot in sorted(slots, key=lambda entry: (-entry.size_bytes, entry.first)):
        alive = (other for other in placed if other.first <= slot.last and slot.first <= other.last)
        for other in sorted(alive, key=lambda entry: entry.offset):
            if slot.offset + slot.size_bytes <= other.offset:
                break
            slot.offset = max(slot.offset, other.offset + other.size_bytes)
        placed.append(slot)
    return max((slot.offset + slot.size_bytes for slot in placed), default=0)


def allocate(graph: Graph) -> Mapping[str, Array]:
    """Return an array for each graph input and node output, all in one block of memory."""
    slots = slots_of(graph)
    distinct = list({id(slot): slot for slot in slots.values()}.values())
    memory = empty_buffer("uint8", (place(distinct),))
    types: dict[str, TensorType] = {value.name: value.type for value in graph.inputs}
    for node in graph.nodes:
        types.update(zip(node.outputs, node.output_types, strict=True))
    arrays: dict[str, Array] = {}
    for name, tensor_type in types.items():
        start = slots[name].offset
        stored = memory[start : start + tensor_type.size_bytes]
        arrays[name] = stored.view(np.dtype(tensor_type.dtype)).reshape(tensor_type.shape)
    return arrays
