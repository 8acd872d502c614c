"""Max, Min, PRelu, Pow and Where: loops over broadcast operands; and Cast from float32."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.elementwise import Six, as_six, merged_axes, steps_of
from cvm.inference.backends.cpu.numpy_loops import run_copy, run_loop
from cvm.inference.backends.cpu.scalar_operations import larger, min_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import pow32
from cvm.inference.limits import MAX_RANK
from cvm.inference.tensor_type import Array, Shape
from cvm.native_code import inlined, kernel

MAXIMUM = 0
MINIMUM = 1
SLOPE = 2

ZERO = np.float32(0)


@inlined
def chosen(operation: int, one: np.float32, other: np.float32) -> np.float32:
    """Return Max, Min or the PRelu of `one` with the slope `other`."""
    if operation == SLOPE:
        return other * one if one < ZERO else one
    extreme: np.float32 = larger(one, other) if operation == MAXIMUM else min_f32(one, other)
    return extreme


@cache
def choice(operation: int) -> Callable[..., None]:
    """Return the kernel of Max (MAXIMUM), Min (MINIMUM) or PRelu (SLOPE) on float32.

    The operand that repeats along the last axis goes second.
    """

    @kernel
    def choose(a: Array, b: Array, y: Array, lengths: Six, a_steps: Six, b_steps: Six) -> None:
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
                    row[q] = chosen(operation, left[q], right[q])
            elif a_step == 1 and b_step == 0:
                other = right[0]
                for q in range(inner):
                    row[q] = chosen(operation, left[q], other)
            else:
                for q in range(inner):
                    row[q] = chosen(operation, left[q * a_step], right[q * b_step])

    return choose


@kernel
def power(a: Array, b: Array, y: Array, lengths: Six, a_steps: Six, b_steps: Six) -> None:
    """Equal `operators.pow` on float32."""
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
        if a_step == 1 and b_step == 0:
            exponent = right[0]
            for q in range(inner):
                row[q] = pow32(left[q], exponent)
        else:
            for q in range(inner):
                row[q] = pow32(left[q * a_step], right[q * b_step])


@kernel
def select(
    condition: Array,
    a: Array,
    b: Array,
    y: Array,
    lengths: Six,
    condition_steps: Six,
    a_steps: Six,
    b_steps: Six,
) -> None:
    """Equal `operators.where` on words of 32 bits; the condition is bytes."""
    inner = lengths[5]
    c_step, a_step, b_step = condition_steps[5], a_steps[5], b_steps[5]
    outer = lengths[0] * lengths[1] * lengths[2] * lengths[3] * lengths[4]
    for index in range(outer):
        rest, c, i, j = index, 0, 0, 0
        for axis in range(4, -1, -1):
            place = rest % lengths[axis]
            c += place * condition_steps[axis]
            i += place * a_steps[axis]
            j += place * b_steps[axis]
            rest //= lengths[axis]
        row = y[index * inner : (index + 1) * inner]
        holds, left, right = condition[c:], a[i:], b[j:]
        if c_step == 1 and a_step == 1 and b_step == 1:
            for q in range(inner):
                row[q] = left[q] if holds[q] != 0 else right[q]
        elif c_step == 1 and a_step == 0 and b_step == 1:
            one = left[0]
            for q in range(inner):
                row[q] = one if holds[q] != 0 else right[q]
        elif c_step == 1 and a_step == 1 and b_step == 0:
            other = right[0]
            for q in range(inner):
                row[q] = left[q] if holds[q] != 0 else other
        else:
            for q in range(inner):
                row[q] = left[q * a_step] if holds[q * c_step] != 0 else right[q * b_step]


@kernel
def to_narrow(
    x: Array, low: np.float32, high: np.float32, least: np.int32, greatest: np.int32, y: Array
) -> None:
    """Equal `exact.conversion.integer_from_float32` for int8, uint8 and int32.

    `high` is the first value above the dtype: what lies between `greatest` and it truncates.
    """
    for i in range(len(x)):
        value = x[i]
        whole = np.int32(value if (value > low) & (value < high) else ZERO)
        whole = greatest if value >= high else whole
        y[i] = least if value <= low else whole


@kernel
def to_wide(
    x: Array, low: np.float32, high: np.float32, least: np.int64, greatest: np.int64, y: Array
) -> None:
    """Equal `exact.conversion.integer_from_float32` for int64."""
    for i in range(len(x)):
        value = x[i]
        whole = np.int64(value if (value > low) & (value < high) else ZERO)
        whole = greatest if value >= high else whole
        y[i] = least if value <= low else whole


def build_max(builder: StepBuilder) -> None:
    """Plan a Max."""
    build_extreme(builder, MAXIMUM)


def build_min(builder: StepBuilder) -> None:
    """Plan a Min."""
    build_extreme(builder, MINIMUM)


def build_extreme(builder: StepBuilder, operation: int) -> None:
    """Plan a fold over the inputs; the first step makes the result, the others change it."""
    y = builder.results[0]
    count = len(builder.node.inputs)
    if count == 1:
        builder.add(run_copy, y, builder.operand(0))
        return
    result = builder.operand(0)
    for index in range(1, count):
        if y.dtype == np.float32:
            add_choice(builder, operation, result, builder.operand(index), y)
        else:
            loop = np.maximum if operation == MAXIMUM else np.minimum
            builder.add(run_loop, loop, result, builder.operand(index), y)
        result = y


def build_prelu(builder: StepBuilder) -> None:
    """Plan a PRelu; integers run by their definition."""
    if builder.node.parameters.dtype != "float32":
        definition.build(builder)
        return
    add_choice(builder, SLOPE, builder.operand(0), builder.operand(1), builder.results[0])


def add_choice(builder: StepBuilder, operation: int, a: Array, b: Array, y: Array) -> None:
    """Add a step of a choice between float32 operands.

    Max and Min are commutative, and a slope never is the larger operand, so that what repeats
    along the last axis can go second.
    """
    lengths, a_steps, b_steps = merged_axes(y.shape, a.shape, b.shape)
    if a_steps[-1] == 0 and operation != SLOPE:
        a, b, a_steps, b_steps = b, a, b_steps, a_steps
    builder.add(choice(operation), flat(a), flat(b), flat(y), lengths, a_steps, b_steps)


def build_pow(builder: StepBuilder) -> None:
    """Plan a Pow; a constant exponent of 2 is one product; integers run by their definition."""
    base, exponent, y = builder.operand(0), builder.operand(1), builder.results[0]
    if base.dtype != np.float32 or exponent.dtype != np.float32:
        definition.build(builder)
        return
    constant = builder.constant(1)
    if constant is not None and base.shape == y.shape and (constant == 2).all():
        builder.add(run_loop, np.multiply, base, base, y)
        return
    steps = merged_axes(y.shape, base.shape, exponent.shape)
    builder.add(power, flat(base), flat(exponent), flat(y), *steps)


def build_where(builder: StepBuilder) -> None:
    """Plan a Where; words that are not of 32 bits run by their definition."""
    y = builder.results[0]
    if y.itemsize != np.dtype(np.uint32).itemsize:
        definition.build(builder)
        return
    condition, a, b = (builder.operand(index) for index in range(3))
    steps = merged_three(y.shape, condition.shape, a.shape, b.shape)
    words = (flat(array).view(np.uint32) for array in (a, b, y))
    builder.add(select, flat(condition).view(np.uint8), *words, *steps)


def merged_three(shape: Shape, a: Shape, b: Shape, c: Shape) -> tuple[Six, Six, Six, Six]:
    """Return lengths and three operands' strides, neighbouring axes merged, six of each."""
    axes: list[tuple[int, ...]] = []
    operands = (steps_of(operand, shape) for operand in (a, b, c))
    for length, *steps in zip(shape, *operands, strict=True):
        if length == 1:
            continue
        if axes and all(
            before == step * length for before, step in zip(axes[-1][1:], steps, strict=True)
        ):
            axes[-1] = (axes[-1][0] * length, *steps)
        else:
            axes.append((length, *steps))
    axes = [(1, 0, 0, 0)] * (MAX_RANK - len(axes)) + axes
    lengths, first, second, third = zip(*axes, strict=True)
    return as_six(lengths), as_six(first), as_six(second), as_six(third)


def build_cast(builder: StepBuilder) -> None:
    """Plan a Cast or CastLike."""
    x, y = builder.operand(0), builder.results[0]
    if y.dtype == np.bool_:
        builder.add(run_loop, np.not_equal, x, np.zeros((), x.dtype), y)
    elif x.dtype != np.float32 or y.dtype == np.float32:
        builder.add(run_copy, y, x)
    else:
        add_float_to_integer(builder, flat(x), flat(y))


def add_float_to_integer(builder: StepBuilder, x: Array, y: Array) -> None:
    """Add a saturating conversion."""
    limits = np.iinfo(y.dtype)
    low, high = np.float32(limits.min), np.float32(limits.max + 1)
    if y.dtype == np.int64:
        bounds = np.int64(limits.min), np.int64(limits.max)
        builder.add(to_wide, x, low, high, *bounds, y)
    else:
        builder.add(to_narrow, x, low, high, np.int32(limits.min), np.int32(limits.max), y)
