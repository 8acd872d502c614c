"""Where activations lie: one block of memory, laid out from the nodes between which each lives."""

from collections.abc import Mapping

import numpy as np

from cvm.inference.backends.cpu.layout import stored_size
from cvm.inference.backends.cpu.layout_choice import Move, Program
from cvm.inference.backends.cpu.step_builder import Stored, aligned, empty_buffer
from cvm.inference.backends.cpu.task import Task
from cvm.inference.backends.memory_slots import Slot, place
from cvm.inference.graph import Graph

VIEWS = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators whose first output is their first input, perhaps with another shape: it stays."""


def slots_of(graph: Graph, program: Program) -> dict[str, Slot]:
    """Return a slot for each value that is no constant; a view shares the slot of its source."""
    uses = {name: i for i, step in enumerate(program.steps) for name in step.reads if name}
    uses.update((name, len(program.steps)) for name in program.results)
    slots = {
        value.name: Slot(size_bytes(program, value.name), -1, uses.get(value.name, -1))
        for value in graph.inputs
    }
    for index, step in enumerate(program.steps):
        for name in made_by(step):
            last = uses.get(name, index)
            source = source_of_view(step, name)
            if source in slots:
                slot = slots[source]
                slot.last = max(slot.last, last)
                slots[name] = slot
            else:
                slots[name] = Slot(size_bytes(program, name), index, last)
    return slots


def made_by(step: Task | Move) -> tuple[str, ...]:
    """Return the names of the values that a step makes."""
    return (step.target,) if isinstance(step, Move) else step.outputs


def source_of_view(step: Task | Move, name: str) -> str:
    """Return the value whose memory a result shares, or an empty name."""
    if isinstance(step, Move) or step.node.spec.name not in VIEWS or name != step.outputs[0]:
        return ""
    return step.inputs[0]


def size_bytes(program: Program, name: str) -> int:
    """Return the memory that a value takes, in whole cache lines."""
    tensor_type = program.types[name]
    size = stored_size(tensor_type.shape, program.layout(name))
    return aligned(size * np.dtype(tensor_type.dtype).itemsize)


def allocate(graph: Graph, program: Program) -> Mapping[str, Stored]:
    """Return where each graph input and each result lies, all in one block of memory."""
    slots = slots_of(graph, program)
    distinct = list({id(slot): slot for slot in slots.values()}.values())
    memory = empty_buffer("uint8", (place(distinct),))
    values: dict[str, Stored] = {}
    for name, slot in slots.items():
        tensor_type, layout = program.types[name], program.layout(name)
        dtype = np.dtype(tensor_type.dtype)
        count = stored_size(tensor_type.shape, layout) * dtype.itemsize
        array = memory[slot.offset : slot.offset + count].view(dtype)
        values[name] = Stored(array, tensor_type.shape, layout)
    return values
