"""A graph made ready for this CPU: kernels chosen and compiled, weights packed, memory laid out."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from cvm.faults import OutOfMemory
from cvm.inference.backends.backend import Trace
from cvm.inference.backends.cpu import quantised_sum
from cvm.inference.backends.cpu.arena import allocate
from cvm.inference.backends.cpu.blocked_families import is_blockable
from cvm.inference.backends.cpu.feature_level import FeatureLevel
from cvm.inference.backends.cpu.fusion import fused
from cvm.inference.backends.cpu.layout import move_image
from cvm.inference.backends.cpu.layout_choice import (
    Move,
    Program,
    blocked_program,
    plain_program,
)
from cvm.inference.backends.cpu.native_program import native_program
from cvm.inference.backends.cpu.step_builder import (
    Epilogue,
    Scratch,
    Step,
    StepBuilder,
    Stored,
    buffer_of,
    empty_buffer,
)
from cvm.inference.backends.cpu.table import builder_of
from cvm.inference.backends.cpu.task import Task, unfused
from cvm.inference.backends.early_nodes import with_early_values
from cvm.inference.cost import Cost
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_bytes import canonical_nan
from cvm.inference.tensor_type import Array

SHORT_WORK = 2**20
"""Bytes, products and vector steps of a run of at most some 30 microseconds on one core."""

TRANSCENDENTAL_WORK = 75
"""What a transcendental function of one element counts as."""


class CpuPlan:
    """The steps of every node over fixed buffers; one thread at a time may run it."""

    def __init__(self, graph: Graph, level: FeatureLevel) -> None:
        self._graph = graph
        self._level = level
        early = with_early_values(graph)
        self._steps = self._made(early, blocked_program(early, fused(early), is_blockable), False)

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item; see `backend.Plan`. The outputs are copies, with canonical NaNs.

        The first run with a trace makes a second plan, in which nothing is fused.
        """
        steps = self._steps if trace is None else self._unfused
        try:
            return steps.run(inputs, trace)
        except MemoryError as error:
            raise OutOfMemory(self._graph.cost.peak_bytes) from error

    def calls(self) -> tuple[Step, ...]:
        """Return what one run calls, in order: each function with its arguments."""
        return tuple(step for _, steps, _ in self._steps.tasks for step in steps)

    def program(self) -> tuple[Callable[[], object], ...]:
        """Return what one run calls between copying the inputs in and the outputs out."""
        return self._steps.program

    @cached_property
    def _unfused(self) -> "_Steps":
        """Return steps that make every value of the graph."""
        return self._made(self._graph, plain_program(self._graph, unfused(self._graph)), True)

    def _made(self, graph: Graph, program: Program, may_trace: bool) -> "_Steps":
        """Return the steps of a program."""
        try:
            return _Steps(graph, program, self._level, may_trace)
        except MemoryError as error:
            raise OutOfMemory(self._graph.cost.peak_bytes) from error


class _Steps:
    """A program laid out in memory: for each task the node it ends with, its calls and results.

    Without `may_trace` no node is kept, nor a constant that lies in memory in another form.
    """

    def __init__(
        self, graph: Graph, program: Program, level: FeatureLevel, may_trace: bool
    ) -> None:
        self._values = dict(allocate(graph, program))
        self._constants = dict(graph.constants)
        builders = [(step, self._built(step, level)) for step in program.steps]
        pool_size = max((b.scratch_bytes for _, b in builders if b is not None), default=0)
        pool = empty_buffer("uint8", (pool_size,))
        self.tasks: list[tuple[Node | None, list[Step], tuple[Array, ...]]] = []
        for step, builder in builders:
            if isinstance(step, Move):
                self.tasks.append((None, [self._moved(step)], ()))
            elif builder is not None:
                steps = [_resolved(call, pool) for call in builder.steps]
                self.tasks.append((step.node if may_trace else None, steps, builder.results))
        calls = [call for _, steps, _ in self.tasks for call in steps]
        self.program = native_program(calls, keeps_lock=is_short(graph.cost))
        self._inputs = [self._values[value.name].tensor for value in graph.inputs]
        self._outputs = [self._values[name].tensor for name in program.results]
        self._constants = {}

    def run(self, inputs: Sequence[Array], trace: Trace | None) -> tuple[Array, ...]:
        """Run one item; the buffers of the outputs are copied."""
        for buffer, array in zip(self._inputs, inputs, strict=True):
            np.copyto(buffer, array, casting="no")
        if trace is None:
            for call in self.program:
                call()
        else:
            self._run_traced(trace)
        return tuple(canonical_nan(buffer.copy()) for buffer in self._outputs)

    def _run_traced(self, trace: Trace) -> None:
        """Call one kernel after the other, and report copies of what each node made."""
        for node, steps, results in self.tasks:
            for function, arguments in steps:
                function(*arguments)
            if node is not None:
                trace(node, tuple(canonical_nan(result.copy()) for result in results))

    def _built(self, step: Task | Move, level: FeatureLevel) -> StepBuilder | None:
        """Return the builder of a task, its steps made; None for a conversion."""
        if isinstance(step, Move):
            return None
        addend = self._value(step.addend)
        epilogue = Epilogue(addend, step.low, step.high)
        results = [self._values[name] for name in step.outputs]
        builder = StepBuilder(level, step.node, self._by_index(step), results, epilogue)
        if step.terms is None:
            builder_of(step.node)(builder)
        else:
            quantised_sum.build(builder, step.terms)
        return builder

    def _by_index(self, task: Task) -> Callable[[int], Stored | None]:
        """Return a function from input index to value; an input that is not listed is absent."""
        names = task.inputs
        return lambda index: self._value(names[index]) if index < len(names) else None

    def _value(self, name: str) -> Stored | None:
        """Return a value by name, None for an empty one."""
        if not name:
            return None
        if name not in self._values:
            constant = buffer_of(self._constants[name])
            self._values[name] = Stored(constant.reshape(-1), constant.shape)
        return self._values[name]

    def _moved(self, move: Move) -> Step:
        """Return the call that converts a value."""
        source, target = self._values[move.source], self._values[move.target]
        return move_image, (source.array, source.places, target.array, target.places, 0)


def is_short(cost: Cost) -> bool:
    """Say whether a run takes microseconds, by what it moves and computes."""
    products = cost.float32_macs + cost.int8_macs
    work = (
        cost.bytes_moved + products + cost.elementwise + TRANSCENDENTAL_WORK * cost.transcendental
    )
    return work <= SHORT_WORK


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
