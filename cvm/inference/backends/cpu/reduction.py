"""The Reduce operators and the global pools: which fold runs over which axes."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.elementwise import Six, as_six
from cvm.inference.backends.cpu.reduction_kernels import (
    BLOCK,
    LANES,
    MAGNITUDE,
    PLAIN,
    SQUARE,
    divide,
    divide_integers,
    extreme,
    extreme_of_floats,
    integer_logarithms,
    integer_square_roots,
    logarithms,
    permute,
    product,
    square_roots,
    sum_columns,
    sum_rows,
)
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.global_lp_pool import GlobalLpPoolParameters
from cvm.inference.operators.reduction import ReductionParameters
from cvm.inference.tensor_type import Array, Shape

Extents = tuple[int, int, int]


def source_and_extents(builder: StepBuilder, dtype: type[np.generic]) -> tuple[Array, Extents]:
    """Return the data, its bytes read as `dtype`, and its shape as (outer, length, inner).

    Reduced axes that do not stand side by side are brought together by a copy.
    """
    parameters: ReductionParameters = builder.node.parameters
    x = flat(builder.operand(0)).view(dtype)
    groups = merged_groups(parameters.input_shape, parameters.axes)
    reduced = [index for index, (_, is_reduced) in enumerate(groups) if is_reduced]
    if len(reduced) <= 1:
        at = reduced[0] if reduced else len(groups)
        sizes = [length for length, _ in groups]
        return x, (prod(sizes[:at]), prod(sizes[at : at + 1]), prod(sizes[at + 1 :]))
    copy = builder.scratch(str(x.dtype), x.size)
    kept = [axis for axis in range(len(parameters.input_shape)) if axis not in parameters.axes]
    lengths, steps = permuted_axes(parameters.input_shape, (*kept, *parameters.axes))
    builder.add(permute, x, lengths, steps, copy)
    return copy, (prod(parameters.kept_shape), parameters.count, 1)


def merged_groups(shape: Shape, axes: tuple[int, ...]) -> list[tuple[int, bool]]:
    """Return the lengths of runs of axes that are all reduced or all kept, in order."""
    groups: list[tuple[int, bool]] = []
    for axis, length in enumerate(shape):
        is_reduced = axis in axes
        if length == 1:
            continue
        if groups and groups[-1][1] == is_reduced:
            groups[-1] = (groups[-1][0] * length, is_reduced)
        else:
            groups.append((length, is_reduced))
    return groups


def permuted_axes(shape: Shape, order: tuple[int, ...]) -> tuple[Six, Six]:
    """Return the lengths and strides of the axes of a contiguous array in another order."""
    padding = MAX_RANK - len(shape)
    lengths = (1,) * padding + tuple(shape[axis] for axis in order)
    steps = (0,) * padding + tuple(prod(shape[axis + 1 :]) for axis in order)
    return as_six(lengths), as_six(steps)


def build_sums(builder: StepBuilder, operation: int) -> None:
    """Plan the sum of values, magnitudes or squares."""
    parameters: ReductionParameters = builder.node.parameters
    y = flat(builder.results[0])
    if operation == PLAIN and not parameters.axes:
        builder.add(np.copyto, y, flat(builder.operand(0)))
        return
    x, (outer, length, inner) = source_and_extents(builder, y.dtype.type)
    zero = np.zeros(1, y.dtype)
    if inner == 1:
        builder.add(sum_rows(operation), x, length, zero, y)
    else:
        partial = builder.scratch(str(y.dtype), min(BLOCK, inner))
        builder.add(sum_columns(operation), x, outer, length, inner, zero, partial, y)


def build_sum(builder: StepBuilder) -> None:
    """Plan a ReduceSum."""
    build_sums(builder, PLAIN)


def build_l1(builder: StepBuilder) -> None:
    """Plan a ReduceL1."""
    build_sums(builder, MAGNITUDE)


def build_sum_square(builder: StepBuilder) -> None:
    """Plan a ReduceSumSquare."""
    build_sums(builder, SQUARE)


def build_l2(builder: StepBuilder) -> None:
    """Plan a ReduceL2."""
    build_sums(builder, SQUARE)
    y = flat(builder.results[0])
    if y.dtype == np.float32:
        builder.add(square_roots, y)
    else:
        greatest = int(np.iinfo(y.dtype).max)
        builder.add(integer_square_roots, y, np.float32(greatest), greatest)


def build_log_sum(builder: StepBuilder) -> None:
    """Plan a ReduceLogSum."""
    build_sums(builder, PLAIN)
    y = flat(builder.results[0])
    if y.dtype == np.float32:
        builder.add(logarithms, y)
    else:
        builder.add(integer_logarithms, y, int(np.iinfo(y.dtype).min))


def build_mean(builder: StepBuilder) -> None:
    """Plan a ReduceMean."""
    parameters: ReductionParameters = builder.node.parameters
    build_sums(builder, PLAIN)
    y = flat(builder.results[0])
    if y.dtype == np.float32:
        builder.add(divide, y, np.float32(parameters.count))
    else:
        builder.add(divide_integers, y, parameters.count)


def build_product(builder: StepBuilder) -> None:
    """Plan a ReduceProd."""
    y = flat(builder.results[0])
    x, extents = source_and_extents(builder, y.dtype.type)
    builder.add(product, x, *extents, np.ones(1, y.dtype), y)


def build_extreme(builder: StepBuilder, is_max: bool) -> None:
    """Plan a ReduceMax or ReduceMin; a float32 is read as its bits, a bool as a byte."""
    y = flat(builder.results[0])
    is_float = y.dtype == np.float32
    raw = np.int32 if is_float else np.uint8 if y.dtype == np.bool_ else y.dtype.type
    x, extents = source_and_extents(builder, raw)
    lanes = np.zeros(LANES, raw)
    if is_float:
        keys = builder.scratch("int32", extents[1] if extents[2] == 1 else extents[2])
        builder.add(extreme_of_floats(is_max), x, *extents, lanes, keys, y.view(raw))
    else:
        builder.add(extreme(is_max), x, *extents, lanes, y.view(raw))


def build_max(builder: StepBuilder) -> None:
    """Plan a ReduceMax."""
    build_extreme(builder, is_max=True)


def build_min(builder: StepBuilder) -> None:
    """Plan a ReduceMin."""
    build_extreme(builder, is_max=False)


def build_global_max(builder: StepBuilder) -> None:
    """Plan a GlobalMaxPool."""
    build_extreme(builder, is_max=True)


def build_global_norm(builder: StepBuilder) -> None:
    """Plan a GlobalLpPool with p of 1 or 2; others run by the definition."""
    parameters: GlobalLpPoolParameters = builder.node.parameters
    if parameters.p > 2:
        definition.build(builder)
    elif parameters.p == 1:
        build_l1(builder)
    else:
        build_l2(builder)
