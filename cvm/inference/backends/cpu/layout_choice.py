"""Which values lie in blocks of channels, with how much padding, and where they are converted.

A result lies in blocks if something that reads it gains by that; what cannot read blocks reads a
plain copy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod

from cvm.inference.backends.cpu.im2col import Window, window_of
from cvm.inference.backends.cpu.image_conv import margins, writes_blocks
from cvm.inference.backends.cpu.layout import (
    BLOCK,
    BLOCKED,
    MAX_IMAGE_RANK,
    PLAIN,
    Layout,
    image_shape,
    stored_size,
)
from cvm.inference.backends.cpu.task import Task
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import TensorType

ELEMENTWISE = frozenset(
    {"Abs", "Add", "Ceil", "Clip", "DequantizeLinear", "Div", "Elu", "Erf", "Exp", "Floor"}
    | {"Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Max", "Min", "Mish", "Mul", "Neg"}
    | {"QuantizeLinear", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Sub", "Tanh"}
)
"""Operators that do the same with every element, wherever it lies."""

CONVOLUTIONS = frozenset(("Conv", "ConvInteger", "QLinearConv"))
POOLS = frozenset(("GlobalAveragePool", "MaxPool"))
MAX_PADDING = 2
"""A value may take so many times the memory of its elements to have padding around."""


@dataclass(frozen=True, slots=True)
class Move:
    """A conversion of a value to another layout, under a new name."""

    source: str
    target: str
    type: TensorType

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the name of the value that is read."""
        return (self.source,)


@dataclass(slots=True)
class Program:
    """Tasks and conversions in order, and the layouts of the values that are not plain.

    `results` has the names under which the graph's outputs are kept.
    """

    steps: list[Task | Move] = field(default_factory=list)
    layouts: dict[str, Layout] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)

    def layout(self, name: str) -> Layout:
        """Return the layout of a value."""
        return self.layouts.get(name, PLAIN)

    def add(self, task: Task, layout: Layout) -> None:
        """Append a task; all its outputs get one layout."""
        self.steps.append(task)
        for name, tensor_type in zip(task.outputs, task.output_types, strict=True):
            self.types[name] = tensor_type
            if layout != PLAIN:
                self.layouts[name] = layout

    def converted(self, name: str, layout: Layout) -> str:
        """Return the name of a value in a layout, which is PLAIN or BLOCKED."""
        if name not in self.types or self.layout(name) == layout:
            return name
        target = f"{name}\0{'plain' if layout == PLAIN else 'blocked'}"
        if target not in self.types:
            self.steps.append(Move(name, target, self.types[name]))
            self.types[target] = self.types[name]
            if layout != PLAIN:
                self.layouts[target] = layout
        return target


def plain_program(graph: Graph, tasks: list[Task]) -> Program:
    """Return a program in which every value is plain."""
    program = Program(types={value.name: value.type for value in graph.inputs})
    for task in tasks:
        program.add(task, PLAIN)
    program.results = [value.name for value in graph.outputs]
    return program


def blocked_program(
    graph: Graph, tasks: list[Task], is_blockable: Callable[[Node], bool]
) -> Program:
    """Return a program in which images lie in blocks where that helps convolutions."""
    choice = _Choice(graph, tasks, is_blockable)
    program = Program(types={value.name: value.type for value in graph.inputs})
    for task in tasks:
        choice.place(task, program)
    program.results = [program.converted(value.name, PLAIN) for value in graph.outputs]
    return program


