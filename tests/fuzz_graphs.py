"""Draws random graphs of every operator, with random shapes, attributes and extreme values."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, Graph, Node, NodeView, Value
from cvm.inference.graph_builder import graph_cost, node_cost
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, TensorType, type_of
from cvm.inference.vectors import Vector

MAX_WORK = 500_000
"""Cost up to which a node is taken; the reference takes microseconds for each unit."""
MAX_RESULT = 2**14
"""Elements up to which a node's result is taken."""
CHANGE_SHARE = 0.5
EXTREME_BITS = [
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x3F800000,
    0xBF800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFC12345,
    0x4B000000, 0x4F000000, 0xCF000000, 0x5F000000, 0x3F000000, 0xBF000001, 0x42B17218, 0xC2CFF1B5,
]  # fmt: skip
"""Zeros, subnormals, ones, the largest, infinities, NaNs, limits of integers and of exp."""
ATTRIBUTES: list[AttributeValue] = [
    0, 1, -1, 2, 3, (0,), (1,), (-1,), (1, 1), (2, 2), (3, 2), (2, 1, 1, 2), (0, 1), (1, 0),
    np.float32(0.5), np.float32(-2), np.float32(1e-30), "SAME_UPPER", "SAME_LOWER", "VALID",
]  # fmt: skip


@dataclass(slots=True)
class GraphDraft:
    """A graph that grows node by node; only nodes that keep the engine's rules are taken."""

    inputs: list[Value] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def feed(self, array: Array) -> str:
        """Add a graph input with its value."""
        name = f"x{len(self.inputs)}"
        self.inputs.append(Value(name, type_of(array)))
        self.arrays.append(array)
        self.types[name] = type_of(array)
        return name

    def graph(self) -> Graph:
        """Return the graph; every value that no node reads is an output."""
        read = {name for node in self.nodes for name in node.inputs}
        made = [name for node in self.nodes for name in node.outputs if name]
        outputs = tuple(Value(name, self.types[name]) for name in made if name not in read)
        used = {name: array for name, array in self.constants.items() if name in read}
        cost = graph_cost(tuple(self.inputs), outputs, self.nodes, used)
        return Graph(tuple(self.inputs), outputs, tuple(self.nodes), used, cost)


def drawn_graph(
    vectors: Sequence[Vector], source: random.Random, nodes: int
) -> tuple[Graph, list[Array]]:
    """Return a graph of so many nodes and its inputs; a node starts as a golden vector.

    Shapes, attributes and values of the vector change, and its inputs are earlier results where
    those are accepted.
    """
    draft = GraphDraft()
    while len(draft.nodes) < nodes:
        _append(draft, vectors[source.randrange(len(vectors))], source)
    return draft.graph(), draft.arrays


def _append(draft: GraphDraft, vector: Vector, source: random.Random) -> None:
    """Add a changed vector, or as much of the change as the operator takes."""
    changed = _changed(vector, source)
    for candidate in (changed, vector):
        links = _links(draft, candidate, source)
        if links and _added(draft, candidate, links, source):
            return
        if _added(draft, candidate, {}, source):
            return


def _changed(vector: Vector, source: random.Random) -> Vector:
    """Return a vector with other shapes, attributes or values."""
    attributes = dict(vector.attributes)
    names = sorted(OPERATORS[vector.domain, vector.op_type].attributes)
    if names and source.random() < CHANGE_SHARE:
        attributes[source.choice(names)] = source.choice(ATTRIBUTES)
    inputs = list(vector.inputs)
    if source.random() < CHANGE_SHARE:
        inputs = _reshaped(inputs, source)
    live = [i for i, a in enumerate(inputs) if a is not None and i not in vector.constants]
    for index in live:
        array = inputs[index]
        if array is not None and source.random() < CHANGE_SHARE:
            inputs[index] = _refilled(array, source)
    constants = vector.constants
    if live and source.random() < 0.15:
        constants |= {i for i in live[1:] if _is_finite(inputs[i])}
    return replace(vector, attributes=attributes, inputs=tuple(inputs), constants=constants)


def _is_finite(array: Array | None) -> bool:
    return array is not None and (array.dtype != np.float32 or bool(np.isfinite(array).all()))


