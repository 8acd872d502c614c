"""Relu and Clip as launches of `kernels/elementwise.cu`, and how operands are walked."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place
from cvm.inference.limits import MAX_RANK
from cvm.inference.tensor_type import Shape


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


def merged_axes(lengths: Shape, *steps: Sequence[int]) -> list[tuple[int, ...]]:
    """Return (length, step in each operand) by axis, axes that need no division merged.

    An axis of length 1 is dropped; one that continues its inner neighbour in every operand
    joins it.
    """
    axes: list[tuple[int, ...]] = []
    for length, *own in zip(lengths, *steps, strict=True):
        if length == 1:
            continue
        if axes and axes[-1][1:] == tuple(step * length for step in own):
            axes[-1] = (axes[-1][0] * length, *own)
        else:
            axes.append((length, *own))
    return axes


def walk_words(lengths: Shape, *steps: Sequence[int]) -> tuple[int, ...]:
    """Return the fields rank, lengths and steps of a record that walks several operands."""
    axes = merged_axes(lengths, *steps)
    unused = (0,) * (MAX_RANK - len(axes))
    none: list[tuple[int, ...]] = [()] * (1 + len(steps))
    columns = list(zip(*axes, strict=True)) or none
    return (len(axes), *(word for column in columns for word in (*column, *unused)))
