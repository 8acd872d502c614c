"""Where activations lie: one stretch of memory, shared by those that do not live together."""

from collections.abc import Mapping

from cvm.inference.backends.memory_slots import Slot, place
from cvm.inference.graph import Graph
from cvm.inference.memory import last_uses

ALIGNMENT = 256
"""Bytes: what CUDA aligns an allocation to."""

VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators whose output is their first input with another shape: it stays where it is."""


def aligned(size_bytes: int) -> int:
    """Round a size up to whole alignments."""
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def lay_out(graph: Graph) -> tuple[Mapping[str, int], int]:
    """Return the offset of every value that is no constant, and the bytes of the whole.

    A view lies where its source lies; a view of a constant is not listed.
    """
    slots = _slots(graph)
    size_bytes = place(list({id(slot): slot for slot in slots.values()}.values()))
    return {name: slot.offset for name, slot in slots.items()}, size_bytes


def _slots(graph: Graph) -> dict[str, Slot]:
    """Return a slot for each value that is no constant; a view shares the slot of its source."""
    uses = last_uses(graph.nodes, graph.outputs)
    slots = {
        value.name: Slot(aligned(value.type.size_bytes), -1, uses.get(value.name, -1))
        for value in graph.inputs
    }
    known = set(graph.constants)
    for index, node in enumerate(graph.nodes):
        for name, tensor_type in zip(node.outputs, node.output_types, strict=True):
            last = uses.get(name, index)
            if node.spec.name not in VIEWS:
                slots[name] = Slot(aligned(tensor_type.size_bytes), index, last)
            elif node.inputs[0] in known:
                known.add(name)
            else:
                slots[name] = slots[node.inputs[0]]
                slots[name].last = max(slots[name].last, last)
    return slots
