"""ConvTranspose: float32 transposed convolution over 1 to 3 spatial axes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.exact.fused_multiply_add import add_product, widen
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import int_attribute, ints_attribute, string_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.product_steps import TILE_ROWS
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.window import (
    AUTO_PADS,
    EVERY,
    MAX_SPATIAL_RANK,
    WINDOW_ATTRIBUTES,
    Tap,
    checked_values,
)
from cvm.inference.tensor_type import Array, Shape, TensorType

MANY_PHASES = 64
"""Outputs of a stride that have taps of their own, beyond which the definition runs."""


@dataclass(frozen=True, slots=True)
class ConvTransposeParameters:
    """A resolved transposed convolution.

    Input position i of an axis, tap k of the kernel, feeds output position
    `i * stride + k * dilation - pad`; what falls outside the output is dropped.
    """

    input_shape: Shape
    weight_shape: Shape
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads_begin: tuple[int, ...]
    output_shape: Shape
    group: int
    has_bias: bool

    @property
    def full_output_shape(self) -> Shape:
        """Return (n, m, *output spatial)."""
        return (self.input_shape[0], self.weight_shape[1] * self.group, *self.output_shape)


def parse(view: NodeView) -> ConvTransposeParameters:
    """Check x (n, c, *spatial), constant weights (c, m / group, *kernel), bias (m) if present."""
    require_operand_count(view, 2, 3)
    x = operand_type(view, 0, ("float32",))
    w = operand_type(view, 1, ("float32",))
    constant_operand(view, 1, "weights")
    require_elements(view, 0, x)
    require_elements(view, 1, w)
    if x.rank != w.rank or not 1 <= x.rank - 2 <= MAX_SPATIAL_RANK:
        raise refusal(
            view, "operand shape", f"x {x} and w {w} need one rank of 3 to 5 (n, c, spatial)"
        )
    group = _checked_group(view, x, w)
    has_bias = view.type_at(2) is not None
    if has_bias and operand_type(view, 2, ("float32",)).shape != (w.shape[1] * group,):
        raise refusal(view, "operand shape", f"the bias must have {w.shape[1] * group} values")
    if ints_attribute(view, "kernel_shape") not in (None, w.shape[2:]):
        raise refusal(
            view,
            "attribute value",
            f"kernel_shape {view.attributes['kernel_shape']} differs from w {w}",
        )
    rank = x.rank - 2
    strides = checked_values(view, "strides", ints_attribute(view, "strides"), rank, 1)
    dilations = checked_values(view, "dilations", ints_attribute(view, "dilations"), rank, 1)
    pads, output = _resolve_output(view, x.shape[2:], w.shape[2:], strides, dilations)
    return ConvTransposeParameters(
        x.shape, w.shape, strides, dilations, pads, output, group, has_bias
    )


def _checked_group(view: NodeView, x: TensorType, w: TensorType) -> int:
    """Return the number of groups, which divides the input channels."""
    group = int_attribute(view, "group", 1)
    if group < 1 or x.shape[1] % group or w.shape[0] != x.shape[1]:
        raise refusal(
            view,
            "attribute value",
            f"group {group} must divide the {x.shape[1]} input channels, and w {w} have one row "
            "for each",
        )
    return group


def _resolve_output(
    view: NodeView,
    spatial: Shape,
    kernel: Shape,
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> tuple[tuple[int, ...], Shape]:
    """Return the pads at the beginning and the lengths of the output.

    Without pads an axis has stride * (length - 1) + output_padding + extent positions. pads
    narrow that; output_shape, or auto_pad SAME with stride * length, says what is left, and the
    rest is cut off: half at each end, the odd one at the end for SAME_UPPER and at the beginning
    otherwise. Where nothing is left to cut, positions without any tap follow at the end.
    """
    rank = len(spatial)
    mode = string_attribute(view, "auto_pad", "NOTSET")
    if mode not in AUTO_PADS:
        raise refusal(view, "attribute value", f"auto_pad must be one of {AUTO_PADS}, got {mode!r}")
    pads = checked_values(view, "pads", ints_attribute(view, "pads"), 2 * rank, 0)
    if mode != "NOTSET" and any(pads):
        raise refusal(view, "attribute value", f"pads {list(pads)} together with auto_pad {mode}")
    extra = checked_values(view, "output_padding", ints_attribute(view, "output_padding"), rank, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise refusal(
            view,
            "attribute value",
            f"output_padding {list(extra)} must be below the stride {list(strides)} or the "
            f"dilation {list(dilations)} of its axis",
        )
    whole = [
        s * (n - 1) + e + (k - 1) * d + 1
        for s, n, e, k, d in zip(strides, spatial, extra, kernel, dilations, strict=True)
    ]
    asked = ints_attribute(view, "output_shape")
    if asked is None and mode.startswith("SAME"):
        asked = tuple(s * n for s, n in zip(strides, spatial, strict=True))
    if asked is None:
        lengths = [n - b - e for n, b, e in zip(whole, pads[:rank], pads[rank:], strict=True)]
        return pads[:rank], _checked_lengths(view, lengths)
    lengths = list(checked_values(view, "output_shape", asked, rank, 1))
    cut = [max(n - length, 0) for n, length in zip(whole, lengths, strict=True)]
    before = tuple(c // 2 if mode == "SAME_UPPER" else c - c // 2 for c in cut)
    return before, _checked_lengths(view, lengths)


def _checked_lengths(view: NodeView, lengths: list[int]) -> Shape:
    """Return the lengths of the output, each from 1 to the largest dimension."""
    if not all(1 <= length <= MAX_DIM for length in lengths):
        raise refusal(view, "operand shape", f"output lengths {lengths} must lie in [1, {MAX_DIM}]")
    return tuple(lengths)


def output_types(parameters: ConvTransposeParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 (n, m, *output spatial)."""
    return (TensorType("float32", parameters.full_output_shape),)


