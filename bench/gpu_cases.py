"""What `gpu_report` runs: single operators of the sizes that networks have, and hostile numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cvm.inference.graph import AttributeValue, Graph, NodeView
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array, type_of
from cvm.inference.vectors import Vector

HOSTILE_BITS = (
    *(0x00000000, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7FFFFFFF),
    *(0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF),
    *(0x3F800000, 0xBF800000, 0x33800000, 0xB3800000, 0x1E800000, 0x9E800000),
)
"""Zeros, infinities, NaNs, subnormals, the least normal, the greatest values, +-1, +-2**-24, and
+-2**-66, whose products underflow."""

EXPONENTIAL_STEP = 577
"""Of so many neighbouring float32 one is tried."""


@dataclass(frozen=True)
class Case:
    """One operator with its inputs; inputs whose index is in `constants` are initializers."""

    name: str
    op: str
    inputs: tuple[Array, ...]
    constants: frozenset[int]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    def graph(self) -> Graph:
        """Return the checked graph of this one node."""
        spec = OPERATORS["", self.op]
        view = NodeView(
            self.op,
            self.name,
            self.attributes,
            tuple(map(type_of, self.inputs)),
            tuple(a if i in self.constants else None for i, a in enumerate(self.inputs)),
        )
        types = spec.output_types(spec.parse(view), view)
        outputs = tuple(np.zeros(t.shape, t.dtype) for t in types)
        vector = Vector(self.name, self.op, self.attributes, self.inputs, self.constants, outputs)
        return vector.graph(OPERATORS)

    def given(self) -> tuple[Array, ...]:
        """Return the inputs that are not initializers."""
        return tuple(a for i, a in enumerate(self.inputs) if i not in self.constants)


def timed_cases() -> list[Case]:
    """Return products and convolutions of the sizes that networks have."""
    rng = np.random.default_rng(1)
    return [
        _matmul(rng, 1, 2048, 1000),
        _matmul(rng, 128, 384, 1536),
        _matmul(rng, 1024, 1024, 1024),
        _matmul(rng, 2048, 2048, 2048),
        _integer_matmul(rng, 1024, 1024, 1024),
        _integer_matmul(rng, 2048, 2048, 2048),
        _conv(rng, 64, 64, 56, 3),
        _conv(rng, 256, 256, 14, 3),
        _conv(rng, 256, 64, 56, 1),
        _conv(rng, 96, 96, 112, 3, group=96),
        _qlinear_conv(rng, 64, 64, 56, 3),
        _qlinear_conv(rng, 256, 256, 14, 3),
        _qlinear_conv(rng, 96, 96, 112, 3, group=96),
    ]


def hostile_cases() -> list[Case]:
    """Return float32 operators on hostile numbers, small enough for the definition."""
    rng = np.random.default_rng(2)
    hostile = np.array(HOSTILE_BITS, np.uint32).view(np.float32)
    finite = hostile[np.isfinite(hostile)]
    x, w = rng.choice(hostile, (2, 6, 9, 11)), rng.choice(finite, (40, 3, 3, 3))
    padded: dict[str, AttributeValue] = {"pads": (1, 2, 1, 2), "group": 2}
    a, b = rng.choice(finite, (70, 37)), rng.choice(finite, (37, 45))
    rows = rng.choice(hostile, (300, 300))
    pairs = (hostile, hostile[:, None])
    return [
        Case("conv, padded", "Conv", (x, w), frozenset({1}), padded),
        Case("conv, depthwise", "Conv", (x, w[:6, :1]), frozenset({1}), {"group": 6}),
        Case("matmul, wide tiles", "MatMul", (a, b), frozenset()),
        Case("matmul, small tiles", "MatMul", (a[:5], b), frozenset()),
        Case("softmax", "Softmax", (rows,), frozenset()),
        Case("argmax", "ArgMax", (rows,), frozenset()),
        Case("global average pool", "GlobalAveragePool", (rows[None],), frozenset()),
        Case("average pool", "AveragePool", (x,), frozenset(), {"kernel_shape": (3, 3)}),
        Case("max pool", "MaxPool", (x,), frozenset(), {"kernel_shape": (3, 3)}),
        Case("exponentials", "Softmax", (exponential_arguments(),), frozenset(), {"axis": 1}),
        Case("Add, every pair", "Add", pairs, frozenset()),
        Case("Mul, every pair", "Mul", pairs, frozenset()),
    ]


def exponential_arguments() -> Array:
    """Return pairs (x, 0) for float32 x <= 0 of every exponent: exp(x) is what Softmax sums."""
    bits = np.arange(0x8000_0000, 0xC2F0_0000, EXPONENTIAL_STEP)
    x = bits.astype(np.uint32).view(np.float32)
    return np.stack([x, np.zeros_like(x)], axis=1)


def _normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(np.float32)


def _bytes(rng: np.random.Generator, dtype: str, *shape: int) -> Array:
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def _matmul(rng: np.random.Generator, m: int, k: int, n: int) -> Case:
    inputs = (_normal(rng, m, k), _normal(rng, k, n))
    return Case(f"matmul float32 {m}x{k}x{n}", "MatMul", inputs, frozenset({1}))


def _integer_matmul(rng: np.random.Generator, m: int, k: int, n: int) -> Case:
    inputs = (_bytes(rng, "uint8", m, k), _bytes(rng, "int8", k, n))
    return Case(f"matmul int8 {m}x{k}x{n}", "MatMulInteger", inputs, frozenset({1}))


def _conv(
    rng: np.random.Generator, channels: int, maps: int, side: int, kernel: int, group: int = 1
) -> Case:
    x = _normal(rng, 1, channels, side, side)
    w = _normal(rng, maps, channels // group, kernel, kernel)
    pads: AttributeValue = (kernel // 2,) * 4
    name = f"conv float32 {channels}->{maps} {kernel}x{kernel} at {side}, {group} groups"
    inputs = (x, w, _normal(rng, maps))
    return Case(name, "Conv", inputs, frozenset({1, 2}), {"pads": pads, "group": group})


def _qlinear_conv(
    rng: np.random.Generator, channels: int, maps: int, side: int, kernel: int, group: int = 1
) -> Case:
    scale = np.array(0.01, np.float32)
    zero = np.array(120, np.uint8)
    inputs = (
        _bytes(rng, "uint8", 1, channels, side, side),
        *(scale, zero),
        _bytes(rng, "int8", maps, channels // group, kernel, kernel),
        *(scale, np.array(0, np.int8)),
        *(np.array(0.5, np.float32), zero),
        _bytes(rng, "int8", maps).astype(np.int32),
    )
    pads: AttributeValue = (kernel // 2,) * 4
    name = f"conv int8 {channels}->{maps} {kernel}x{kernel} at {side}, {group} groups"
    attributes = {"pads": pads, "group": group}
    return Case(name, "QLinearConv", inputs, frozenset(range(1, 9)), attributes)
