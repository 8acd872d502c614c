"""The norms: rows centred and scaled a few at a time, and channels moved by fixed statistics."""

from collections.abc import Callable
from functools import cache
from math import prod

import numpy as np

from cvm.inference.backends.cpu import definition
from cvm.inference.backends.cpu.reduction import merged_groups
from cvm.inference.backends.cpu.reduction_kernels import PLAIN, ROWS, SQUARE, sum_rows
from cvm.inference.backends.cpu.scalar_operations import sqrt_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.operators.batch_normalization import BatchNormalizationParameters
from cvm.inference.operators.group_normalization import GroupNormalizationParameters
from cvm.inference.operators.instance_normalization import InstanceNormalizationParameters
from cvm.inference.operators.layer_normalization import LayerNormalizationParameters
from cvm.inference.operators.mean_variance_normalization import (
    EPSILON,
    MeanVarianceNormalizationParameters,
)
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

sum_of_values = sum_rows(PLAIN)
sum_of_squares = sum_rows(SQUARE)


@kernel
def subtract(source: Array, mean: np.float32, target: Array) -> None:
    """Write the distances of a row from its mean."""
    for i in range(len(source)):
        target[i] = source[i] - mean


@kernel
def divide_all(values: Array, deviation: np.float32) -> None:
    """Divide a row by its deviation."""
    for i in range(len(values)):
        values[i] = values[i] / deviation


@kernel
def scale_elements(values: Array, length: int, scale: Array, bias: Array, has_bias: bool) -> None:
    """Multiply each row of (rows, length) by `scale` and add `bias`, one value per column."""
    for first in range(0, len(values), length):
        row = values[first : first + length]
        if has_bias:
            for i in range(length):
                row[i] = row[i] * scale[i] + bias[i]
        else:
            for i in range(length):
                row[i] = row[i] * scale[i]