def _reshaped(inputs: list[Array | None], source: random.Random) -> list[Array | None]:
    """Change one dimension everywhere where it has the same extent, so that operands still fit."""
    extents = sorted({extent for a in inputs if a is not None for extent in a.shape})
    if not extents:
        return inputs
    old, new = source.choice(extents), source.choice([1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33])
    return [
        None
        if array is None
        else np.resize(array, [new if extent == old else extent for extent in array.shape])
        for array in inputs
    ]


def _refilled(array: Array, source: random.Random) -> Array:
    """Return other values: ordinary ones, extreme ones, or a mixture."""
    rng = np.random.default_rng(source.getrandbits(32))
    if array.dtype == np.bool_:
        return rng.integers(0, 2, array.shape).astype(np.bool_)
    if array.dtype != np.float32:
        limits = np.iinfo(array.dtype)
        if array.dtype == np.int64 or source.random() < CHANGE_SHARE:
            return rng.permutation(array.reshape(-1)).reshape(array.shape)
        return rng.integers(limits.min, limits.max, array.shape, array.dtype, endpoint=True)
    ordinary = rng.standard_normal(array.shape).astype(np.float32)
    if source.random() < 0.3:
        return ordinary
    if source.random() < 0.3:
        words = rng.integers(0, 2**32, array.shape, np.uint32)
    else:
        words = rng.choice(np.array(EXTREME_BITS, np.uint32), array.shape)
    share = source.choice([0.1, 0.5, 1.0])
    return np.where(rng.random(array.shape) < share, words, ordinary.view(np.uint32)).view(
        np.float32
    )


def _links(draft: GraphDraft, vector: Vector, source: random.Random) -> dict[int, str]:
    """Return earlier values that may stand for live inputs: of the same dtype and rank."""
    links: dict[int, str] = {}
    for index, array in enumerate(vector.inputs):
        if array is None or index in vector.constants or source.random() < 0.3:
            continue
        kind = type_of(array)
        fitting = [
            name
            for name, known in draft.types.items()
            if known.dtype == kind.dtype and (known.rank == kind.rank or index == 0)
        ]
        if fitting:
            links[index] = source.choice(fitting[-8:])
    return links


def _added(draft: GraphDraft, vector: Vector, links: dict[int, str], source: random.Random) -> bool:
    """Add a node if the operator's rules take it and it is small."""
    spec = OPERATORS[vector.domain, vector.op_type]
    count = len(vector.inputs)
    while count and vector.inputs[count - 1] is None:
        count -= 1
    operands = vector.inputs[:count]
    types = tuple(
        draft.types[links[i]] if i in links else None if a is None else type_of(a)
        for i, a in enumerate(operands)
    )
    constants = tuple(
        a if i in vector.constants and i not in links else None for i, a in enumerate(operands)
    )
    outputs = len(vector.outputs) + len(vector.absent_outputs)
    wanted = tuple(index not in vector.absent_outputs for index in range(outputs))
    label = f"n{len(draft.nodes)}"
    view = NodeView(vector.op_type, label, vector.attributes, types, constants, wanted)
    ruled = _ruled(spec, view)
    if ruled is None:
        return False
    parameters, results, cost = ruled
    names = tuple(_operand(draft, vector, links, i) for i in range(count))
    made = tuple(f"{label}_{index}" for index in range(len(results)))
    draft.types.update(zip(made, results, strict=True))
    draft.nodes.append(Node(label, spec, parameters, view, names, made, results, cost))
    return True


def _ruled(spec: Any, view: NodeView) -> tuple[Any, tuple[TensorType, ...], Any] | None:
    """Return parameters, output types and cost, or None where the node is refused or large."""
    if any(entry is not None and 0 in entry.shape for entry in view.types):
        return None
    try:
        parameters = spec.parse(view)
        results = spec.output_types(parameters, view)
    except InvalidModel:
        return None
    if spec.makes_initializer or any(t.size > MAX_RESULT or 0 in t.shape for t in results):
        return None
    cost = node_cost(spec, parameters, view, results)
    work = cost.float32_macs + cost.int8_macs + cost.elementwise + cost.transcendental
    return (parameters, results, cost) if work <= MAX_WORK else None


def _operand(draft: GraphDraft, vector: Vector, links: dict[int, str], index: int) -> str:
    """Return the name of an operand, which becomes an input or a constant if it is new."""
    array = vector.inputs[index]
    if index in links:
        return links[index]
    if array is None:
        return ""
    if index not in vector.constants:
        return draft.feed(array)
    name = f"c{len(draft.constants)}"
    draft.constants[name] = array
    return name
