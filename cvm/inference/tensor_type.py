"""What is known of a tensor before it exists: its dtype and its shape."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """A dtype by its NumPy name (`float32`, `uint8`, `int64`, `bool` ...) and a fixed shape."""

    dtype: str
    shape: Shape

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Return the bytes that the elements take."""
        return self.size * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


def type_of(array: Array) -> TensorType:
    """Return the type of an array."""
    return TensorType(str(array.dtype), array.shape)
