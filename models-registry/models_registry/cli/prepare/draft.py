"""The light graph that the steps of `prepare` change in place, and its small operations."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Union

import numpy as np

from cvm.inference.tensor_type import Array

Attribute = Union[
    int,
    np.float32,
    str,
    Array,
    tuple[int, ...],
    tuple[np.float32, ...],
    tuple[str, ...],
    "Draft",
]
"""An attribute's value; a subgraph is a draft of its own."""


@dataclass(slots=True, eq=False)
class DraftNode:
    """One operator; an absent input or output is an empty name. Nodes differ by identity."""

    op_type: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    name: str = ""
    domain: str = ""

    def input_at(self, index: int) -> str:
        """Return the name of an input, empty where it is absent."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def is_default(self, *op_types: str) -> bool:
        """Return whether this is one of some operators of the default domain."""
        return not self.domain and self.op_type in op_types

    def ints(self, name: str) -> tuple[int, ...] | None:
        """Return a list of integers, or None where the attribute is absent or another kind."""
        value = self.attributes.get(name)
        if not isinstance(value, tuple):
            return None
        integers = tuple(item for item in value if isinstance(item, int))
        return integers if len(integers) == len(value) else None

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute, or the default."""
        value = self.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def number(self, name: str, default: float) -> np.float32:
        """Return a float attribute, or the default."""
        value = self.attributes.get(name)
        return value if isinstance(value, np.float32) else np.float32(default)

    def text(self, name: str, default: str) -> str:
        """Return a text attribute, or the default."""
        value = self.attributes.get(name, default)
        return value if isinstance(value, str) else default

    def subgraphs(self) -> list["Draft"]:
        """Return the graphs among the attributes."""
        return [value for value in self.attributes.values() if isinstance(value, Draft)]

    def label(self) -> str:
        """Return how messages name the node."""
        return f"{self.op_type} node {self.name or (self.outputs or ['?'])[0]!r}"


@dataclass(slots=True)
class DraftInput:
    """A graph input: a dtype by its NumPy name and dimensions, open ones by name or None."""

    name: str
    dtype: str
    dims: list[int | str | None] | None


@dataclass(slots=True, eq=False)
class Draft:
    """A graph whose nodes, constants and names the steps change."""

    inputs: list[DraftInput]
    outputs: list[str]
    nodes: list[DraftNode]
    constants: dict[str, Array]
    opsets: dict[str, int] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Return every name of a value, those in subgraphs included."""
        found = {value.name for value in self.inputs} | set(self.constants) | set(self.outputs)
        for node in self.nodes:
            found.update(node.inputs)
            found.update(node.outputs)
            for graph in node.subgraphs():
                found |= graph.names()
        return found

    def readers(self) -> Counter[str]:
        """Count who reads each value: nodes, their subgraphs, and the graph's outputs."""
        counts = Counter(self.outputs)
        for node in self.nodes:
            counts.update(name for name in node.inputs if name)
            for graph in node.subgraphs():
                counts.update(graph.readers())
        return counts

    def makers(self) -> dict[str, DraftNode]:
        """Return the node that makes each value."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    def rename_reads(self, renamed: dict[str, str]) -> None:
        """Let every reader of a value read another one; the graph's outputs keep their names."""
        for node in self.nodes:
            node.inputs = [renamed.get(name, name) for name in node.inputs]
            for graph in node.subgraphs():
                graph.rename_reads(renamed)
                graph.outputs = [renamed.get(name, name) for name in graph.outputs]


class FreshNames:
    """Gives names that no value of a draft has."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """Return `wanted`, or with the first free number behind it."""
        name, number = wanted, 2
        while name in self._taken or not name:
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name
