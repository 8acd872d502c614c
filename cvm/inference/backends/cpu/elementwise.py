"""Add, Mul, Relu and Clip: one operation per element, shapes broadcast by strides."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cvm.inference.backends.cpu.scalar_operations import larger, min_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.broadcasting import BroadcastParameters
from cvm.inference.tensor_type import Array, Shape
from cvm.native_code import kernel

ADD = 0
MULTIPLY = 1

Six = tuple[int, int, int, int, int, int]
"""One number for each of `MAX_RANK` axes."""


@cache
def binary(operation: int) -> Callable[..., None]:
    """Return the kernel that equals `operators.add` (ADD) or `operators.mul` (MULTIPLY)."""

    @kernel
    def combine(a: Array, b: Array, y: Array, lengths: Six, a_steps: Six, b_steps: Six) -> None:
        inner, a_step, b_step = lengths[5], a_steps[5], b_steps[5]
        outer = lengths[0] * lengths[1] * lengths[2] * lengths[3] * lengths[4]
        for index in range(outer):
            rest, i, j = index, 0, 0
            for axis in range(4, -1, -1):
                i += rest % lengths[axis] * a_steps[axis]
                j += rest % lengths[axis] * b_steps[axis]
                rest //= lengths[axis]
            row = y[index * inner : (index + 1) * inner]
            left, right = a[i:], b[j:]
            if a_step == 1 and b_step == 1:
                for q in range(inner):
                    row[q] = left[q] + right[q] if operation == ADD else left[q] * right[q]
            elif a_step == 1 and b_step == 0:
                other = right[0]
                for q in range(inner):
                    row[q] = left[q] + other if operation == ADD else left[q] * other
            else:
                for q in range(inner):
                    one, other = left[q * a_step], right[q * b_step]
                    row[q] = one + other if operation == ADD else one * other

    return combine


@kernel
def relu_float(x: Array, y: Array) -> None:
    """Write Max(x, +0), which is NaN for a NaN."""
    for i in range(len(x)):
        value = x[i]
        y[i] = value if value > 0 or value != value else np.float32(0)


@kernel
def clip_float(x: Array, low: Array, has_low: bool, high: Array, has_high: bool, y: Array) -> None:
    """Write Min(Max(x, low), high); a bound that is absent is no step."""
    for i in range(len(x)):
        value = x[i]
        if has_low:
            value = larger(value, low[0])
        if has_high:
            value = min_f32(value, high[0])
        y[i] = value


@kernel
def clip_integer(
    x: Array, low: Array, has_low: bool, high: Array, has_high: bool, y: Array
) -> None:
    """Write min(max(x, low), high); a bound that is absent is no step."""
    for i in range(len(x)):
        value = x[i]
        if has_low and value <= low[0]:
            value = low[0]
        if has_high and value >= high[0]:
            value = high[0]
        y[i] = value


def build_add(builder: StepBuilder) -> None:
    """Plan an Add."""
    build_binary(builder, ADD)


def build_mul(builder: StepBuilder) -> None:
    """Plan a Mul."""
    build_binary(builder, MULTIPLY)


def build_binary(builder: StepBuilder, operation: int) -> None:
    """Plan a binary operation over the fewest axes that describe its broadcast.

    Both operations are commutative, so the operand that repeats along the last axis goes second.
    """
    parameters: BroadcastParameters = builder.node.parameters
    a, b = builder.operand(0), builder.operand(1)
    lengths, a_steps, b_steps = merged_axes(parameters.output_shape, a.shape, b.shape)
    if a_steps[-1] == 0:
        a, b, a_steps, b_steps = b, a, b_steps, a_steps
    y = flat(builder.results[0])
    builder.add(binary(operation), flat(a), flat(b), y, lengths, a_steps, b_steps)


def merged_axes(shape: Shape, a: Shape, b: Shape) -> tuple[Six, Six, Six]:
    """Return lengths and the two operands' strides with neighbouring axes merged, six of each.

    A stride is in elements, 0 along an axis on which the operand repeats.
    """
    axes: list[list[int]] = []
    steps = zip(shape, steps_of(a, shape), steps_of(b, shape), strict=True)
    for length, a_step, b_step in steps:
        if length == 1:
            continue
        if axes and axes[-1][1] == a_step * length and axes[-1][2] == b_step * length:
            axes[-1] = [axes[-1][0] * length, a_step, b_step]
        else:
            axes.append([length, a_step, b_step])
    axes = [[1, 0, 0]] * (MAX_RANK - len(axes)) + axes
    lengths, a_steps, b_steps = (tuple(column) for column in zip(*axes, strict=True))
    return as_six(lengths), as_six(a_steps), as_six(b_steps)


def as_six(values: tuple[int, ...]) -> Six:
    """Return six numbers as the type that says so."""
    first, second, third, fourth, fifth, sixth = values
    return first, second, third, fourth, fifth, sixth


def steps_of(operand: Shape, shape: Shape) -> list[int]:
    """Return an operand's stride along each axis of the shape it stretches to."""
    steps = [0] * (len(shape) - len(operand))
    stride = 1
    own: list[int] = []
    for length in reversed(operand):
        own.append(stride if length > 1 else 0)
        stride *= length
    return steps + own[::-1]


def build_relu(builder: StepBuilder) -> None:
    """Plan a Relu."""
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    if x.dtype == np.float32:
        builder.add(relu_float, x, y)
    else:
        zero = np.zeros(1, x.dtype)
        builder.add(clip_integer, x, zero, True, zero, False, y)


def build_clip(builder: StepBuilder) -> None:
    """Plan a Clip whose bounds may be absent, constant or computed."""
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    bounds: list[object] = []
    for index in (1, 2):
        bound = builder.optional(index)
        bounds += [flat(bound) if bound is not None else np.zeros(1, x.dtype), bound is not None]
    builder.add(clip_float if x.dtype == np.float32 else clip_integer, x, *bounds, y)
