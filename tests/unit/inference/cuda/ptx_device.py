"""A device of the CUDA backend that interprets compiled PTX and checks every access.

A launch may touch its record, which is constant, and the buffers that the record names: constants
and tables to read, operands, results and scratch memory of its node. Before a node its results and
scratch memory count as never written, and a result must be whole when it is copied back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from unittest.mock import patch
from weakref import WeakValueDictionary

import numpy as np

from cvm.inference.backends.cuda import arena, launch_builder, plan
from cvm.inference.backends.cuda.device import Kernel, Launch
from cvm.inference.backends.cuda.launch_builder import (
    ConstantPool,
    LaunchBuilder,
    Place,
    PlannedLaunch,
    Region,
)
from cvm.inference.backends.cuda.plan import WORD_BYTES, CudaPlan, Planned
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_faults import OutputNotWritten
from tests.unit.inference.cuda.ptx_machine import LinkedKernel
from tests.unit.inference.cuda.ptx_memory import CheckedMemory, Extent, MemoryBlock

GUARD_BYTES = 256
FAULT_BYTES = 4
FIRST_ADDRESS = 0x7000_0000_0000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a launch may touch; its node, by its results; what only the node itself writes."""

    extents: tuple[Extent, ...]
    node: tuple[str, ...]
    made: tuple[Extent, ...]


class PtxDevice:
    """Interprets launches at once; `kernels` returns those of a source file, ready to run."""

    def __init__(self, kernels: Callable[[str], Mapping[str, LinkedKernel]]) -> None:
        self._kernels = kernels
        self._memories: WeakValueDictionary[int, MemoryBlock] = WeakValueDictionary()
        self._next_address = FIRST_ADDRESS
        self.allowances: dict[int, Allowance] = {}
        self.launched: list[Kernel] = []

    def allocate(self, size_bytes: int) -> MemoryBlock:
        memory = MemoryBlock(self._next_address, size_bytes)
        self._memories[memory.address] = memory
        self._next_address += memory.data.size + GUARD_BYTES
        self.allowances.clear()
        return memory

    def upload(self, address: int, array: Array) -> None:
        self._memory_at(address).fill(address, array.reshape(-1).view(np.uint8))

    def download(self, address: int, array: Array) -> None:
        memory = self._memory_at(address)
        if not memory.is_written(address, array.nbytes):
            raise OutputNotWritten("download", f"{array.nbytes} bytes at {address:#x}")
        start = address - memory.address
        array.reshape(-1).view(np.uint8)[:] = memory.data[start : start + array.nbytes]

    def replace_word(self, record: int, old: int, new: int) -> None:
        """Spoil a record: put another number where a number stands, to see what notices."""
        memory = self._memory_at(record)
        (size_bytes,) = (
            e.size_bytes for e in self.allowances[record].extents if e.address == record
        )
        start = record - memory.address
        words = memory.data[start : start + size_bytes].view(np.int64)
        words[words == old] = new

    def wait(self) -> None:
        """Every launch has ended when `run` returns."""

    def run(self, launches: Sequence[Launch]) -> None:
        node: tuple[str, ...] = ()
        for launch in launches:
            allowance = self.allowances[launch.record_address]
            memory = self._memory_at(launch.record_address)
            if allowance.node != node:
                for extent in allowance.made:
                    memory.forget(extent.address, extent.size_bytes)
                node = allowance.node
            self.launched.append(launch.kernel)
            kernel = self._kernels(launch.kernel.source)[launch.kernel.name]
            checked = CheckedMemory(launch.kernel.name, memory, allowance.extents)
            kernel.run(launch.blocks, [launch.record_address], checked)

    def recorded(self, launches: Sequence[Launch]) -> Callable[[], None]:
        return lambda: self.run(launches)

    def _memory_at(self, address: int) -> MemoryBlock:
        start = max(base for base in self._memories if base <= address)
        return self._memories[start]


