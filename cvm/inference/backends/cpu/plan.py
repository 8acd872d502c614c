"""A graph made ready for this CPU: kernels chosen and compiled, weights packed, memory laid out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cvm.faults import OutOfMemory
from cvm.inference.backends.backend import Trace
from cvm.inference.backends.cpu.arena import allocate
from cvm.inference.backends.cpu.compilation import compile_for
from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.step_builder import (
    Scratch,
    Step,
    StepBuilder,
    buffer_of,
    empty_buffer,
)
from cvm.inference.backends.cpu.table import builder_of
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_bytes import canonical_nan
from cvm.inference.tensor_type import Array


class CpuPlan:
    """The steps of every node over fixed buffers; one thread at a time may run it."""

    def __init__(self, graph: Graph, level: FeatureLevel) -> None:
        self._peak_bytes = graph.cost.peak_bytes
        try:
            self._prepare(graph, level)
        except MemoryError as error:
            raise OutOfMemory(self._peak_bytes) from error

    def _prepare(self, graph: Graph, level: FeatureLevel) -> None:
        """Lay out memory, build the steps of every node, and compile what they call."""
        arrays = allocate(graph)
        constants: dict[str, Array] = {}

        def operand(name: str) -> Array | None:
            if not name:
                return None
            if name in arrays:
                return arrays[name]
            if name not in constants:
                constants[name] = buffer_of(graph.constants[name])
            return constants[name]

        builders = []
        for node in graph.nodes:
            builder = StepBuilder(
                level, node, _by_index(node, operand), [arrays[name] for name in node.outputs]
            )
            builder_of(node)(builder)
            builders.append(builder)
        pool = empty_buffer("uint8", (max((b.scratch_bytes for b in builders), default=0),))
        self._nodes = [
            (builder.node, [_resolved(step, pool) for step in builder.steps], builder.results)
            for builder in builders
        ]
        self._steps = [step for _, steps, _ in self._nodes for step in steps]
        for function, arguments in self._steps:
            compile_for(function, arguments)
        self._inputs = [arrays[value.name] for value in graph.inputs]
        self._outputs = [arrays[value.name] for value in graph.outputs]

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item; see `backend.Plan`. The outputs are copies, with canonical NaNs."""
        try:
            for buffer, array in zip(self._inputs, inputs, strict=True):
                np.copyto(buffer, array, casting="no")
            if trace is None:
                for function, arguments in self._steps:
                    function(*arguments)
            else:
                self._run_traced(trace)
            return tuple(canonical_nan(buffer.copy()) for buffer in self._outputs)
        except MemoryError as error:
            raise OutOfMemory(self._peak_bytes) from error

    def calls(self) -> tuple[Step, ...]:
        """Return what one run calls, in order: each function with its arguments."""
        return tuple(self._steps)

    def _run_traced(self, trace: Trace) -> None:
        """Run node by node and report copies of what each made."""
        for node, steps, results in self._nodes:
            for function, arguments in steps:
                function(*arguments)
            trace(node, tuple(canonical_nan(result.copy()) for result in results))


def _by_index(node: Node, operand: Callable[[str], Array | None]) -> Callable[[int], Array | None]:
    """Return a function from input index to buffer; an input that is not listed is absent."""
    return lambda index: operand(node.inputs[index]) if index < len(node.inputs) else None


def _resolved(step: Step, pool: Array) -> Step:
    """Put arrays in the place of scratch reservations."""
    function, arguments = step
    return function, tuple(_argument(argument, pool) for argument in arguments)


def _argument(argument: Any, pool: Array) -> Any:
    """Return the argument itself, or the part of the pool that a `Scratch` stands for."""
    if not isinstance(argument, Scratch):
        return argument
    size_bytes = argument.size * np.dtype(argument.dtype).itemsize
    return pool[argument.offset : argument.offset + size_bytes].view(argument.dtype)
