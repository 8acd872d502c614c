"""Resize: nearest by tables, linear one axis after the other."""

from math import prod
from typing import Any

import numpy as np

from cvm.inference.backends.cpu import mapped_copy
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.resize import ResizeParameters
from cvm.inference.operators.resize_coordinates import LinearTaps, linear_taps
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def interpolate_rows(
    x: Array,
    outer: int,
    original: int,
    low: Array,
    high: Array,
    low_weight: Array,
    high_weight: Array,
    single: Array,
    y: Array,
) -> None:
    """Equal `operators.resize` in mode linear along the last axis of (outer, original)."""
    length = len(low)
    for row in range(outer):
        source, target = x[row * original :], y[row * length :]
        for i in range(length):
            first = source[low[i]]
            second = source[high[i]]
            between = first * low_weight[i] + second * high_weight[i]
            target[i] = first if single[i] else between


@kernel
def interpolate_columns(
    x: Array,
    outer: int,
    original: int,
    inner: int,
    low: Array,
    high: Array,
    low_weight: Array,
    high_weight: Array,
    single: Array,
    y: Array,
) -> None:
    """Equal `operators.resize` in mode linear along the middle axis of (outer, original, inner)."""
    length = len(low)
    for block in range(outer):
        for i in range(length):
            first = x[(block * original + low[i]) * inner :]
            second = x[(block * original + high[i]) * inner :]
            target = y[(block * length + i) * inner :]
            a, b = low_weight[i], high_weight[i]
            if single[i]:
                for q in range(inner):
                    target[q] = first[q]
            else:
                for q in range(inner):
                    target[q] = first[q] * a + second[q] * b


def build(builder: StepBuilder) -> None:
    """Plan a Resize; axes that change nothing are left out."""
    parameters: ResizeParameters = builder.node.parameters
    if parameters.nearest_mode:
        mapped_copy.add_nearest(builder)
        return
    x, result = builder.operand(0), builder.results[0]
    changes = []
    for entry in parameters.resized:
        taps = linear_taps(entry, parameters.transformation)
        if not (taps.single.all() and np.array_equal(taps.low, np.arange(entry.original))):
            changes.append((entry, taps))
    if not changes:
        builder.add(np.copyto, result, x)
    source: Any = flat(x)
    shape = list(x.shape)
    for entry, taps in changes:
        axis, last = entry.axis, entry is changes[-1][0]
        outer, inner = prod(shape[:axis]), prod(shape[axis + 1 :])
        shape[axis] = entry.length
        target = flat(result) if last else builder.scratch("float32", prod(shape))
        if inner == 1:
            builder.add(interpolate_rows, source, outer, entry.original, *_arrays(taps), target)
        else:
            extents = (outer, entry.original, inner)
            builder.add(interpolate_columns, source, *extents, *_arrays(taps), target)
        source = target


def _arrays(taps: LinearTaps) -> tuple[Array, ...]:
    """Return the taps as a kernel takes them."""
    low, high = taps.low.astype(np.int32), taps.high.astype(np.int32)
    return low, high, taps.low_weight, taps.high_weight, taps.single