class PtxBackend:
    """Plans graphs for a `PtxDevice`, and tells it what each launch may touch."""

    def __init__(self, device: PtxDevice) -> None:
        self._device = device

    @property
    def name(self) -> str:
        return "ptx"

    def plan(self, graph: Graph) -> CudaPlan:
        notes = _Notes()
        with (
            patch.object(arena, "aligned", _guarded_size),
            patch.object(launch_builder, "aligned", _guarded_size),
            patch.object(plan, "aligned", _guarded_size),
            patch.object(ConstantPool, "add", notes.adding(ConstantPool.add)),
            patch.object(LaunchBuilder, "scratch", notes.reserving(LaunchBuilder.scratch)),
        ):
            return _WatchedPlan(graph, self._device, notes)


def _guarded_size(size_bytes: int) -> int:
    """Return what a buffer takes of memory, with bytes behind it that belong to nobody."""
    return -(-size_bytes // arena.ALIGNMENT) * arena.ALIGNMENT + GUARD_BYTES


_Add = Callable[[ConstantPool, Array], Place]
_Reserve = Callable[..., Place]


@dataclass(frozen=True, slots=True)
class _Notes:
    """The exact size of each constant by its offset, and of scratch memory by node and offset."""

    constants: dict[int, int] = field(default_factory=dict)
    scratch: dict[tuple[str, ...], dict[int, int]] = field(default_factory=dict)

    def adding(self, original: _Add) -> _Add:
        """Return `ConstantPool.add` that notes sizes."""

        def add(pool: ConstantPool, array: Array) -> Place:
            place = original(pool, array)
            self.constants[place.offset] = array.nbytes
            return place

        return add

    def reserving(self, original: _Reserve) -> _Reserve:
        """Return `LaunchBuilder.scratch` that notes sizes."""

        def scratch(builder: LaunchBuilder, dtype: str, *lengths: int) -> Place:
            place = original(builder, dtype, *lengths)
            sizes = self.scratch.setdefault(tuple(builder.node.outputs), {})
            sizes[place.offset] = prod(lengths) * np.dtype(dtype).itemsize
            return place

        return scratch


class _WatchedPlan(CudaPlan):
    """A plan that lists for the device what each launch may touch."""

    def __init__(self, graph: Graph, device: PtxDevice, notes: _Notes) -> None:
        self._allowances = device.allowances
        self._notes = notes
        self._types = {value.name: value.type for value in graph.inputs}
        for node in graph.nodes:
            self._types.update(zip(node.outputs, node.output_types, strict=True))
        super().__init__(graph, device)

    def _linked(self, planned: Sequence[Planned]) -> list[tuple[Node, list[Launch] | None]]:
        linked = super()._linked(planned)
        for (node, launches), (_, ready) in zip(planned, linked, strict=True):
            for launch, entry in zip(launches or (), ready or (), strict=True):
                allowance = self._allowance(node, launch, entry.record_address)
                self._allowances[entry.record_address] = allowance
        return linked

    def _allowance(self, node: Node, launch: PlannedLaunch, record: int) -> Allowance:
        constants = self._extents(Region.CONSTANTS, self._notes.constants, is_constant=True)
        scratch = self._extents(Region.SCRATCH, self._notes.scratch.get(tuple(node.outputs), {}))
        results = self._values(node.outputs)
        fault = Extent(self._bases[Region.FAULT], FAULT_BYTES)
        # First the constants: a view of one lies where it lies.
        known = [*constants, *scratch, *self._values(node.inputs), *results, fault]
        places = {self._address(word) for word in launch.words if isinstance(word, Place)}
        named = {_holding(known, place) for place in places}
        named.add(Extent(record, WORD_BYTES * len(launch.words), is_constant=True))
        return Allowance(tuple(sorted(named)), tuple(node.outputs), (*results, *scratch))

    def _values(self, names: Iterable[str]) -> list[Extent]:
        """Return where inputs of the graph and results of nodes lie."""
        known = dict.fromkeys(name for name in names if name in self._types)
        return [Extent(self._addresses[n], self._types[n].size_bytes) for n in known]

    def _extents(
        self, region: Region, sizes: Mapping[int, int], is_constant: bool = False
    ) -> list[Extent]:
        base = self._bases[region]
        return [Extent(base + offset, size, is_constant) for offset, size in sizes.items()]


def _holding(known: Iterable[Extent], address: int) -> Extent:
    """Return the buffer that an address of a record lies in."""
    return next(e for e in known if e.address <= address < e.address + max(e.size_bytes, 1))
