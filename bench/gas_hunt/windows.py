"""Convolutions and pools of awkward windows: one output, one channel, long and thin, huge."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase
from bench.gas_cases.products import NO_ZERO, SCALE, Y_SCALE, ZERO
from bench.gas_hunt.hunted import Hunt, floats, form_of, hunted, integers
from cvm.inference.graph import AttributeValue

Shape = tuple[int, ...]

CONVOLUTIONS: tuple[tuple[Shape, Shape, int, dict[str, int]], ...] = (
    ((1, 16, 32, 32), (1, 16, 32, 32), 1, {}),
    ((1, 64, 16, 16), (1, 64, 1, 1), 1, {}),
    ((1, 1, 64, 64), (1, 1, 3, 3), 1, {}),
    ((1, 1, 64, 64), (1, 1, 31, 31), 1, {}),
    ((1, 1, 64, 64), (32, 1, 3, 3), 1, {}),
    ((1, 16, 64, 64), (2, 16, 3, 3), 1, {}),
    ((1, 16, 64, 64), (16, 1, 7, 7), 16, {"pads": 3}),
    ((1, 32, 48, 48), (32, 1, 21, 21), 32, {"pads": 10}),
    ((1, 16, 64, 64), (32, 1, 3, 3), 16, {}),
    ((1, 16, 64, 64), (16, 2, 3, 3), 8, {}),
    ((1, 16, 64, 64), (8, 2, 3, 3), 8, {}),
    ((1, 12, 64, 64), (12, 3, 3, 3), 4, {}),
    ((1, 12, 64, 64), (4, 3, 3, 3), 4, {}),
    ((1, 7, 64, 64), (7, 1, 3, 3), 7, {}),
    ((1, 17, 33, 33), (17, 17, 3, 3), 1, {}),
    ((1, 8, 64, 64), (8, 8, 1, 31), 1, {}),
    ((1, 8, 64, 64), (8, 8, 31, 1), 1, {}),
    ((1, 16, 64, 64), (16, 1, 1, 31), 16, {}),
    ((1, 16, 64, 64), (16, 16, 3, 3), 1, {"strides": 5}),
    ((1, 16, 64, 64), (16, 16, 3, 3), 1, {"dilations": 16}),
    ((1, 16, 64, 64), (16, 1, 3, 3), 16, {"strides": 2}),
    ((1, 16, 64, 64), (16, 1, 3, 3), 16, {"dilations": 13}),
    ((1, 16, 65, 65), (16, 16, 3, 3), 1, {"strides": 33}),
    ((1, 512, 1, 1), (512, 512, 1, 1), 1, {}),
    ((1, 512, 1, 1), (512, 64, 1, 1), 8, {}),
    ((1, 512, 1, 1), (512, 1, 1, 1), 512, {}),
    ((1, 64, 2, 2), (64, 64, 3, 3), 1, {"pads": 1}),
    ((1, 4, 4, 4), (4, 4, 9, 9), 1, {"pads": 8}),
    ((1, 4, 4, 4), (4, 4, 2, 2), 1, {"pads": 100}),
    ((1, 2, 4096), (2, 2, 3), 1, {}),
    ((1, 64, 128), (64, 64, 3), 1, {}),
    ((1, 1, 2**14), (1, 1, 65), 1, {}),
    ((1, 1, 2**14), (1, 1, 4096), 1, {}),
    ((1, 4, 12, 12, 12), (4, 4, 3, 3, 3), 1, {}),
    ((1, 4, 12, 12, 12), (4, 1, 3, 3, 3), 4, {}),
    ((16, 4, 8, 8), (4, 4, 3, 3), 1, {}),
    ((64, 1, 4, 4), (1, 1, 3, 3), 1, {}),
    ((1, 3, 224, 8), (4, 3, 7, 7), 1, {"strides": 2}),
    ((1, 256, 3, 3), (256, 1, 3, 3), 256, {"pads": 1}),
)
"""Input, weights, groups, and attributes that are the same for every axis."""

TRANSPOSED: tuple[tuple[Shape, Shape, int, dict[str, int]], ...] = (
    ((1, 16, 16, 16), (16, 16, 2, 2), 1, {"strides": 4}),
    ((1, 16, 16, 16), (16, 16, 1, 1), 1, {"strides": 9}),
    ((1, 4, 8, 8), (4, 4, 2, 2), 1, {"strides": 32}),
    ((1, 8, 16, 16), (8, 8, 8, 8), 1, {}),
    ((1, 8, 16, 16), (8, 1, 8, 8), 1, {}),
    ((1, 1, 16, 16), (1, 8, 8, 8), 1, {}),
    ((1, 1, 32, 32), (1, 1, 31, 31), 1, {}),
    ((1, 16, 32, 32), (16, 1, 3, 3), 16, {"strides": 2}),
    ((1, 16, 32, 32), (16, 2, 3, 3), 8, {"strides": 2}),
    ((1, 16, 32, 32), (16, 16, 3, 3), 1, {"dilations": 7}),
    ((1, 512, 1, 1), (512, 64, 1, 1), 1, {}),
    ((1, 64, 1, 1), (64, 1, 16, 16), 1, {}),
    ((1, 1024, 1, 1), (1024, 1, 1, 1), 1, {}),
    ((1, 4, 1024), (4, 4, 4), 1, {"strides": 2}),
    ((1, 4, 8, 8, 8), (4, 4, 2, 2, 2), 1, {"strides": 2}),
    ((1, 3, 32, 32), (3, 64, 4, 4), 1, {"strides": 2}),
    ((1, 64, 32, 32), (64, 3, 4, 4), 1, {"strides": 2}),
    ((16, 4, 8, 8), (4, 4, 3, 3), 1, {}),
)

POOLED: tuple[tuple[Shape, Shape, dict[str, int]], ...] = (
    ((1, 4, 32, 32), (16, 16), {}),
    ((1, 1, 64, 64), (31, 31), {}),
    ((1, 8, 64, 64), (1, 1), {}),
    ((1, 8, 64, 64), (1, 31), {}),
    ((1, 8, 64, 64), (31, 1), {}),
    ((1, 64, 32, 32), (32, 32), {}),
    ((1, 16, 64, 64), (2, 2), {"strides": 31}),
    ((1, 16, 64, 64), (3, 3), {"dilations": 15}),
    ((1, 256, 4, 4), (2, 2), {}),
    ((1, 1, 4096), (3,), {}),
    ((1, 1, 2**14), (2**13,), {"strides": 2**10}),
    ((1, 2, 16, 16, 16), (3, 3, 3), {}),
    ((1, 16, 33, 33), (5, 5), {"pads": 2}),
    ((64, 1, 8, 8), (3, 3), {"pads": 1}),
    ((1, 512, 2, 2), (2, 2), {}),
    ((1, 2, 64, 64), (3, 3), {"strides": 1, "pads": 1}),
    ((1, 3, 65, 63), (7, 5), {"strides": 3}),
)


RESTORED: tuple[tuple[str, Shape, Shape, int, dict[str, int]], ...] = (
    ("Conv", (1, 64, 32, 32), (64, 64, 3, 3), 1, {"pads": 1}),
    ("Conv", (1, 64, 7, 7), (64, 64, 3, 3), 1, {"pads": 1}),
    ("Conv", (1, 64, 32, 32), (64, 1, 3, 3), 64, {"pads": 1}),
    ("Conv", (1, 256, 7, 7), (256, 1, 3, 3), 256, {"pads": 1}),
    ("ConvTranspose", (1, 64, 16, 16), (64, 64, 4, 4), 1, {"pads": 1, "strides": 2}),
)
"""Windows that reach into padding, without a bias, so that zeros are folded again."""


def _every(rank: int, attributes: dict[str, int]) -> dict[str, AttributeValue]:
    """Return attributes with their value for every axis, pads for both ends."""
    return {
        name: (value,) * (rank * 2 if name == "pads" else rank)
        for name, value in attributes.items()
    }


def _form(*shapes: Shape, **numbers: int) -> str:
    """Return shapes and attributes as a form."""
    parts = [form_of(*shape) for shape in shapes]
    return " ".join([*parts, *(f"{name} {value}" for name, value in numbers.items())])


def convolutions() -> Iterator[GasCase]:
    """Make convolutions of float32 and of 8 bits, and transposed ones."""
    for shape, kernel, group, same in CONVOLUTIONS:
        attributes = {**_every(len(shape) - 2, same), "group": group}
        form = _form(shape, kernel, group=group, **same)
        yield hunted("Conv", form, floats(*shape), floats(*kernel), constants=(1,), also=attributes)
        x, w = integers("uint8", *shape), integers("int8", *kernel)
        yield hunted("ConvInteger", form, x, w, constants=(1,), also=attributes)
        scaled = (x, SCALE, ZERO, w, SCALE, NO_ZERO, Y_SCALE, ZERO)
        yield hunted("QLinearConv", form, *scaled, constants=tuple(range(1, 8)), also=attributes)
    for shape, kernel, group, same in TRANSPOSED:
        attributes = {**_every(len(shape) - 2, same), "group": group}
        form = _form(shape, kernel, group=group, **same)
        inputs = floats(*shape), floats(*kernel)
        yield hunted("ConvTranspose", form, *inputs, constants=(1,), also=attributes)


def restored() -> Iterator[GasCase]:
    """Make convolutions of numbers so small that sums underflow to zeros of either sign."""
    for op, shape, kernel, group, same in RESTORED:
        attributes = {**_every(len(shape) - 2, same), "group": group}
        form = _form(shape, kernel, group=group, **same)
        one = np.zeros(shape, np.float32)
        one[0, 0, 0, 0] = 1e-41
        small = floats(*kernel) * np.float32(1e-5)
        for name, x in (("one tiny", one), ("tiny", floats(*shape) * np.float32(1e-41))):
            yield hunted(op, f"{form}, {name}", x, small, constants=(1,), also=attributes)


def pools() -> Iterator[GasCase]:
    """Make pools of huge, thin, and tiny windows, and of whole maps."""
    for shape, kernel, same in POOLED:
        attributes = {**_every(len(kernel), same), "kernel_shape": kernel}
        form, x = _form(shape, kernel, **same), floats(*shape)
        for op in ("MaxPool", "AveragePool", "LpPool"):
            yield hunted(op, form, x, also=attributes)
        yield hunted("LpPool", f"{form} p 3", x, p=3, also=attributes)
        yield hunted("MaxPool", f"{form} uint8", integers("uint8", *shape), also=attributes)
        yield hunted("AveragePool", f"{form} padded", x, count_include_pad=1, also=attributes)
        if "dilations" not in same:
            yield hunted("MaxPool", f"{form} places", x, outputs=2, also=attributes)
    for shape in ((1, 4096, 1, 1), (1, 1, 256, 256), (1, 512, 4, 4), (1, 512, 3, 3), (1, 2048, 7)):
        for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
            yield hunted(op, form_of(*shape), floats(*shape))
        yield hunted("GlobalLpPool", f"{form_of(*shape)} p 3", floats(*shape), p=3)
        yield hunted("LRN", f"{form_of(*shape)} size 65", floats(*shape), size=65)
        yield hunted("LRN", form_of(*shape), floats(*shape), size=1)


HUNTS: dict[str, Hunt] = {
    "windows": convolutions,
    "restored": restored,
    "pools": pools,
}
