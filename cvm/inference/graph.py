"""A checked graph: what `model_file` makes of ONNX bytes and every backend plans from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.tensor_type import Array, TensorType

if TYPE_CHECKING:
    from cvm.inference.operators.op_spec import OpSpec

AttributeValue = (
    int | np.float32 | str | tuple[int, ...] | tuple[np.float32, ...] | tuple[str, ...] | Array
)


@dataclass(frozen=True, slots=True)
class NodeView:
    """What an operator's rules may look at: attributes, input types, constant inputs.

    `types[i]` is None where an optional input is absent; `constants[i]` is the value of
    an input that is an initializer, else None. `wanted[i]` says whether output `i` has a name;
    the node makes only those. Trailing absent inputs and outputs are not listed.
    """

    op_type: str
    name: str
    attributes: Mapping[str, AttributeValue]
    types: tuple[TensorType | None, ...]
    constants: tuple[Array | None, ...]
    wanted: tuple[bool, ...] = (True,)

    def wants(self, index: int) -> bool:
        """Return whether output `index` is named."""
        return index < len(self.wanted) and self.wanted[index]

    def type_at(self, index: int) -> TensorType | None:
        """Return the type of input `index`, or None where it is absent."""
        return self.types[index] if index < len(self.types) else None

    def constant_at(self, index: int) -> Array | None:
        """Return the constant value of input `index`, or None."""
        return self.constants[index] if index < len(self.constants) else None


@dataclass(frozen=True, slots=True)
class Node:
    """One operator in the graph, its rules already applied.

    `parameters` is the operator's own frozen dataclass (`ConvParameters` ...), made by its
    `OpSpec.parse`; every backend reads it instead of the attributes.
    """

    name: str
    spec: "OpSpec[Any]"
    parameters: Any
    view: NodeView
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_types: tuple[TensorType, ...]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Value:
    """A named graph input or output."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True)
class Graph:
    """A checked graph in topological order; `constants` are read-only arrays by value name."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    cost: Cost
