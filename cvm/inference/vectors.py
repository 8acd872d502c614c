"""Golden vectors: for one operator, inputs and the exact outputs that every backend must give.

A file is a JSON list of cases `{"name", "op", "attributes", "inputs", "constants", "outputs"}`,
with "domain" beside "op" where it is not the default domain.
A tensor is `{"dtype", "shape", "data"}` with exact numbers, or, for float32, `{"dtype", "shape",
"bits"}` with eight hex digits each; an absent input is null. `constants` lists the inputs that
are initializers. An output that the node leaves out is null. A float attribute is
`{"float": "3f800000"}` or a decimal; a tensor attribute is a tensor.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from cvm.inference.graph import AttributeValue, Graph, Node, NodeView, Value
from cvm.inference.graph_builder import Specs, graph_cost, node_cost
from cvm.inference.tensor_type import Array, type_of

Json = Any  # what `json.loads` returns; every use below converts it at once


class BadVector(Exception):
    """A golden vector is not written in the form that the module describes."""

    def __init__(self, vector: str, reason: str) -> None:
        super().__init__(f"golden vector {vector!r}: {reason}")


@dataclass(frozen=True, slots=True)
class Vector:
    """One case: an operator, what goes in, and the exact result.

    `outputs` are those that the node names; `absent_outputs` are the indices of the others.
    """

    name: str
    op_type: str
    attributes: Mapping[str, AttributeValue]
    inputs: tuple[Array | None, ...]
    constants: frozenset[int]
    outputs: tuple[Array, ...]
    absent_outputs: frozenset[int] = frozenset()
    domain: str = ""

    def input_arrays(self) -> tuple[Array, ...]:
        """Return the inputs that are not initializers, in order."""
        return tuple(
            array
            for index, array in enumerate(self.inputs)
            if array is not None and index not in self.constants
        )

    def graph(self, specs: Specs) -> Graph:
        """Return a checked graph of this one node.

        Raises `BadVector` for an unknown operator, `InvalidModel` where the operator refuses
        the case.
        """
        spec = specs.get((self.domain, self.op_type))
        if spec is None:
            raise BadVector(self.name, f"unknown operator {self.op_type}")
        view, names = self._view()
        parameters = spec.parse(view)
        types = spec.output_types(parameters, view)
        cost = node_cost(spec, parameters, view, types)
        outputs = tuple(Value(f"out{index}", entry) for index, entry in enumerate(types))
        output_names = tuple(value.name for value in outputs)
        node = Node(self.name, spec, parameters, view, names, output_names, types, cost)
        inputs, constants = self._graph_inputs(names)
        total = graph_cost(inputs, outputs, [node], constants)
        return Graph(inputs, outputs, (node,), constants, total)

    def _view(self) -> tuple[NodeView, tuple[str, ...]]:
        """Return what the operator sees, and its inputs' names; none is absent at the end."""
        count = len(self.inputs)
        while count and self.inputs[count - 1] is None:
            count -= 1
        operands = self.inputs[:count]
        names = tuple("" if array is None else f"in{i}" for i, array in enumerate(operands))
        types = tuple(None if array is None else type_of(array) for array in operands)
        constants = tuple(a if i in self.constants else None for i, a in enumerate(operands))
        count = len(self.outputs) + len(self.absent_outputs)
        wanted = tuple(index not in self.absent_outputs for index in range(count))
        view = NodeView(self.op_type, self.name, self.attributes, types, constants, wanted)
        return view, names

    def _graph_inputs(self, names: tuple[str, ...]) -> tuple[tuple[Value, ...], dict[str, Array]]:
        """Return the graph's inputs and its initializers."""
        inputs: list[Value] = []
        constants: dict[str, Array] = {}
        for index, name in enumerate(names):
            array = self.inputs[index]
            if array is None:
                continue
            if index in self.constants:
                constants[name] = array
            else:
                inputs.append(Value(name, type_of(array)))
        return tuple(inputs), constants


def parse_vectors(text: str) -> tuple[Vector, ...]:
    """Return the cases of one file; raises `BadVector` for a number that is not exact."""
    return tuple(_vector(case) for case in json.loads(text))


def _vector(case: Json) -> Vector:
    """Return one case."""
    name = f"{case['op']}: {case['name']}"
    return Vector(
        name=name,
        op_type=case["op"],
        attributes={key: _attribute(value) for key, value in case.get("attributes", {}).items()},
        inputs=tuple(None if t is None else _tensor(t, name) for t in case["inputs"]),
        constants=frozenset(case.get("constants", ())),
        outputs=tuple(_tensor(t, name) for t in case["outputs"] if t is not None),
        absent_outputs=frozenset(i for i, t in enumerate(case["outputs"]) if t is None),
        domain=case.get("domain", ""),
    )


def _attribute(value: Json) -> AttributeValue:
    """Return an attribute: whole number, text, float32, a list of one of them, or a tensor."""
    match value:
        case {"dtype": _}:
            return _tensor(value, "attribute")
        case {"float": number} | (float() as number):
            return _float_attribute(number)
        case [str(), *_]:
            return tuple(str(entry) for entry in value)
        case [{"float": _}, *_]:
            return tuple(_float_attribute(entry["float"]) for entry in value)
        case list():
            return tuple(int(entry) for entry in value)
        case str():
            return value
    return int(value)


def _float_attribute(number: str | float) -> np.float32:
    """Return a float32 from its bits or from a decimal."""
    return _float32(number) if isinstance(number, str) else np.float32(number)


def _float32(bits: str) -> np.float32:
    """Return the float32 with the given bits, eight hex digits."""
    return np.float32(np.array([int(bits, 16)], dtype=np.uint32).view(np.float32)[0])


def _tensor(tensor: Json, vector: str) -> Array:
    """Return a read-only tensor whose numbers are exact in its dtype."""
    dtype, shape = np.dtype(tensor["dtype"]), tuple(tensor["shape"])
    numbers = tensor["bits"] if "bits" in tensor else tensor["data"]
    if len(numbers) != prod(shape):
        raise BadVector(vector, f"{len(numbers)} numbers for shape {shape}")
    if "bits" in tensor:
        words = [int(bits, 16) for bits in numbers]
        array: Array = np.array(words, dtype=np.uint32).view(dtype)
    else:
        array = _exact_numbers(numbers, dtype, vector)
    array = array.reshape(shape)
    array.flags.writeable = False
    return array


def _exact_numbers(numbers: Json, dtype: np.dtype[Any], vector: str) -> Array:
    """Return numbers in a dtype that holds each of them exactly."""
    try:
        array: Array = np.array(numbers, dtype=dtype)
    except OverflowError as error:
        raise BadVector(vector, f"{numbers} are not exact numbers of {dtype}") from error
    if array.tolist() != numbers:
        raise BadVector(vector, f"{numbers} are not exact numbers of {dtype}")
    return array
