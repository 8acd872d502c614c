"""A graph made ready for a device: weights uploaded, memory laid out, launches listed."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from cvm.inference.backends.backend import Trace
from cvm.inference.backends.cuda.arena import VIEWS, aligned, lay_out
from cvm.inference.backends.cuda.definition import definition_step
from cvm.inference.backends.cuda.device import Device, Launch
from cvm.inference.backends.cuda.launch_builder import (
    ConstantPool,
    LaunchBuilder,
    Place,
    PlannedLaunch,
    Region,
    Word,
)
from cvm.inference.backends.cuda.table import builder_of
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_bytes import canonical_nan
from cvm.inference.tensor_type import Array, TensorType

WORD_BYTES = 8

Planned = tuple[Node, Sequence[PlannedLaunch] | None]
"""A node with its launches, or None where it runs by its definition."""


class CudaPlan:
    """The steps of every node over one block of device memory; one thread may run it."""

    def __init__(self, graph: Graph, device: Device) -> None:
        layout = _Layout(graph)
        planned = [(node, layout.launches_of(i, node)) for i, node in enumerate(graph.nodes)]
        records = [launch for _, launches in planned for launch in launches or ()]
        sizes = layout.region_bytes(records)
        self._device = device
        self._memory = device.allocate(sum(sizes))
        self._bases = [self._memory.address + sum(sizes[:region]) for region in Region]
        self._upload_at(self._bases[Region.CONSTANTS], layout.constants.contents())
        self._upload_at(self._bases[Region.RECORDS], self._record_words(records))
        self._addresses = {name: self._address(place) for name, place in layout.places.items()}
        self._nodes = self._linked(planned)
        self._checking = frozenset(layout.checking)
        self._steps = list(self._joined_steps())
        self._inputs = [(value.name, _empty(value.type)) for value in graph.inputs]
        self._outputs = [(value.name, value.type) for value in graph.outputs]

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item; see `backend.Plan`. The outputs have canonical NaNs."""
        self._begin(inputs)
        if trace is None:
            self.execute()
            if self._has_fault():
                self._begin(inputs)
                self._run_traced(_ignore)
        else:
            self._run_traced(trace)
        return tuple(canonical_nan(self._download(name, kind)) for name, kind in self._outputs)

    def _begin(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs of an item to the device, and forget any fault."""
        for (name, staging), array in zip(self._inputs, inputs, strict=True):
            np.copyto(staging, array, casting="no")
            self._upload(name, staging)
        if self._checking:
            self._upload_at(self._bases[Region.FAULT], np.zeros(1, np.int32))

    def _has_fault(self) -> bool:
        """Return whether a kernel has met an index outside since `_begin`."""
        fault = np.zeros(1, np.int32)
        if self._checking:
            self._device.download(self._bases[Region.FAULT], fault)
        return bool(fault[0])

    def execute(self) -> None:
        """Start the work of one item on the inputs of the last run; copy and await nothing."""
        for step in self._steps:
            step()

    def _run_traced(self, trace: Trace) -> None:
        """Run node by node and report what each made, before anything can overwrite it.

        A node whose kernels met an index outside is run by its definition, which names the
        index: it raises `InputOutOfRange`.
        """
        for index, (node, launches) in enumerate(self._nodes):
            if launches is not None:
                self._device.run(launches)
            if launches is None or (index in self._checking and self._has_fault()):
                self._definition_step(node)()
            made = zip(node.outputs, node.output_types, strict=True)
            trace(node, tuple(canonical_nan(self._download(name, kind)) for name, kind in made))

    def _joined_steps(self) -> Iterator[Callable[[], None]]:
        """Yield the work of all nodes; the launches of neighbours make one step."""
        for on_device, nodes in groupby(self._nodes, lambda entry: entry[1] is not None):
            if on_device:
                launches = [launch for _, linked in nodes for launch in linked or ()]
                yield self._device.recorded(launches)
            else:
                yield from (self._definition_step(node) for node, _ in nodes)

    def _definition_step(self, node: Node) -> Callable[[], None]:
        return definition_step(node, self._download, self._upload)

    def _address(self, place: Place) -> int:
        """Return where a place of the plan's memory is on the device."""
        return self._bases[place.region] + place.offset

    def _word(self, word: Word) -> int:
        """Return the number that stands for a word in a record."""
        if word is None:
            return 0
        return self._address(word) if isinstance(word, Place) else word

    def _record_words(self, launches: Sequence[PlannedLaunch]) -> Array:
        """Return the records of all launches, one after the other."""
        words = [self._word(word) for launch in launches for word in launch.words]
        return np.array(words, np.int64)

    def _linked(self, planned: Sequence[Planned]) -> list[tuple[Node, list[Launch] | None]]:
        """Return the launches of each node with the addresses of their records."""
        address = self._bases[Region.RECORDS]
        nodes: list[tuple[Node, list[Launch] | None]] = []
        for node, launches in planned:
            linked: list[Launch] = []
            for launch in launches or ():
                linked.append(Launch(launch.kernel, launch.blocks, address))
                address += WORD_BYTES * len(launch.words)
            nodes.append((node, None if launches is None else linked))
        return nodes

    def _upload(self, name: str, array: Array) -> None:
        self._upload_at(self._addresses[name], array)

    def _upload_at(self, address: int, array: Array) -> None:
        if array.size:
            self._device.upload(address, array)

    def _download(self, name: str, tensor_type: TensorType) -> Array:
        array = _empty(tensor_type)
        if array.size:
            self._device.download(self._addresses[name], array)
        return array


class _Layout:
    """Where every value lies, and the constants and scratch memory that kernels ask for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._scratch_bytes = 0
        offsets, self._activation_bytes = lay_out(graph)
        self.constants = ConstantPool()
        self.checking: set[int] = set()
        self.places = {name: Place(Region.ACTIVATIONS, at) for name, at in offsets.items()}

    def launches_of(self, index: int, node: Node) -> Sequence[PlannedLaunch] | None:
        """Return the launches of node number `index`, or None where no kernel runs it.

        A view has no launches and lies where its source lies.
        """
        if node.spec.name in VIEWS:
            self.places[node.outputs[0]] = self._locate(node.inputs[0])
            return ()
        build = builder_of(node)
        if build is None:
            return None
        builder = LaunchBuilder(node, self._locate, self.constants)
        build(builder)
        self._scratch_bytes = max(self._scratch_bytes, builder.scratch_bytes)
        if builder.checks_indices:
            self.checking.add(index)
        return builder.launches

    def region_bytes(self, launches: Sequence[PlannedLaunch]) -> list[int]:
        """Return the bytes of each region, in the order of `Region`."""
        record_bytes = WORD_BYTES * sum(len(launch.words) for launch in launches)
        sizes = (
            self.constants.size_bytes,
            self._activation_bytes,
            self._scratch_bytes,
            record_bytes,
            WORD_BYTES,
        )
        return [aligned(size_bytes) for size_bytes in sizes]

    def _locate(self, name: str) -> Place:
        """Return where a value lies; a constant joins the pool when it is first asked for."""
        if name not in self.places:
            self.places[name] = self.constants.add(self._graph.constants[name])
        return self.places[name]


def _ignore(_node: Node, _outputs: tuple[Array, ...]) -> None:
    """Take no notice of what a node made."""


def _empty(tensor_type: TensorType) -> Array:
    """Return an array of a type with undefined contents."""
    return np.empty(tensor_type.shape, tensor_type.dtype)