def cost(
    parameters: ConvTransposeParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count every tap of every input, the bias, and what the kernels take beside them.

    Outputs are gathered, so that taps outside the input are worked on, for whole tiles of maps,
    after the pixels of every output were put in a row. With many phases the definition runs.
    """
    macs = prod(parameters.input_shape) * prod(parameters.weight_shape[1:])
    size, maps = outputs[0].size, parameters.weight_shape[1]
    terms = parameters.input_shape[1] // parameters.group * prod(parameters.weight_shape[2:])
    plain = Cost(float32_macs=macs, elementwise=size * (SERIAL + parameters.has_bias), nodes=1)
    if len(parameters.strides) > 2 or prod(parameters.strides) > MANY_PHASES:
        return plain + Cost(elementwise=30 * SERIAL * macs, nodes=6 * terms)
    gathered = size // maps * terms // prod(parameters.strides)
    idle = max(0, gathered * -(-maps // TILE_ROWS) * TILE_ROWS - macs)
    return plain + Cost(elementwise=3 * idle // 2 + SERIAL // 2 * gathered)


def conv_transpose(
    parameters: ConvTransposeParameters, x: Array, w: Array, bias: Array | None = None
) -> tuple[Array, ...]:
    """Return ConvTranspose-11 of float32 x (n, c, *spatial) and w (c, m / group, *kernel).

    Each output has one accumulator, from +0: `acc = fma(x, w, acc)` with one rounding, over the
    taps that reach it, in ascending order of (input channel in group, kernel row, kernel column
    ...). A tap that would read outside x is skipped. The bias, if any, is added last, by a
    separate rounding; an output that no tap reaches is +0 before it.
    """
    batch, channels = parameters.input_shape[:2]
    group, maps = parameters.group, parameters.weight_shape[1]
    pixels = widen(x).reshape(batch, group, channels // group, *x.shape[2:])
    weights = widen(w).reshape(group, channels // group, *w.shape[1:])
    accumulator = np.zeros((batch, group, maps, *parameters.output_shape), np.float32)
    window_taps = list(transposed_taps(parameters))
    ones = (1,) * len(parameters.output_shape)
    for channel in range(channels // group):
        for tap in window_taps:
            weight_index: tuple[slice | int, ...] = (EVERY, channel, EVERY, *tap.index)
            pixel_index: tuple[slice | int, ...] = (EVERY, EVERY, channel, *tap.inputs)
            column = weights[weight_index].reshape(1, group, maps, *ones)
            target = (EVERY, EVERY, EVERY, *tap.outputs)
            with np.errstate(all="ignore"):
                exact = pixels[pixel_index][:, :, None] * column
            accumulator[target] = add_product(exact, accumulator[target])
    y = accumulator.reshape(parameters.full_output_shape)
    if bias is None:
        return (y,)
    with np.errstate(all="ignore"):
        return (y + bias.reshape(-1, *ones),)


def transposed_taps(parameters: ConvTransposeParameters) -> Iterator[Tap]:
    """Yield, in row-major order of the kernel, the taps that reach any output."""
    kernel = parameters.weight_shape[2:]
    axes = [[_axis_tap(parameters, axis, tap) for tap in range(n)] for axis, n in enumerate(kernel)]
    for index in product(*(range(length) for length in kernel)):
        spans = [axes[axis][tap] for axis, tap in enumerate(index)]
        if all(first < last for first, last, _ in spans):
            yield Tap(
                index,
                tuple(
                    slice(start, start + (last - first - 1) * stride + 1, stride)
                    for (first, last, start), stride in zip(spans, parameters.strides, strict=True)
                ),
                tuple(slice(first, last) for first, last, _ in spans),
            )


def _axis_tap(parameters: ConvTransposeParameters, axis: int, tap: int) -> tuple[int, int, int]:
    """Return the inputs [first, last) that feed an output of the axis, and what `first` feeds."""
    stride = parameters.strides[axis]
    offset = tap * parameters.dilations[axis] - parameters.pads_begin[axis]
    first = max(0, -(offset // stride))
    room = parameters.output_shape[axis] - 1 - offset
    last = min(parameters.input_shape[axis + 2], room // stride + 1)
    return first, last, first * stride + offset


CONV_TRANSPOSE = OpSpec(
    "ConvTranspose",
    11,
    WINDOW_ATTRIBUTES | {"group", "output_padding", "output_shape"},
    parse,
    output_types,
    cost,
    conv_transpose,
)
