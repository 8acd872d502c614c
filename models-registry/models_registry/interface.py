"""What a model takes and gives: all that a caller has to know to pack an input."""

from collections.abc import Sequence
from dataclasses import dataclass

from cvm.inference.graph import Value


@dataclass(frozen=True, slots=True)
class ModelInterface:
    """The values of one item, in the order in which their bytes are packed."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    batchable: bool

    @property
    def input_bytes(self) -> int:
        """Return the bytes that one item takes."""
        return packed_bytes(self.inputs)

    @property
    def output_bytes(self) -> int:
        """Return the bytes that one item gives."""
        return packed_bytes(self.outputs)


def packed_bytes(values: Sequence[Value]) -> int:
    """Return the bytes of values that lie one after the other."""
    return sum(value.type.size_bytes for value in values)
