"""What a kernel family sees while it turns one node into launches of kernels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import prod

import numpy as np

from cvm.inference.backends.cuda.arena import aligned
from cvm.inference.backends.cuda.device import THREADS, Kernel
from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array, TensorType


class Region(IntEnum):
    """The parts of a plan's memory."""

    CONSTANTS = 0
    ACTIVATIONS = 1
    SCRATCH = 2
    RECORDS = 3
    FAULT = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a plan's memory, before the memory has an address."""

    region: Region
    offset: int

    def after(self, size_bytes: int) -> "Place":
        """Return the place so many bytes further on."""
        return Place(self.region, self.offset + size_bytes)


Word = int | Place | None
"""An entry of a record: a number, an address, or a null pointer."""


@dataclass(frozen=True, slots=True)
class PlannedLaunch:
    """A launch whose record still holds places instead of addresses."""

    kernel: Kernel
    blocks: int
    words: tuple[Word, ...]


class ConstantPool:
    """Collects what the kernels read and never write, to be uploaded at once."""

    def __init__(self) -> None:
        self._parts: list[Array] = []
        self.size_bytes = 0

    def add(self, array: Array) -> Place:
        """Append the bytes of an array and return where they lie."""
        place = Place(Region.CONSTANTS, self.size_bytes)
        part = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._parts.append(part)
        self.size_bytes += aligned(part.size)
        return place

    def contents(self) -> Array:
        """Return all bytes, every part at its place."""
        memory = np.zeros(self.size_bytes, np.uint8)
        start = 0
        for part in self._parts:
            memory[start : start + part.size] = part
            start += aligned(part.size)
        return memory


class LaunchBuilder:
    """Collects the launches and the scratch memory of one node."""

    def __init__(
        self,
        node: Node,
        locate: Callable[[str], Place],
        constants: ConstantPool,
    ) -> None:
        self.node = node
        self.launches: list[PlannedLaunch] = []
        self.scratch_bytes = 0
        self.checks_indices = False
        self._locate = locate
        self._constants = constants

    def operand(self, index: int) -> Place:
        """Return where input `index`, which is present, lies."""
        return self._locate(self.node.inputs[index])

    def optional(self, index: int) -> Place | None:
        """Return where input `index` lies, or None where it is absent."""
        return None if self.node.view.type_at(index) is None else self.operand(index)

    def operand_type(self, index: int) -> TensorType:
        """Return the type of input `index`, which is present."""
        found = self.node.view.type_at(index)
        if found is None:
            raise IndexError(f"{self.node.name!r}: input {index} is absent; ask `optional` first")
        return found

    def constant(self, index: int) -> Array | None:
        """Return the value of input `index` where it is an initializer, else None."""
        return self.node.view.constant_at(index)

    def result(self, index: int = 0) -> Place:
        """Return where an output of the node lies."""
        return self._locate(self.node.outputs[index])

    def result_type(self, index: int = 0) -> TensorType:
        """Return the type of an output of the node."""
        return self.node.output_types[index]

    def fault(self) -> Place:
        """Return the int32 that a kernel sets where an index that it reads lies outside."""
        self.checks_indices = True
        return Place(Region.FAULT, 0)

    def table(self, array: Array) -> Place:
        """Keep an array on the device for as long as the plan lives."""
        return self._constants.add(array)

    def scratch(self, dtype: str, *lengths: int) -> Place:
        """Reserve elements that hold nothing between nodes."""
        place = Place(Region.SCRATCH, self.scratch_bytes)
        self.scratch_bytes += aligned(prod(lengths) * np.dtype(dtype).itemsize)
        return place

    def add(self, kernel: Kernel, blocks: int, words: Sequence[Word]) -> None:
        """Append a launch of a line of blocks; none at all where there is nothing to do."""
        if blocks:
            self.launches.append(PlannedLaunch(kernel, blocks, tuple(words)))

    def add_over(self, kernel: Kernel, threads: int, words: Sequence[Word]) -> None:
        """Append a launch of at least so many threads."""
        self.add(kernel, -(-threads // THREADS), words)