@kernel
def scale_planes(values: Array, first_plane: int, spatial: int, scale: Array, bias: Array) -> None:
    """Multiply each plane by its channel's scale and add its bias; channels repeat."""
    for plane in range(len(values) // spatial):
        channel = (first_plane + plane) % len(scale)
        factor, addend = scale[channel], bias[channel]
        elements = values[plane * spatial : (plane + 1) * spatial]
        for i in range(spatial):
            elements[i] = elements[i] * factor + addend


@cache
def normalise(per_channel: bool) -> Callable[..., None]:
    """Return the kernel that centres and scales each row of (rows, length).

    It equals `operators.normalisation.centred`, then the factor and addend of each element, or,
    `per_channel`, those of the planes of `spatial` elements that a row is made of. `sums` holds
    `ROWS` elements; `means` and `deviations` one per row, or `ROWS` where nobody reads them.
    """
    by_channel = 1 if per_channel else 0

    @kernel
    def normalise_rows(
        x: Array,
        length: int,
        epsilon: np.float32,
        zero: Array,
        scale: Array,
        bias: Array,
        has_bias: bool,
        spatial: int,
        means: Array,
        inverses: Array,
        sums: Array,
        y: Array,
    ) -> None:
        rows, count = len(x) // length, np.float32(length)
        for first in range(0, rows, ROWS):
            present = min(ROWS, rows - first)
            source = x[first * length : (first + present) * length]
            values = y[first * length : (first + present) * length]
            sum_of_values(source, length, zero, sums[:present])
            for row in range(present):
                mean = sums[row] / count
                if len(means) > 0:
                    means[first + row] = mean
                subtract(source[row * length : (row + 1) * length], mean, values[row * length :])
            sum_of_squares(values, length, zero, sums[:present])
            for row in range(present):
                deviation = sqrt_f32(sums[row] / count + epsilon)
                if len(inverses) > 0:
                    inverses[first + row] = np.float32(1) / deviation
                divide_all(values[row * length : (row + 1) * length], deviation)
            if by_channel == 1:
                scale_planes(values, first * length // spatial, spatial, scale, bias)
            else:
                scale_elements(values, length, scale, bias, has_bias)

    return normalise_rows


@kernel
def normalise_slices(
    x: Array, length: int, epsilon: np.float32, zero: Array, sums: Array, y: Array
) -> None:
    """Equal `operators.mean_variance_normalization` on each row of (rows, length)."""
    rows, count = len(x) // length, np.float32(length)
    for first in range(0, rows, ROWS):
        present = min(ROWS, rows - first)
        source = x[first * length : (first + present) * length]
        values = y[first * length : (first + present) * length]
        sum_of_values(source, length, zero, sums[:present])
        for row in range(present):
            mean = sums[row] / count
            subtract(source[row * length : (row + 1) * length], mean, values[row * length :])
        sum_of_squares(values, length, zero, sums[:present])
        for row in range(present):
            deviation = sqrt_f32(sums[row] / count) + epsilon
            divide_all(values[row * length : (row + 1) * length], deviation)


@kernel
def batch_normalise(
    x: Array,
    spatial: int,
    epsilon: np.float32,
    scale: Array,
    bias: Array,
    mean: Array,
    variance: Array,
    deviations: Array,
    y: Array,
) -> None:
    """Equal `operators.batch_normalization` on planes of `spatial` elements; channels repeat."""
    channels = len(scale)
    for channel in range(channels):
        deviations[channel] = sqrt_f32(variance[channel] + epsilon)
    if spatial == 1:
        for first in range(0, len(x), channels):
            source, target = x[first : first + channels], y[first : first + channels]
            for i in range(channels):
                quotient = (source[i] - mean[i]) / deviations[i]
                target[i] = quotient * scale[i] + bias[i]
        return
    for plane in range(len(x) // spatial):
        channel = plane % channels
        centre, deviation = mean[channel], deviations[channel]
        factor, addend = scale[channel], bias[channel]
        source = x[plane * spatial : (plane + 1) * spatial]
        target = y[plane * spatial : (plane + 1) * spatial]
        for i in range(spatial):
            target[i] = (source[i] - centre) / deviation * factor + addend


NOTHING = np.zeros(0, np.float32)


def build_layer(builder: StepBuilder) -> None:
    """Plan a LayerNormalization whose scale and bias have the shape of what is normalised."""
    parameters: LayerNormalizationParameters = builder.node.parameters
    slice_shape = parameters.shape[parameters.axis :]
    affine = [per_element(builder, index, slice_shape) for index in (1, 2)]
    scale, bias = affine
    if scale is None or (bias is None and builder.optional(2) is not None):
        definition.build(builder)
        return
    results = iter(builder.results)
    y, means, inverses = (
        flat(next(results)) if wanted else NOTHING for wanted in parameters.wanted
    )
    builder.add(
        normalise(per_channel=False),
        flat(builder.operand(0)),
        parameters.count,
        parameters.epsilon,
        np.zeros(1, np.float32),
        scale,
        NOTHING if bias is None else bias,
        bias is not None,
        1,
        means,
        inverses,
        builder.scratch("float32", ROWS),
        y,
    )


def per_element(builder: StepBuilder, index: int, shape: tuple[int, ...]) -> Array | None:
    """Return an operand as one value per element of a slice, or None where it does not fit.

    A constant that stretches is written out; one that differs from slice to slice does not fit.
    """
    operand = builder.optional(index)
    if operand is None:
        return None
    leading = operand.shape[: max(operand.ndim - len(shape), 0)]
    if prod(leading) != 1:
        return None
    trailing = operand.shape[len(leading) :]
    if prod(trailing) == prod(shape):
        return flat(operand)
    if builder.constant(index) is None:
        return None
    return np.broadcast_to(operand.reshape(trailing), shape).reshape(-1).copy()


def build_instance(builder: StepBuilder) -> None:
    """Plan an InstanceNormalization."""
    parameters: InstanceNormalizationParameters = builder.node.parameters
    build_per_channel(builder, prod(parameters.shape[2:]), parameters.epsilon)


def build_group(builder: StepBuilder) -> None:
    """Plan a GroupNormalization."""
    parameters: GroupNormalizationParameters = builder.node.parameters
    length = prod(parameters.shape[1:]) // parameters.groups
    build_per_channel(builder, length, parameters.epsilon)


def build_per_channel(builder: StepBuilder, length: int, epsilon: np.float32) -> None:
    """Plan a norm over rows of whole planes."""
    x = builder.operand(0)
    builder.add(
        normalise(per_channel=True),
        flat(x),
        length,
        epsilon,
        np.zeros(1, np.float32),
        flat(builder.operand(1)),
        flat(builder.operand(2)),
        True,
        prod(x.shape[2:]),
        NOTHING,
        NOTHING,
        builder.scratch("float32", ROWS),
        flat(builder.results[0]),
    )


def build_batch(builder: StepBuilder) -> None:
    """Plan a BatchNormalization."""
    parameters: BatchNormalizationParameters = builder.node.parameters
    statistics = [flat(builder.operand(index)) for index in (1, 2, 3, 4)]
    builder.add(
        batch_normalise,
        flat(builder.operand(0)),
        prod(parameters.shape[2:]),
        parameters.epsilon,
        *statistics,
        builder.scratch("float32", parameters.channels),
        flat(builder.results[0]),
    )


def build_mean_variance(builder: StepBuilder) -> None:
    """Plan a MeanVarianceNormalization of whole rows; other axes run by the definition."""
    parameters: MeanVarianceNormalizationParameters = builder.node.parameters
    groups = merged_groups(parameters.input_shape, parameters.axes)
    reduced = [is_reduced for _, is_reduced in groups]
    if reduced not in ([False, True], [True]):
        definition.build(builder)
        return
    x, y = flat(builder.operand(0)), flat(builder.results[0])
    zero, sums = np.zeros(1, np.float32), builder.scratch("float32", ROWS)
    builder.add(normalise_slices, x, parameters.count, EPSILON, zero, sums, y)
