"""The norms and DynamicQuantizeLinear, as steps of `Composer`."""

from collections.abc import Callable
from math import prod
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.operators.batch_normalization import BatchNormalizationParameters
from cvm.inference.operators.group_normalization import GroupNormalizationParameters
from cvm.inference.operators.instance_normalization import InstanceNormalizationParameters
from cvm.inference.operators.layer_normalization import LayerNormalizationParameters
from cvm.inference.operators.mean_variance_normalization import (
    EPSILON,
    MeanVarianceNormalizationParameters,
)
from cvm.inference.tensor_type import Shape

Builder = Callable[[LaunchBuilder], None]


def mean_over(composer: Composer, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return ordered sums over axes, which keep length 1, divided by float32(count)."""
    total = composer.fold("sums", x, axes) if axes else x
    count = prod(x.shape[axis] for axis in axes)
    return composer.binary("div", total, composer.number(count))


def centred(composer: Composer, rows: Tensor, epsilon: np.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Return the quotients, means and deviations of `operators.normalisation.centred` by row."""
    centre = mean_over(composer, rows, (1,))
    distance = composer.binary("sub", rows, centre)
    variance = mean_over(composer, composer.binary("mul", distance, distance), (1,))
    moved = composer.binary("add", variance, composer.number(epsilon))
    deviation = composer.function("root", moved)
    return composer.binary("div", distance, deviation, distance), centre, deviation


def build_layer(builder: LaunchBuilder) -> None:
    """Launch LayerNormalization-17; Mean and InvStdDev where they are wanted."""
    composer = Composer(builder)
    by: LayerNormalizationParameters = builder.node.parameters
    rows = composer.operand(0).shaped(prod(by.shape[: by.axis]), by.count)
    quotients, centre, deviation = centred(composer, rows, by.epsilon)
    y, bias = composer.result(), composer.optional(2)
    values = quotients.shaped(*by.shape)
    scaled = composer.binary("mul", values, composer.operand(1), y if bias is None else values)
    if bias is not None:
        composer.binary("add", scaled, bias, y)
    results = iter(range(1, len(builder.node.outputs)))
    if by.wanted[1]:
        composer.copy(centre, composer.result(next(results)))
    if by.wanted[2]:
        inverse = composer.result(next(results)).shaped(*deviation.shape)
        composer.binary("div", composer.number(1), deviation, inverse)


def along_channels(values: Tensor, rank: int) -> Tensor:
    """Return one value per channel, shaped to stretch over (n, c, ...) of a rank."""
    return values.shaped(values.size, *(1,) * (rank - 2))


def add_per_channel(composer: Composer, rows: Shape, epsilon: np.float32) -> None:
    """Append a norm over rows of whole planes, then a scale and a bias for each channel."""
    y = composer.result()
    quotients, _, _ = centred(composer, composer.operand(0).shaped(*rows), epsilon)
    scale, bias = (along_channels(composer.operand(index), len(y.shape)) for index in (1, 2))
    values = quotients.shaped(*y.shape)
    composer.binary("add", composer.binary("mul", values, scale, values), bias, y)


def build_instance(builder: LaunchBuilder) -> None:
    """Launch InstanceNormalization-6."""
    by: InstanceNormalizationParameters = builder.node.parameters
    rows = (prod(by.shape[:2]), prod(by.shape[2:]))
    add_per_channel(Composer(builder), rows, by.epsilon)


def build_group(builder: LaunchBuilder) -> None:
    """Launch GroupNormalization-21."""
    by: GroupNormalizationParameters = builder.node.parameters
    groups = by.shape[0] * by.groups
    add_per_channel(Composer(builder), (groups, prod(by.shape) // groups), by.epsilon)


def build_batch(builder: LaunchBuilder) -> None:
    """Launch BatchNormalization-15."""
    composer = Composer(builder)
    by: BatchNormalizationParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    rank = max(len(x.shape), 2)
    moved = composer.binary("add", composer.operand(4), composer.number(by.epsilon))
    scale, bias, mean, deviation = (
        along_channels(values, rank)
        for values in (*map(composer.operand, (1, 2, 3)), composer.function("root", moved))
    )
    shape = x.shape if len(x.shape) > 1 else (*x.shape, 1)
    distance = composer.binary("sub", x.shaped(*shape), mean)
    quotient = composer.binary("div", distance, deviation, distance)
    scaled = composer.binary("mul", quotient, scale, quotient)
    composer.binary("add", scaled, bias, y.shaped(*shape))


def build_mean_variance(builder: LaunchBuilder) -> None:
    """Launch MeanVarianceNormalization-13."""
    composer = Composer(builder)
    by: MeanVarianceNormalizationParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    distance = composer.binary("sub", x, mean_over(composer, x, by.axes))
    variance = mean_over(composer, composer.binary("mul", distance, distance), by.axes)
    root = composer.function("root", variance)
    composer.binary("div", distance, composer.binary("add", root, composer.number(EPSILON)), y)


def build_dynamic_quantize(builder: LaunchBuilder) -> None:
    """Launch DynamicQuantizeLinear-11: the range of the tensor, then its multiples of a scale."""
    composer = Composer(builder)
    x = composer.operand(0)
    y, scale, zero = map(composer.result, range(3))
    flat = x.shaped(x.size)
    low, high = composer.fold("minima", flat, (0,)), composer.fold("maxima", flat, (0,))
    ends = (scale.place, zero.place, low.place, high.place)
    composer.launch("running", "dynamic_range", 1, *ends)
    words = (y.place, x.place, scale.place, zero.place, x.size)
    composer.launch("running", "dynamic_quantise", x.size, *words)


BUILDERS = MappingProxyType[str, Builder](
    {
        "BatchNormalization": build_batch,
        "DynamicQuantizeLinear": build_dynamic_quantize,
        "GroupNormalization": build_group,
        "InstanceNormalization": build_instance,
        "LayerNormalization": build_layer,
        "MeanVarianceNormalization": build_mean_variance,
    }
)
