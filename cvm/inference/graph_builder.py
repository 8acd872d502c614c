"""Applies the operators' rules to the nodes of a file, in order, and adds up what they cost."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.faults import InvalidModel
from cvm.inference.graph import AttributeValue, Graph, Node, NodeView, Value
from cvm.inference.known_values import KnownValues
from cvm.inference.limits import CHAIN_LIMITS, MAX_LISTED_ATTRIBUTE, SizeLimits
from cvm.inference.memory import live_bytes
from cvm.inference.model_checks import check_declaration, declared_value
from cvm.inference.onnx_messages import (
    OnnxAttribute,
    OnnxGraph,
    OnnxNode,
    OnnxTensor,
    OnnxValue,
)
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.refused import REFUSED, REFUSED_ML
from cvm.inference.tensor_type import Array, TensorType, type_of
from cvm.inference.weights import checked_shape, decode_tensor

MAX_SHOWN_NAME = 120
"""Characters of a node's name that are kept, so that a hostile name makes no hostile message."""

Specs = Mapping[tuple[str, str], OpSpec[Any]]
"""The operators that a graph may use, by domain and name."""

_ATTRIBUTE_FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}
"""AttributeProto.AttributeType to the one field that holds the value."""


class GraphBuilder:
    """Knows, while it walks the nodes, the type of every value made so far."""

    def __init__(
        self,
        inputs: tuple[Value, ...],
        constants: Mapping[str, Array],
        specs: Specs,
        limits: SizeLimits,
    ) -> None:
        self._inputs = inputs
        self._constants = dict(constants)
        self._known = KnownValues(constants)
        self._specs = specs
        self._limits = limits
        self._types = {value.name: value.type for value in inputs}
        self._types.update((name, type_of(array)) for name, array in constants.items())
        self._nodes: list[Node] = []
        self._macs = 0
        self._constant_reads = 0

    def add(self, node: OnnxNode) -> None:
        """Check a node and infer its outputs; raises `InvalidModel` naming the node."""
        name = (node.name or f"{node.op_type}_{len(self._nodes)}")[:MAX_SHOWN_NAME]
        try:
            spec, inputs, view = self._view(node, name)
            outputs = _named_outputs(spec, view, node.output)
        except InvalidModel as fault:
            label = f"{node.op_type[:MAX_SHOWN_NAME]} node {name!r}"
            raise InvalidModel(fault.rule, f"{label}: {fault.detail}") from fault
        self._count_constant_reads(view)
        parameters = spec.parse(view)
        types = spec.output_types(parameters, view)
        if len(types) != len(outputs):
            raise refusal(view, "outputs", f"names {len(outputs)}, makes {len(types)}")
        for tensor_type in types:
            label = f"output of {view.op_type} node {name!r}"
            checked_shape(tensor_type.shape, label, self._limits.elements)
        cost = node_cost(spec, parameters, view, types)
        self._types.update(zip(outputs, types, strict=True))
        if spec.makes_initializer:
            self._add_initializer(outputs[0], spec.run(parameters)[0])
            return
        self._count_macs(view, cost)
        made = Node(name, spec, parameters, view, inputs, outputs, types, cost)
        self._nodes.append(made)
        self._known.learn(made)

    def _add_initializer(self, name: str, value: Array) -> None:
        """Take what a Constant node gives as an initializer; the node itself is dropped."""
        self._constants[name] = value
        self._known.add(name, value)

    def _view(self, node: OnnxNode, name: str) -> tuple[OpSpec[Any], tuple[str, ...], NodeView]:
        """Return a node's operator, the names of its inputs, and what the operator may see."""
        spec = self._specs.get((node.domain, node.op_type))
        if spec is None:
            raise InvalidModel("operator", self._why_unknown(node))
        inputs = _without_trailing_absent(node.input)
        view = NodeView(
            op_type=node.op_type,
            name=name,
            attributes=_attributes(node.attribute, spec),
            types=tuple(self._type_of_input(value) for value in inputs),
            constants=tuple(self._known.get(value) for value in inputs),
            wanted=tuple(map(bool, _without_trailing_absent(node.output))),
        )
        return spec, inputs, view

    def _why_unknown(self, node: OnnxNode) -> str:
        """Return why an operator is not taken."""
        if not node.domain and node.op_type in REFUSED:
            return REFUSED[node.op_type]
        if node.domain == ML_DOMAIN and node.op_type in REFUSED_ML:
            return REFUSED_ML[node.op_type]
        known = ", ".join(sorted(spec.name for spec in self._specs.values()))
        return f"unknown in domain {node.domain[:MAX_SHOWN_NAME]!r}; known: {known}"

    def _type_of_input(self, name: str) -> TensorType | None:
        """Return the type of a value made earlier, or None for an absent input."""
        if not name:
            return None
        tensor_type = self._types.get(name)
        if tensor_type is None:
            raise InvalidModel("input", f"{name!r:.80} is made by nothing that stands before")
        return tensor_type

    def _count_constant_reads(self, view: NodeView) -> None:
        """Bound the work of checking weights that many nodes share."""
        self._constant_reads += sum(c.size for c in view.constants if c is not None)
        limit = self._limits.constant_reads
        if self._constant_reads > limit:
            found = f"{self._constant_reads} elements up to here"
            raise refusal(view, "constant reads", f"{found}, limit {limit}")

    def _count_macs(self, view: NodeView, cost: Cost) -> None:
        """Bound the multiply-accumulates of one item."""
        self._macs += cost.macs
        limit = self._limits.macs
        if self._macs > limit:
            raise refusal(view, "MACs", f"{self._macs} for one item up to here, limit {limit}")

    def graph(self, outputs: tuple[Value, ...], remarks: tuple[Value, ...]) -> Graph:
        """Return the finished graph; `remarks` are the file's value_info."""
        made = {name for node in self._nodes for name in node.outputs}
        for value in outputs:
            if value.name not in made:
                raise InvalidModel("graph output", f"{value.name!r:.80} is made by no node")
            check_declaration(value, self._types, "graph output")
        for value in remarks:
            check_declaration(value, self._types, "value_info")
        cost = graph_cost(self._inputs, outputs, self._nodes, self._constants)
        limit = self._limits.peak_bytes
        if cost.peak_bytes > limit:
            raise InvalidModel("memory", f"{cost.peak_bytes} bytes for one item, limit {limit}")
        return Graph(self._inputs, outputs, tuple(self._nodes), self._constants, cost)


