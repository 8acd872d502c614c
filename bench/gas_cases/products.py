"""Cases of operators that multiply matrices, in the shapes that layers have."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase, integers, normal
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array

MATRICES = {"small": (16, 64, 64), "middle": (64, 128, 256), "large": (512, 768, 768)}
"""Rows, depth and columns."""

DENSE = {"small": (128, 64), "middle": (512, 256), "large": (4096, 1024)}
"""Features in and out of a layer that sees one row."""

CONVOLUTIONS = {"small": (8, 16, 8), "middle": (32, 32, 28), "large": (64, 64, 112)}
"""Channels, maps and side."""

GROUPED = {"small": 12, "middle": 36, "large": 60}
"""Channels of a convolution whose groups fit no vector."""

HEADS = {"small": (2, 16, 16), "middle": (4, 64, 32), "large": (12, 512, 64)}
"""Heads, tokens and features of an attention layer."""

SEQUENCES = {"small": (4, 16, 16), "middle": (16, 64, 64), "large": (64, 256, 256)}
"""Time steps, inputs and hidden state of a recurrent layer."""

SCALE = np.array(0.01, np.float32)
ZERO = np.array(120, np.uint8)
NO_ZERO = np.array(0, np.int8)
Y_SCALE = np.array(0.5, np.float32)


def matrices(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make float32 and 8-bit products of matrices, with fixed weights and without."""
    m, k, n = MATRICES[size]
    a, b = normal(rng, m, k), normal(rng, k, n)
    weights = frozenset({1})
    yield GasCase("MatMul", size, (a, b), weights)
    bias = normal(rng, n)
    yield GasCase("Gemm", size, (a, b, bias), frozenset({1, 2}))
    features, made = DENSE[size]
    row, dense = normal(rng, 1, features), normal(rng, features, made)
    constants = frozenset({1, 2})
    inputs = (row, dense, normal(rng, made))
    yield GasCase("Gemm", size, inputs, constants, form="one row")
    count, tokens, width = HEADS[size]
    query, key = normal(rng, count, tokens, width), normal(rng, count, width, tokens)
    yield GasCase("MatMul", size, (query, key), form="heads")
    keys = normal(rng, count, tokens, width)
    equation: dict[str, AttributeValue] = {"equation": "hid,hjd->hij"}
    yield GasCase("Einsum", size, (query, keys), attributes=equation)
    bytes_a, bytes_b = integers(rng, "uint8", m, k), integers(rng, "int8", k, n)
    yield GasCase("MatMulInteger", size, (bytes_a, bytes_b), weights)
    one = integers(rng, "uint8", 1, features), integers(rng, "int8", features, made)
    yield GasCase("MatMulInteger", size, one, weights, form="one row")
    scaled = (bytes_a, SCALE, ZERO, bytes_b, SCALE, NO_ZERO, Y_SCALE, ZERO)
    yield GasCase("QLinearMatMul", size, scaled, frozenset(range(1, 8)))


def convolutions(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make convolutions of float32 and of 8 bits: dense, depthwise, grouped, and of an image."""
    channels, maps, side = CONVOLUTIONS[size]
    grouped = GROUPED[size]
    for form, given, made, kernel, stride, group in (
        ("", channels, maps, 3, 1, 1),
        ("1x1", channels, maps, 1, 1, 1),
        ("depthwise", channels, channels, 3, 1, channels),
        ("groups of 6", grouped, grouped, 3, 1, grouped // 6),
        ("image", 3, maps, 7, 2, 1),
    ):
        shape = (made, given // group, kernel, kernel)
        attributes: dict[str, AttributeValue] = {
            "pads": (kernel // 2,) * 4,
            "strides": (stride,) * 2,
            "group": group,
        }
        inputs = (normal(rng, 1, given, side, side), normal(rng, *shape), normal(rng, made))
        yield GasCase("Conv", size, inputs, frozenset({1, 2}), attributes, form=form)
        x, w = integers(rng, "uint8", 1, given, side, side), integers(rng, "int8", *shape)
        yield GasCase("ConvInteger", size, (x, w), frozenset({1}), attributes, form=form)
        scaled = (x, SCALE, ZERO, w, SCALE, NO_ZERO, Y_SCALE, ZERO, integers(rng, "int32", made))
        constants = frozenset(range(1, 9))
        yield GasCase("QLinearConv", size, scaled, constants, attributes, form=form)
    yield from _transposed(rng, size)


def _transposed(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make transposed convolutions that double the sides of an image."""
    channels, maps, side = CONVOLUTIONS[size]
    x = normal(rng, 1, channels, side, side)
    for form, kernel in (("", 2), ("4x4", 4)):
        w = normal(rng, channels, maps, kernel, kernel)
        attributes: dict[str, AttributeValue] = {"strides": (2, 2), "pads": (kernel // 2 - 1,) * 4}
        inputs = (x, w, normal(rng, maps))
        yield GasCase("ConvTranspose", size, inputs, frozenset({1, 2}), attributes, form=form)


def recurrent(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make recurrent layers over one sequence."""
    steps, given, hidden = SEQUENCES[size]
    x = normal(rng, steps, 1, given)
    attributes: dict[str, AttributeValue] = {"hidden_size": hidden}
    for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        weights: tuple[Array, ...] = (
            normal(rng, 1, gates * hidden, given) * np.float32(given**-0.5),
            normal(rng, 1, gates * hidden, hidden) * np.float32(hidden**-0.5),
            normal(rng, 1, 2 * gates * hidden),
        )
        yield GasCase(op, size, (x, *weights), frozenset({1, 2, 3}), attributes)
