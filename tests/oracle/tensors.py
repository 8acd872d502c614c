"""Tensors as flat lists, and their literal form in a vector file."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.oracle.float32 import from_bits, to_bits

SHORT = 8
"""A float that prints in at most this many characters is written as a number."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Tensor:
    """A dtype, a shape and row-major values; float32 values are Python floats."""

    dtype: str
    shape: tuple[int, ...]
    data: list[Any]

    def at(self, index: Sequence[int]) -> Any:
        """Return one value."""
        place = 0
        for length, part in zip(self.shape, index, strict=True):
            assert 0 <= part < length
            place = place * length + part
        return self.data[place]

    def stretched_at(self, index: Sequence[int]) -> Any:
        """Return the value that broadcasting puts at an index of a larger shape."""
        own = list(index)[len(index) - len(self.shape) :]
        return self.at([0 if n == 1 else i for n, i in zip(self.shape, own, strict=True)])

    def json(self) -> Json:
        """Return the literal form: numbers where they are short and exact, else float bits."""
        shape = list(self.shape)
        if self.dtype != "float32" or all(map(_is_short, self.data)):
            return {"dtype": self.dtype, "shape": shape, "data": self.data}
        return {"dtype": "float32", "shape": shape, "bits": list(map(to_bits, self.data))}


def _is_short(value: float) -> bool:
    negative_zero = value == 0 and math.copysign(1, value) < 0
    return math.isfinite(value) and not negative_zero and len(repr(value)) <= SHORT


def f32(shape: Sequence[int], *values: float | str) -> Tensor:
    """Return a float32 tensor; texts are bit patterns."""
    data = [from_bits(v) if isinstance(v, str) else float(v) for v in values]
    return _checked("float32", shape, data)


def ints(dtype: str, shape: Sequence[int], *values: int) -> Tensor:
    """Return an integer tensor."""
    return _checked(dtype, shape, list(values))


def _checked(dtype: str, shape: Sequence[int], data: list[Any]) -> Tensor:
    assert len(data) == math.prod(shape), (shape, len(data))
    return Tensor(dtype, tuple(shape), data)


def spread(dtype: str, shape: Sequence[int], seed: int) -> Tensor:
    """Return fixed, irregular values: integers over the whole dtype, floats of mixed sizes."""
    data: list[Any] = []
    state = seed
    for _ in range(math.prod(shape)):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        word = state >> 33
        if dtype == "float32":
            bits = (word & 1) << 31 | (112 + (word >> 1) % 24) << 23 | (word >> 6) % 2**23
            data.append(from_bits(f"{bits:08x}"))
        else:
            low = -128 if dtype == "int8" else 0
            data.append(low + word % 256)
    return Tensor(dtype, tuple(shape), data)


def filled(dtype: str, shape: Sequence[int], function: Callable[[tuple[int, ...]], Any]) -> Tensor:
    """Return the tensor whose value at each index is a function of the index."""
    return Tensor(dtype, tuple(shape), [function(index) for index in indices(shape)])


def indices(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the indices of a shape, row-major."""
    return product(*map(range, shape))
