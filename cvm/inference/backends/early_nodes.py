"""Makes, once and at planning, what a graph would make again of its weights in every run.

A file may hold a weight as ConstantOfShape, or as 8 bits with a DequantizeLinear. No input can
change such a value, so a plan may make it by the operator's definition and pack it like a weight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import Graph, Node, Value
from cvm.inference.memory import last_uses, live_bytes
from cvm.inference.tensor_type import Array

EARLY = frozenset(
    {"Cast", "ConstantOfShape", "DequantizeLinear", "Expand", "Identity", "Reshape", "Squeeze"}
    | {"Tile", "Transpose", "Unsqueeze"}
)
"""Operators whose definition is a few passes over the result, so that planning stays short."""

MAX_EARLY_ELEMENTS = 2**27
"""Elements that all early nodes of a graph make together: about a second of planning. The nodes
that would make more run with the rest of the graph."""


def with_early_values(graph: Graph) -> Graph:
    """Return a graph that gives the same bytes, its early values among the constants.

    Neither making the values, nor those that are kept beside the activations that are left, takes
    more than the graph's `peak_bytes`; where all would take more, half of the nodes stay early,
    then a quarter ...
    A graph with an early float that is no finite number stays as it is: kernels know that
    constants are finite.
    """
    early = _early_nodes(graph)
    while early:
        names = {name for node in early for name in node.outputs}
        late = [node for node in graph.nodes if node.outputs[0] not in names]
        kept = [name for name in _read_by(late) if name in names]
        if _bytes_needed(graph, early, late, kept) <= graph.cost.peak_bytes:
            added = _values_of(early, graph.constants, kept)
            return _replaced(graph, late, added) if _are_finite(added.values()) else graph
        early = early[: len(early) // 2]
    return graph


def _early_nodes(graph: Graph) -> list[Node]:
    """Return the nodes that read nothing but constants, whose values are no output."""
    known = set(graph.constants)
    outputs = {value.name for value in graph.outputs}
    found = []
    elements_left = MAX_EARLY_ELEMENTS
    for node in graph.nodes:
        is_listed = node.spec.name in EARLY and outputs.isdisjoint(node.outputs)
        elements = sum(tensor_type.size for tensor_type in node.output_types)
        if is_listed and elements <= elements_left and known.issuperset(filter(None, node.inputs)):
            found.append(node)
            known.update(node.outputs)
            elements_left -= elements
    return found


def _read_by(nodes: Sequence[Node]) -> list[str]:
    """Return the names of the values that some nodes read, each once."""
    return list(dict.fromkeys(name for node in nodes for name in node.inputs))


def _bytes_needed(
    graph: Graph, early: Sequence[Node], late: Sequence[Node], kept: Sequence[str]
) -> int:
    """Return the most that weights, early values and late activations ever take together."""
    types = {
        name: tensor_type
        for node in early
        for name, tensor_type in zip(node.outputs, node.output_types, strict=True)
    }
    kept_values = [Value(name, types[name]) for name in kept]
    making = max(live_bytes((), kept_values, early))
    activations = max(live_bytes(graph.inputs, graph.outputs, late), default=0)
    running = sum(value.type.size_bytes for value in kept_values) + activations
    return graph.cost.weight_bytes + max(making, running)


def _values_of(
    early: Sequence[Node], constants: Mapping[str, Array], kept: Sequence[str]
) -> dict[str, Array]:
    """Return the `kept` values that the early nodes make, by their definitions.

    The others are dropped after the last node that reads them.
    """
    made: dict[str, Array] = {}
    staying = frozenset(kept)
    uses = last_uses(early, ())
    with default_float_environment(), np.errstate(all="ignore"):
        for index, node in enumerate(early):
            absent = (None,) * (node.spec.operand_count() - len(node.inputs))
            operands = [constants[n] if n in constants else made.get(n) for n in node.inputs]
            results = node.spec.run(node.parameters, *operands, *absent)
            made.update(zip(node.outputs, results, strict=True))
            del operands, results
            for name in (*node.inputs, *node.outputs):
                if name in made and name not in staying and uses.get(name, index) == index:
                    del made[name]
    return {name: made[name] for name in kept}


def _are_finite(values: Iterable[Array]) -> bool:
    """Say whether no value holds a NaN or an infinity."""
    return all(value.dtype != np.float32 or np.isfinite(value).all() for value in values)


def _replaced(graph: Graph, late: Sequence[Node], added: Mapping[str, Array]) -> Graph:
    """Return the graph with the late nodes alone, which see the added values as constants."""
    nodes = [
        replace(
            node,
            view=replace(
                node.view,
                constants=tuple(
                    added.get(name, value)
                    for name, value in zip(node.inputs, node.view.constants, strict=True)
                ),
            ),
        )
        for node in late
    ]
    return replace(graph, nodes=tuple(nodes), constants={**graph.constants, **added})
