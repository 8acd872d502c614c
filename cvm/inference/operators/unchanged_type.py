"""The shape rule of operators whose one output has the type of their first input."""

from dataclasses import dataclass

from cvm.inference.graph import NodeView
from cvm.inference.tensor_type import Shape, TensorType


@dataclass(frozen=True, slots=True)
class UnchangedType:
    """The dtype and shape of the first input and of the output."""

    dtype: str
    shape: Shape


def same_type(parameters: UnchangedType, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the type of the first input."""
    return (TensorType(parameters.dtype, parameters.shape),)
