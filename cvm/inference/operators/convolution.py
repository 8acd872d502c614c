"""The shape rule and the tap order that Conv, ConvInteger and QLinearConv share."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute, ints_attribute
from cvm.inference.operators.operands import require_elements
from cvm.inference.operators.product_steps import WORD
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.window import EVERY, WINDOW_ATTRIBUTES, Window, resolve_window, taps
from cvm.inference.tensor_type import Array, Shape, TensorType

FULL_GROUP = 8
"""Channels of a group from which on a vector has no idle part."""

IDLE_STEPS = 8

FULL_DEPTHWISE = 16
"""Channels from which on a convolution of one channel a group fills vectors."""

FEW_OUTPUTS = 16
"""Inputs for one output beyond which their bytes cost more than the products."""

FEW_MAPS_STEPS = 24
"""Of a term, divided by the maps, where these fill no vector of words."""

TERM_STEPS = 12 * SERIAL
"""Of a term that is added by itself."""

BLOCK = 2**14
"""Outputs that are worked on together, so that an accumulator stays in a processor's cache."""

CONVOLUTION_ATTRIBUTES = WINDOW_ATTRIBUTES | {"group"}


@dataclass(frozen=True, slots=True)
class ConvolutionShape(Window):
    """A window, the channel groups, and the whole shapes of input, weights and output.

    Output channel m belongs to group m // (out_channels / group) and reads the input
    channels of that group.
    """

    group: int
    input_shape: Shape
    weight_shape: Shape
    full_output_shape: Shape

    @property
    def depth(self) -> int:
        """Return the multiply-adds of one output, padded taps included."""
        return prod(self.weight_shape[1:])


def convolution_cost(shape: ConvolutionShape) -> Cost:
    """Count what a convolution costs beside its multiply-accumulates.

    Pixels are put in the order of the kernels and back, half an operation each. In a group of few
    channels most of a vector is idle: `IDLE_STEPS` for each multiply-accumulate, divided by the
    channels of the group.
    """
    size, channels = prod(shape.full_output_shape), shape.weight_shape[0] // shape.group
    moved = (prod(shape.input_shape) + size) * SERIAL // 2
    idle = size * shape.depth * IDLE_STEPS // channels if channels < FULL_GROUP else 0
    starts = RUN * (shape.group + shape.input_shape[0])
    if shape.group == 1 and channels < FULL_GROUP:
        starts += RUN // 2 * prod(shape.full_output_shape[:-1]) * shape.depth
    return Cost(elementwise=moved + idle + starts)