def build_graph(
    message: OnnxGraph,
    constants: Mapping[str, Array],
    specs: Specs,
    limits: SizeLimits = CHAIN_LIMITS,
) -> Graph:
    """Return the checked graph of a file whose names are already known to be unique.

    Raises `InvalidModel` for an unknown operator or attribute, a value that is read before it
    is made, a declared type that is not the inferred one, and every limit on cost and memory.
    """

    def declared(values: tuple[OnnxValue, ...], what: str) -> tuple[Value, ...]:
        return tuple(declared_value(value, what, limits.elements) for value in values)

    inputs = declared(message.input, "graph input")
    builder = GraphBuilder(inputs, constants, specs, limits)
    for node in message.node:
        builder.add(node)
    return builder.graph(
        declared(message.output, "graph output"), declared(message.value_info, "value_info")
    )


def node_cost(
    spec: OpSpec[Any], parameters: Any, view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Return an operator's counts, completed: a pass, and the bytes that it reads and writes once.

    What the operator itself counts is added: as moved and as weights its attributes, as nodes
    its further passes.
    """
    counts = spec.cost(parameters, view, outputs)
    read = [0 if entry is None else entry.size_bytes for entry in view.types]
    written = [tensor_type.size_bytes for tensor_type in outputs]
    if spec.reads_types_only:
        read = []
    elif spec.is_view and view.wants(0) and view.constant_at(0) is None:
        read, written = read[1:], written[1:]
    elif spec.reads_part:
        read[0] = min(read[0], sum(written))
    moved = counts.bytes_moved + sum(read) + sum(written)
    return replace(counts, bytes_moved=moved, nodes=counts.nodes + 1, peak_bytes=0)


def graph_cost(
    inputs: tuple[Value, ...],
    outputs: tuple[Value, ...],
    nodes: list[Node],
    constants: Mapping[str, Array],
) -> Cost:
    """Add up the nodes, the weights, and the most bytes that are needed at once."""
    total = sum((node.cost for node in nodes), Cost())
    weight_bytes = total.weight_bytes + sum(array.nbytes for array in constants.values())
    peak_bytes = weight_bytes + max(live_bytes(inputs, outputs, nodes), default=0)
    return replace(total, weight_bytes=weight_bytes, peak_bytes=peak_bytes)


def _named_outputs(spec: OpSpec[Any], view: NodeView, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the outputs that have names; one may be left out only where the operator allows."""
    if not spec.optional_outputs and not all(view.wanted):
        raise InvalidModel("value name", f"output {view.wanted.index(False)} has an empty name")
    if not any(view.wanted):
        raise InvalidModel("value name", "every output has an empty name")
    return tuple(filter(None, names))


def _without_trailing_absent(names: tuple[str, ...]) -> tuple[str, ...]:
    """Drop empty names at the end: optional inputs or outputs that are absent."""
    count = len(names)
    while count and not names[count - 1]:
        count -= 1
    return names[:count]


def _attributes(entries: tuple[OnnxAttribute, ...], spec: OpSpec[Any]) -> dict[str, AttributeValue]:
    """Return the attributes by name; each is one that the operator lists."""
    attributes: dict[str, AttributeValue] = {}
    for entry in entries:
        if entry.name not in spec.attributes:
            listed = ", ".join(sorted(spec.attributes)) or "none"
            raise InvalidModel("attribute", f"unknown {entry.name!r:.80}; known: {listed}")
        if entry.name in attributes:
            raise InvalidModel("attribute", f"{entry.name!r} stands twice")
        attributes[entry.name] = _attribute_value(
            entry, entry.name in spec.weight_lists, entry.name in spec.nan_attributes
        )
    return attributes


def _attribute_value(entry: OnnxAttribute, is_weights: bool, may_be_nan: bool) -> AttributeValue:
    """Return the value of an attribute from the one field that its type names."""
    value = _stored_value(entry)
    if may_be_nan and isinstance(value, np.float32) and np.isnan(value):
        return value
    if isinstance(value, OnnxTensor):
        if is_weights:
            raise InvalidModel("attribute", f"{entry.name!r} is a tensor, not a list")
        return decode_tensor(value)
    if isinstance(value, memoryview):
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidModel("attribute", f"{entry.name!r} is not UTF-8") from error
    if isinstance(value, np.ndarray | np.float32) and not np.isfinite(value).all():
        raise InvalidModel("attribute", f"{entry.name!r} holds a NaN or an infinity")
    if isinstance(value, np.ndarray) and not is_weights:
        return _short_list(entry.name, value)
    return value


def _short_list(name: str, values: Array) -> AttributeValue:
    """Return listed numbers one by one."""
    if values.size > MAX_LISTED_ATTRIBUTE:
        raise InvalidModel(
            "list length", f"{name!r} lists {values.size} numbers, limit {MAX_LISTED_ATTRIBUTE}"
        )
    return tuple(values) if values.dtype == np.float32 else tuple(values.tolist())


def _stored_value(
    entry: OnnxAttribute,
) -> int | np.float32 | memoryview | OnnxTensor | Array | tuple[str, ...] | tuple[()]:
    """Return the value as it is stored; no other field of the attribute may be filled."""
    singles = {"f": entry.f, "i": entry.i, "s": entry.s, "t": entry.t}
    lists = {
        "floats": () if entry.floats is None else entry.floats,
        "ints": () if entry.ints is None else entry.ints,
        "strings": entry.strings,
    }
    filled = [name for name, value in singles.items() if value is not None]
    filled += [name for name, values in lists.items() if len(values)]
    expected = _ATTRIBUTE_FIELDS.get(entry.type)
    if expected is not None and expected in lists and filled in ([], [expected]):
        return lists[expected]
    value = singles.get(expected or "")
    if value is None or filled != [expected]:
        raise InvalidModel("attribute", f"{entry.name!r} of type {entry.type} fills {filled}")
    return value
