"""What the calibration runs: one operator with its data, and data that is hard to compute with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cvm.inference.graph import AttributeValue, Graph
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array
from cvm.inference.vectors import Vector

SIZES = {"small": 2**10, "middle": 2**15, "large": 2**20}
"""Elements of what an operator reads or makes, about; products have shapes of layers instead."""

SEED = 11


@dataclass(frozen=True)
class GasCase:
    """One operator with its inputs; inputs whose index is in `constants` are initializers.

    `size` is a key of `SIZES`; `form` tells cases of one operator and size apart. `outputs` is
    how many outputs the node names.
    """

    op: str
    size: str
    inputs: tuple[Array | None, ...]
    constants: frozenset[int] = frozenset()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    domain: str = ""
    form: str = ""
    outputs: int = 1

    @property
    def name(self) -> str:
        """Return the operator as the table names it, with its form."""
        operator = f"{self.domain}.{self.op}" if self.domain else self.op
        return f"{operator}, {self.form}" if self.form else operator

    def graph(self) -> Graph:
        """Return the checked graph of this one node."""
        outputs = (np.zeros((), np.float32),) * self.outputs
        return Vector(
            name=self.name,
            op_type=self.op,
            attributes=self.attributes,
            inputs=self.inputs,
            constants=self.constants,
            outputs=outputs,
            domain=self.domain,
        ).graph(OPERATORS)

    def given(self) -> tuple[Array, ...]:
        """Return the inputs that are not initializers."""
        pairs = enumerate(self.inputs)
        return tuple(a for i, a in pairs if a is not None and i not in self.constants)

    def shapes(self) -> str:
        """Return the shapes of what the node reads, as the table shows them."""
        return " ".join("x".join(map(str, a.shape)) or "1" for a in self.inputs if a is not None)

    def with_small_weights(self) -> "GasCase":
        """Return the case with float32 initializers near 2**-70."""
        inputs = tuple(
            a * np.float32(2.0**-70)
            if a is not None and i in self.constants and a.dtype == np.float32
            else a
            for i, a in enumerate(self.inputs)
        )
        return replace(self, inputs=inputs)


CaseMaker = Callable[[np.random.Generator, str], Iterator[GasCase]]
"""Makes the cases of a family at one size."""


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Return standard normal float32."""
    return rng.standard_normal(shape, np.float32)


def integers(rng: np.random.Generator, dtype: str, *shape: int) -> Array:
    """Return integers of the whole range of an 8-bit dtype, else below 1,000 in magnitude."""
    limits = np.iinfo(dtype)
    low, high = max(limits.min, -1_000), min(limits.max, 1_000)
    return rng.integers(low, high, shape, dtype=dtype, endpoint=True)


def image(size: str) -> tuple[int, int, int, int]:
    """Return the shape of one image of feature maps."""
    return {"small": (1, 16, 8, 8), "middle": (1, 32, 32, 32), "large": (1, 64, 128, 128)}[size]


def rows(size: str) -> tuple[int, int]:
    """Return the shape of rows of features, as in a transformer."""
    return {"small": (8, 128), "middle": (128, 256), "large": (2048, 512)}[size]


def subnormal(rng: np.random.Generator, array: Array) -> Array:
    """Return subnormal numbers of either sign instead of float32; other arrays as they are."""
    if array.dtype != np.float32:
        return array
    magnitudes = rng.integers(1, 2**23, array.shape, dtype=np.uint32)
    signs = rng.integers(0, 2, array.shape, dtype=np.uint32) << np.uint32(31)
    return (magnitudes | signs).view(np.float32)


def not_finite(rng: np.random.Generator, array: Array) -> Array:
    """Return float32 of which a half is NaN or infinite, in no order that a CPU could guess."""
    if array.dtype != np.float32:
        return array
    values = rng.choice(np.array([np.nan, np.inf, -np.inf], np.float32), array.shape)
    return np.where(rng.integers(0, 2, array.shape) == 0, array, values)


def any_bits(rng: np.random.Generator, array: Array) -> Array:
    """Return float32 of random bits: every exponent, so also the longest argument reductions."""
    if array.dtype != np.float32:
        return array
    return rng.integers(0, 2**32, array.shape, dtype=np.uint32).view(np.float32)


def underflowing(_rng: np.random.Generator, array: Array) -> Array:
    """Return float32 whose products with small weights are subnormal."""
    return array * np.float32(2.0**-66) if array.dtype == np.float32 else array
