"""What a kernel family sees while it turns one node into calls of kernels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.layout import PLAIN, Layout, Places, places_of
from cvm.inference.backends.cpu.task import NO_HIGH, NO_LOW
from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array, Shape

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""

SLACK_BYTES = 64
"""Readable bytes past the end of every buffer, so that a kernel may load whole vectors."""

Step = tuple[Callable[..., object], tuple[Any, ...]]
"""A function and its arguments, fixed when the plan is made."""

PACKING_FACTOR = 4
FREE_SCRATCH_BYTES = 4 * 2**20
FREE_CONSTANT_BYTES = 2**18
"""A node may use `PACKING_FACTOR` times the bytes that it reads and writes for scratch, and as much
for packed constants, or these many; past that it runs without packing (`direct`)."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A buffer that lives during one node; the plan puts an array in its place."""

    dtype: str
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A value in memory: its elements as they lie there, its shape, and how they lie."""

    array: Any
    shape: Shape
    layout: Layout = PLAIN

    @property
    def places(self) -> Places:
        """Return where the elements of an image (n, c, spatial) lie."""
        return places_of(self.shape, self.layout)

    @property
    def tensor(self) -> Array:
        """Return the elements in the value's shape where memory holds nothing else.

        A blocked value then looks permuted, which an elementwise kernel does not notice.
        """
        is_whole = self.array.size == prod(self.shape)
        tensor: Array = self.array.reshape(self.shape if is_whole else -1)
        return tensor


@dataclass(frozen=True, slots=True)
class Epilogue:
    """What a convolution does to its results before it stores them: + addend, then bounds."""

    addend: Stored | None = None
    low: np.float32 = NO_LOW
    high: np.float32 = NO_HIGH


NO_EPILOGUE = Epilogue()


def may_take(node: Node, scratch_bytes: int, constant_bytes: int) -> bool:
    """Say whether a node may take so much memory beside its operands and results."""
    bound = PACKING_FACTOR * node.cost.bytes_moved
    return scratch_bytes <= max(bound, FREE_SCRATCH_BYTES) and constant_bytes <= max(
        bound, FREE_CONSTANT_BYTES
    )


def aligned(size_bytes: int) -> int:
    """Round a size up to whole cache lines."""
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def empty_buffer(dtype: str, shape: Shape) -> Array:
    """Return a zeroed array that starts on a cache line and has slack after its end."""
    size_bytes = prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size_bytes + SLACK_BYTES + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size_bytes].view(dtype).reshape(shape)


def buffer_of(array: Array) -> Array:
    """Return a writable copy of an array with slack after its end."""
    copy = empty_buffer(str(array.dtype), array.shape)
    copy[...] = array
    return copy


class StepBuilder:
    """Collects the steps and the scratch memory of one node.

    Only a family that `layout_choice` knows to read or write blocked images meets one.
    """

    def __init__(
        self,
        level: FeatureLevel,
        node: Node,
        operands: Callable[[int], Stored | None],
        results: Sequence[Stored],
        epilogue: Epilogue = NO_EPILOGUE,
    ) -> None:
        self.level = level
        self.node = node
        self.results = tuple(result.tensor for result in results)
        self.stored_results = tuple(results)
        self.epilogue = epilogue
        self.steps: list[Step] = []
        self.scratch_bytes = 0
        self._operands = operands

    def operand(self, index: int) -> Array:
        """Return the buffer of input `index`, which is present."""
        return self.stored(index).tensor

    def optional(self, index: int) -> Array | None:
        """Return the buffer of input `index`, or None where it is absent."""
        stored = self._operands(index)
        return None if stored is None else stored.tensor

    def stored(self, index: int) -> Stored:
        """Return input `index`, which is present, as it lies in memory."""
        stored = self._operands(index)
        if stored is None:
            raise IndexError(f"{self.node.name!r}: input {index} is absent; ask `optional` first")
        return stored

    def constant(self, index: int) -> Array | None:
        """Return the value of input `index` where it is an initializer, else None."""
        return self.node.view.constant_at(index)

    def allows(self, scratch_bytes: int, constant_bytes: int) -> bool:
        """Say whether a node may take so much memory beside its operands and results."""
        return may_take(self.node, scratch_bytes, constant_bytes)

    def scratch(self, dtype: str, size: int) -> Any:
        """Reserve `size` elements that hold nothing between nodes; pass the result to `add`."""
        place = Scratch(dtype, size, self.scratch_bytes)
        size_bytes = size * np.dtype(dtype).itemsize + SLACK_BYTES
        self.scratch_bytes += aligned(size_bytes)
        return place

    def add(self, function: Callable[..., object], *arguments: Any) -> None:
        """Append a call."""
        self.steps.append((function, arguments))


def flat(array: Array) -> Array:
    """Return the elements of a contiguous array as one axis, without a copy."""
    return array.reshape(-1)


def flat_bytes(array: Array) -> Array:
    """Return int8 or uint8 elements as one axis of uint8, without a copy."""
    return array.reshape(-1).view(np.uint8)
