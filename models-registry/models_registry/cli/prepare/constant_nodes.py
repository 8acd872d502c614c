"""Turns Constant nodes into constants of the graph."""

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import Attribute, Draft, DraftNode
from models_registry.cli.prepare.faults import CannotPrepare


def take_constant_nodes(draft: Draft) -> list[str]:
    """Make every Constant node a constant, in subgraphs too."""
    kept, count = [], 0
    for node in draft.nodes:
        for graph in node.subgraphs():
            take_constant_nodes(graph)
        if node.is_default("Constant"):
            draft.constants[node.outputs[0]] = _value(node)
            count += 1
        else:
            kept.append(node)
    draft.nodes = kept
    return [f"made {counted(count, 'Constant node')} weights"] if count else []


def _value(node: DraftNode) -> Array:
    if len(node.attributes) != 1:
        raise CannotPrepare(f"Constant node {node.name!r} holds {len(node.attributes)} values")
    ((kind, value),) = node.attributes.items()
    return _array(node, kind, value)


def _array(node: DraftNode, kind: str, value: Attribute) -> Array:
    if isinstance(value, np.ndarray):
        return value
    if kind in ("value_float", "value_floats"):
        return np.array(value, np.float32)
    if kind in ("value_int", "value_ints"):
        return np.array(value, np.int64)
    raise CannotPrepare(f"Constant node {node.name!r} holds texts; a model holds numbers")