def positions_inside(shape: ConvolutionShape) -> int:
    """Return the output positions whose windows reach into no padding."""
    counts = []
    for axis, length in enumerate(shape.input_shape[2:]):
        reach = (shape.kernel_shape[axis] - 1) * shape.dilations[axis]
        stride, pad = shape.strides[axis], shape.pads[axis]
        last = min((length - 1 - reach + pad) // stride, shape.output_shape[axis] - 1)
        counts.append(max(0, last - -(-pad // stride) + 1))
    return prod(counts)


def solid_steps(shape: ConvolutionShape, each: int, passes: int) -> Cost:
    """Count what the definition takes of a convolution over three axes, which has no kernel."""
    if len(shape.kernel_shape) < 3:
        return Cost()
    macs = prod(shape.full_output_shape) * shape.depth
    return Cost(elementwise=each * SERIAL * macs, nodes=passes * shape.depth)


def integer_convolution_cost(shape: ConvolutionShape) -> Cost:
    """Count likewise for 8 bits, where groups whose channels fill no word go term by term."""
    groups, (maps, channels) = shape.group, shape.weight_shape[:2]
    is_depthwise = groups == maps == shape.input_shape[1] and groups >= FULL_DEPTHWISE
    if groups == 1 or channels % WORD == 0 or is_depthwise:
        size, given = prod(shape.full_output_shape), prod(shape.input_shape)
        far = 2 * SERIAL * max(0, given - FEW_OUTPUTS * size)
        few = (
            size * shape.depth * FEW_MAPS_STEPS // maps if groups == 1 and maps < FULL_GROUP else 0
        )
        part = size * shape.depth * (WORD - channels) if groups == 1 and channels < WORD else 0
        return convolution_cost(shape) + Cost(elementwise=far + few + part)
    return Cost(elementwise=TERM_STEPS * prod(shape.full_output_shape) * shape.depth)


@dataclass(frozen=True, slots=True)
class Step:
    """One (input channel in group, tap) of a convolution, for a block of groups and channels.

    `pixels` is (n, groups, 1, *spatial), `weights` is (1, groups, channels, *ones), and
    `outputs` indexes the accumulator (n, group, channels per group, *spatial).
    """

    outputs: tuple[slice, ...]
    pixels: Array
    weights: Array


def resolve_convolution(view: NodeView, x: TensorType, w: TensorType) -> ConvolutionShape:
    """Check x (n, c, *spatial), w (m, c / group, *kernel) and the attributes of a convolution."""
    require_elements(view, 0, x)
    require_elements(view, 1, w)
    if x.rank != w.rank or x.rank < 3:
        raise refusal(
            view, "operand shape", f"x {x} and w {w} need one rank of 3 to 5 (n, c, spatial)"
        )
    group = int_attribute(view, "group", 1)
    if group < 1 or w.shape[0] % group or w.shape[1] * group != x.shape[1]:
        raise refusal(
            view,
            "attribute value",
            f"group {group} must divide the {w.shape[0]} output channels and leave "
            f"{w.shape[1]} of {x.shape[1]} input channels each",
        )
    kernel_shape = w.shape[2:]
    if ints_attribute(view, "kernel_shape") not in (None, kernel_shape):
        raise refusal(
            view,
            "attribute value",
            f"kernel_shape {view.attributes['kernel_shape']} differs from w {w}",
        )
    window = resolve_window(view, x.shape[2:], kernel_shape)
    return ConvolutionShape(
        window.kernel_shape,
        window.strides,
        window.pads,
        window.dilations,
        window.output_shape,
        group,
        x.shape,
        w.shape,
        (x.shape[0], w.shape[0], *window.output_shape),
    )


def grouped_output_shape(shape: ConvolutionShape) -> Shape:
    """Return (n, group, channels per group, *spatial), the layout of the accumulator."""
    batch, channels = shape.full_output_shape[:2]
    return (batch, shape.group, channels // shape.group, *shape.output_shape)


def steps(shape: ConvolutionShape, x: Array, w: Array) -> Iterator[Step]:
    """Yield the steps of a convolution: for each output, input channel by input channel, the taps.

    Taps go row-major. One that falls on padding for every output is not yielded; one that
    falls on padding for some outputs does not select them.
    """
    per_group = shape.weight_shape[1]
    ones = (1,) * len(shape.output_shape)
    pixels = x.reshape(x.shape[0], shape.group, per_group, *x.shape[2:])
    weights = w.reshape(shape.group, -1, *w.shape[1:])
    window_taps = list(taps(shape, x.shape[2:]))
    for groups, channels in _blocks(shape):
        for channel in range(per_group):
            for tap in window_taps:
                weight_index: tuple[slice | int, ...] = (groups, channels, channel, *tap.index)
                pixel_index: tuple[slice | int, ...] = (EVERY, groups, channel, *tap.inputs)
                column = weights[weight_index]
                yield Step(
                    (EVERY, groups, channels, *tap.outputs),
                    pixels[pixel_index][:, :, None],
                    column.reshape(1, *column.shape, *ones),
                )


def _blocks(shape: ConvolutionShape) -> Iterator[tuple[slice, slice]]:
    """Yield slices of groups and of channels per group that hold about `BLOCK` outputs each."""
    batch, groups, channels = grouped_output_shape(shape)[:3]
    positions = batch * prod(shape.output_shape)
    channel_step = min(channels, max(1, BLOCK // positions))
    group_step = max(1, BLOCK // (positions * channel_step))
    for group in range(0, groups, group_step):
        for channel in range(0, channels, channel_step):
            yield slice(group, group + group_step), slice(channel, channel + channel_step)


def along_channels(values: Array, shape: ConvolutionShape) -> Array:
    """Return one value per output channel, shaped to stretch over (n, m, *spatial)."""
    return values.reshape(1, -1, *(1,) * len(shape.output_shape))
