"""A golden vector with one part changed is refused, or it runs: no node falls between the two."""

import random
from dataclasses import replace

import numpy as np
import pytest

from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.faults import InputOutOfRange, InvalidModel
from cvm.inference.graph import AttributeValue, Graph
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, type_of
from cvm.inference.vectors import Vector
from node.self_test_vectors import load_self_test_vectors

DTYPES = ["float32", "uint8", "int8", "int32", "int64", "bool"]
HOSTILE_ATTRIBUTES: list[AttributeValue] = [
    0, 1, -1, 2, 7, 2**31, 2**62, -(2**63), 2**63 - 1,
    (), (0,), (1, 1), (2, 2), (-1, -1), (1, 2, 1, 2), (2**62, 2**62), (0, 0, 0, 0, 0),
    (2**31, 1, 1, 1), np.float32(0.5), (np.float32(1),), "", "SAME_UPPER", "NOTSET",
    np.ones((1, 2), np.int64),
]  # fmt: skip
MUTATIONS = 40
INDEXED = {"Gather", "GatherElements", "GatherND", "ArrayFeatureExtractor"}
"""Operators whose indices are data, so that a run may find one out of range."""
MAX_WORK = 150_000
"""Cost up to which an accepted node is run; the reference takes microseconds for each unit."""


def changed_array(array: Array, source: random.Random) -> Array:
    """Return an operand of another dtype, shape or content."""
    match source.randrange(4):
        case 0:
            with np.errstate(all="ignore"):
                return array.astype(source.choice(DTYPES))
        case 1:
            shape = list(array.shape)
            if shape and source.random() < 0.7:
                shape[source.randrange(len(shape))] = source.choice([1, 2, 3, 5])
            else:
                shape.insert(0, source.choice([1, 2]))
            return np.resize(array, shape)
        case 2:
            is_scalar = source.random() < 0.5 and array.size > 0
            return array.reshape(-1)[:1].reshape(()) if is_scalar else array[None]
    filling = source.choice([0, 1, 127, 2**31 - 1, -(2**31), 2**62, -1])
    with np.errstate(all="ignore"):
        return np.full(array.shape, filling, np.int64).astype(array.dtype)


def mutated(vector: Vector, source: random.Random) -> Vector:
    """Return a vector with one attribute, operand or set of constants changed."""
    attributes = sorted(OPERATORS[vector.domain, vector.op_type].attributes)
    choice = source.random()
    if attributes and (choice < 0.4 or not vector.inputs):
        name, value = source.choice(attributes), source.choice(HOSTILE_ATTRIBUTES)
        return replace(vector, attributes={**vector.attributes, name: value})
    index = source.randrange(len(vector.inputs))
    inputs = list(vector.inputs)
    if choice < 0.5:
        return replace(vector, constants=vector.constants ^ {index})
    if choice < 0.55:
        inputs[index] = None
    elif choice < 0.6:
        inputs.append(inputs[index])
    else:
        array = inputs[index]
        inputs[index] = None if array is None else changed_array(array, source)
    return replace(vector, inputs=tuple(inputs))


def accepted_graph(vector: Vector) -> Graph | None:
    """Return the graph of a vector whose outputs are whatever the operator infers, or None."""
    try:
        return vector.graph(OPERATORS)
    except InvalidModel:
        return None


def first_vectors() -> list[Vector]:
    """Return up to four vectors of each operator, those with the most inputs first."""
    by_operator: dict[str, list[Vector]] = {}
    for vector in sorted(load_self_test_vectors(), key=lambda v: (-len(v.inputs), v.name)):
        by_operator.setdefault(vector.op_type, []).append(vector)
    return [vector for name in sorted(by_operator) for vector in by_operator[name][:4]]


@pytest.mark.parametrize("vector", first_vectors(), ids=lambda vector: vector.name)
def test_changed_node_is_refused_or_runs_with_the_inferred_types(vector: Vector) -> None:
    source = random.Random(vector.name)
    for _ in range(MUTATIONS):
        changed = mutated(vector, source)
        graph = accepted_graph(changed)
        if graph is None:
            continue
        cost = graph.cost
        if cost.macs + cost.elementwise + cost.transcendental + cost.bytes_moved > MAX_WORK:
            continue
        try:
            outputs = ReferenceBackend().plan(graph).run(changed.input_arrays())
        except InputOutOfRange:
            assert changed.op_type in INDEXED
            continue
        assert [type_of(array) for array in outputs] == [value.type for value in graph.outputs]
