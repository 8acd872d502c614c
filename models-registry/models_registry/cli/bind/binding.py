"""What generated code must know of a model: its id, and where each tensor lies, as which type."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cvm.inference.graph import Value
from cvm.inference.tensor_type import TensorType
from models_registry.cli.bind.names import Identifier, identifiers

MAX_ARRAY = 64
"""Elements of the largest tensor that becomes an array of fixed length; a larger one is bytes."""


class Form(Enum):
    """How a contract holds a tensor."""

    SCALAR = "scalar"
    ARRAY = "array"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Kind:
    """How generated code writes a dtype; `functions` is what the Solidity libraries call it."""

    solidity: str
    functions: str
    width: int


KINDS = {
    "float32": Kind("uint32", "Float32Bits", 4),
    "int8": Kind("int8", "Int8", 1),
    "uint8": Kind("uint8", "Uint8", 1),
    "int32": Kind("int32", "Int32", 4),
    "int64": Kind("int64", "Int64", 8),
    "bool": Kind("bool", "Bool", 1),
}
"""Every dtype of a graph's inputs and outputs; a float32 is its IEEE-754 bits."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output; `offset` is in bytes from the start of the item."""

    graph_name: str
    name: Identifier
    type: TensorType
    offset: int

    @property
    def kind(self) -> Kind:
        """Return how its dtype is written."""
        return KINDS[self.type.dtype]

    @property
    def form(self) -> Form:
        """Return how a contract holds it."""
        if self.type.size == 1:
            return Form.SCALAR
        return Form.ARRAY if self.type.size <= MAX_ARRAY else Form.BYTES


@dataclass(frozen=True, slots=True)
class Binding:
    """A model as generated code sees it."""

    model_id: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batchable: bool

    @property
    def input_bytes(self) -> int:
        """Return the bytes of one item of input."""
        return sum(tensor.type.size_bytes for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Return the bytes of one item of output."""
        return sum(tensor.type.size_bytes for tensor in self.outputs)


def binding_of(
    model_id: bytes, inputs: Sequence[Value], outputs: Sequence[Value], batchable: bool
) -> Binding:
    """Return the binding of a model with these inputs and outputs, in the graph's order."""
    names = identifiers(value.name for value in [*inputs, *outputs])
    return Binding(
        model_id,
        _placed(inputs, names[: len(inputs)]),
        _placed(outputs, names[len(inputs) :]),
        batchable,
    )


def _placed(values: Sequence[Value], names: Sequence[Identifier]) -> tuple[Tensor, ...]:
    offset = 0
    tensors: list[Tensor] = []
    for value, name in zip(values, names, strict=True):
        tensors.append(Tensor(value.name, name, value.type, offset))
        offset += value.type.size_bytes
    return tuple(tensors)
