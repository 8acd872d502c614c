"""Add, Mul, Relu and Clip as launches of `kernels/elementwise.cu`."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place
from cvm.inference.limits import MAX_RANK
from cvm.inference.tensor_type import Shape

WIDTHS = {"float32": "f32", "int8": "8", "uint8": "8", "int32": "32", "int64": "64"}
"""The kernel of a dtype; integers of one width wrap around alike, signed or not."""


def build_add(builder: LaunchBuilder) -> None:
    """Launch Add-14."""
    _build_broadcast(builder, "add")


def build_mul(builder: LaunchBuilder) -> None:
    """Launch Mul-14."""
    _build_broadcast(builder, "mul")


def build_relu(builder: LaunchBuilder) -> None:
    """Launch Relu-14 as Max(x, +0)."""
    zero = np.zeros(1, builder.operand_type(0).dtype)
    _build_clip(builder, builder.table(zero), None)


def build_clip(builder: LaunchBuilder) -> None:
    """Launch Clip-13; an absent bound is no step at all."""
    _build_clip(builder, builder.optional(1), builder.optional(2))


def _build_clip(builder: LaunchBuilder, low: Place | None, high: Place | None) -> None:
    x = builder.operand_type(0)
    words = (builder.result(), builder.operand(0), low, high, x.size)
    builder.add_over(Kernel("elementwise", f"clip_{x.dtype}"), x.size, words)


def _build_broadcast(builder: LaunchBuilder, operation: str) -> None:
    a, b, y = builder.operand_type(0), builder.operand_type(1), builder.result_type()
    axes = merged_axes(
        y.shape, stretching_steps(a.shape, y.shape), stretching_steps(b.shape, y.shape)
    )
    unused = (0,) * (MAX_RANK - len(axes))
    columns = [(*column, *unused) for column in zip(*axes, strict=True)] or [(0,) * MAX_RANK] * 3
    words = (
        builder.result(),
        builder.operand(0),
        builder.operand(1),
        y.size,
        len(axes),
        *(word for column in columns for word in column),
    )
    kernel = Kernel("elementwise", f"{operation}_{WIDTHS[y.dtype]}")
    builder.add_over(kernel, y.size, words)


def stretching_steps(shape: Shape, target: Shape) -> tuple[int, ...]:
    """Return, by axis of `target`, how far apart neighbours lie in a C-ordered `shape`.

    The shapes are aligned at the last axis; an axis that stretches has step 0.
    """
    steps: list[int] = []
    step = 1
    for length in reversed(shape):
        steps.append(step if length != 1 else 0)
        step *= length
    return (0,) * (len(target) - len(shape)) + tuple(reversed(steps))


def merged_axes(
    lengths: Shape, a_steps: Sequence[int], b_steps: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return (length, step in a, step in b) by axis, axes that need no division merged.

    An axis of length 1 is dropped; one that continues its inner neighbour in both operands
    joins it.
    """
    axes: list[tuple[int, int, int]] = []
    for length, a_step, b_step in zip(lengths, a_steps, b_steps, strict=True):
        if length == 1:
            continue
        if axes and axes[-1][1:] == (a_step * length, b_step * length):
            axes[-1] = (axes[-1][0] * length, a_step, b_step)
        else:
            axes.append((length, a_step, b_step))
    return axes