class _Choice:
    """What is known of the readers of every value while layouts are chosen."""

    def __init__(
        self, graph: Graph, tasks: list[Task], is_blockable: Callable[[Node], bool]
    ) -> None:
        self._kept = {value.name for value in graph.outputs}
        self._is_convolution = {
            id(task): task.node.spec.name in CONVOLUTIONS and is_blockable(task.node)
            for task in tasks
        }
        self._readers: dict[str, list[Task]] = {}
        self._gains: set[str] = set()
        for task in reversed(tasks):
            for name in task.reads:
                self._readers.setdefault(name, []).append(task)
                if self._gains_by(task, name):
                    self._gains.add(name)

    def place(self, task: Task, program: Program) -> None:
        """Append a task and the conversions that it needs."""
        name = task.node.spec.name
        has_blocks = any(program.layout(name) != PLAIN for name in task.inputs)
        if self._is_convolution[id(task)]:
            self._place_convolution(task, program)
        elif name in POOLS and has_blocks:
            program.add(task, BLOCKED if name == "MaxPool" else PLAIN)
        elif has_blocks and is_elementwise(task) and task.outputs[0] in self._gains:
            program.add(_reading(task, program, BLOCKED), BLOCKED)
        else:
            program.add(_reading(task, program, PLAIN), PLAIN)

    def _place_convolution(self, task: Task, program: Program) -> None:
        """Append a convolution, which reads any layout."""
        if task.addend and program.layout(task.addend) == PLAIN:
            task = replace(task, addend=program.converted(task.addend, BLOCKED))
        may_block = writes_blocks(task.node.parameters)
        if may_block and (task.addend or task.outputs[0] in self._gains):
            program.add(task, self._padded(task.outputs[0], task.output_types[0]))
        else:
            program.add(task, PLAIN)

    def _gains_by(self, task: Task, name: str) -> bool:
        """Say whether a reader is the faster for blocks."""
        if self._is_convolution[id(task)]:
            return name in (task.inputs[0], task.addend)
        if task.node.spec.name in POOLS:
            return len(task.output_types[0].shape) <= MAX_IMAGE_RANK
        return is_elementwise(task) and task.outputs[0] in self._gains

    def _padded(self, name: str, tensor_type: TensorType) -> Layout:
        """Return blocks with the padding that the convolutions want that read a value."""
        readers = self._readers.get(name, [])
        accepts = all(
            task.node.spec.name in POOLS or self._is_convolution[id(task)] for task in readers
        )
        convolutions = [
            task for task in readers if self._is_convolution[id(task)] and task.inputs[0] == name
        ]
        fills = {padding_value(task.node) for task in convolutions}
        if name in self._kept or not accepts or len(fills) != 1 or None in fills:
            return BLOCKED
        needs = [margins(_window(task.node)) for task in convolutions]
        top, left, bottom, right = (max(side) for side in zip(*needs, strict=True))
        layout = Layout(BLOCK, top, left, bottom, right, fills.pop() or 0)
        if not layout.is_padded:
            return BLOCKED
        shape = tensor_type.shape
        return layout if stored_size(shape, layout) <= MAX_PADDING * prod(shape) else BLOCKED


def padding_value(node: Node) -> int | None:
    """Return what a convolution's padded taps must hold, None where it copies its image anyway."""
    if node.spec.name == "Conv":
        return 0
    x = node.view.type_at(0)
    return int(node.parameters.x_zero) if x is not None and x.dtype == "uint8" else None


def is_elementwise(task: Task) -> bool:
    """Say whether a task may run on blocked values as on plain ones.

    All it reads has the shape of its result or is one number, and channels fill their blocks. A
    quantised sum does not mind lanes without a channel.
    """
    shape = task.output_types[0].shape
    if task.terms is not None:
        return 3 <= len(shape) <= MAX_IMAGE_RANK
    if task.node.spec.name not in ELEMENTWISE or not 3 <= len(shape) <= MAX_IMAGE_RANK:
        return False
    if image_shape(shape)[1] % BLOCK:
        return False
    for index, name in enumerate(task.inputs):
        operand = task.node.view.type_at(index)
        constant = task.node.view.constant_at(index)
        if not name or operand is None or operand.size == 1:
            continue
        if constant is not None or operand.shape != shape:
            return False
    return True


def _window(node: Node) -> Window:
    """Return the window of a convolution."""
    return window_of(node.parameters, node.parameters.input_shape[2:])


def _reading(task: Task, program: Program, layout: Layout) -> Task:
    """Return a task that reads all images in one layout; values of one element stay plain."""

    def name_in_layout(name: str) -> str:
        known = program.types.get(name)
        if known is None or (layout != PLAIN and known.size == 1):
            return name
        return program.converted(name, layout)

    return replace(task, inputs=tuple(map(name_in_layout, task.inputs)))
