"""Sliding windows: where each tap of a kernel falls, shared by convolution and pooling."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM
from cvm.inference.operators.attributes import ints_attribute, string_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Shape

MAX_SPATIAL_RANK = 3
AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")

EVERY = slice(None)
"""The whole of an axis."""

WINDOW_ATTRIBUTES = frozenset({"auto_pad", "dilations", "kernel_shape", "pads", "strides"})


@dataclass(frozen=True, slots=True)
class Window:
    """A kernel that slides over the spatial axes, every default and auto_pad resolved.

    `pads` holds the pads at the beginning of each axis, then those at the end. Output
    position i of an axis, tap j of the kernel, reads input position
    `i * stride - pad_begin + j * dilation`; a tap outside the input is padded.
    """

    kernel_shape: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    output_shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap: the outputs for which it lies inside the input, and what they read there."""

    index: tuple[int, ...]
    outputs: tuple[slice, ...]
    inputs: tuple[slice, ...]


def resolve_window(
    view: NodeView, spatial: Shape, kernel_shape: Shape, round_up: bool = False
) -> Window:
    """Read the window attributes of a node for an input with these spatial axes.

    auto_pad SAME_UPPER and SAME_LOWER give ceil(length / stride) outputs, the odd pad going
    to the end or to the beginning; VALID gives no pads. The output length is
    floor((length + pads - extent) / stride) + 1 with extent = (kernel - 1) * dilation + 1;
    with `round_up` (ceil_mode) the ceiling, without a last window that would start on the
    end pad (ONNX MaxPool-22 says so, onnxruntime does so for 12), and without auto_pad.
    Raises `InvalidModel`.
    """
    rank = len(spatial)
    if not 1 <= rank <= MAX_SPATIAL_RANK:
        raise refusal(
            view, "operand shape", f"1 to {MAX_SPATIAL_RANK} spatial axes, found {list(spatial)}"
        )
    kernel = checked_values(view, "kernel_shape", kernel_shape, rank, 1)
    strides = checked_values(view, "strides", ints_attribute(view, "strides"), rank, 1)
    dilations = checked_values(view, "dilations", ints_attribute(view, "dilations"), rank, 1)
    pads = checked_values(view, "pads", ints_attribute(view, "pads"), 2 * rank, 0)
    extents = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    pads = _resolve_auto_pad(view, spatial, extents, strides, pads, round_up)
    output = tuple(
        _output_length(view, spatial[a], extents[a], strides[a], pads[a], pads[a + rank], round_up)
        for a in range(rank)
    )
    return Window(kernel, strides, pads, dilations, output)


def checked_values(
    view: NodeView, name: str, values: tuple[int, ...] | None, count: int, least: int
) -> tuple[int, ...]:
    """Return `count` values in [least, MAX_DIM], or `count` times `least` if absent.

    No extent, stride, dilation or pad may exceed the largest dimension of a tensor.
    """
    if values is None:
        return (least,) * count
    if len(values) != count:
        raise refusal(
            view, "attribute value", f"{name} must have {count} values, found {len(values)}"
        )
    for value in values:
        if not least <= value <= MAX_DIM:
            raise refusal(
                view,
                "attribute value",
                f"{name} must lie in [{least}, {MAX_DIM}], found {value}",
            )
    return values


def _resolve_auto_pad(
    view: NodeView,
    spatial: Shape,
    extents: tuple[int, ...],
    strides: tuple[int, ...],
    pads: tuple[int, ...],
    round_up: bool,
) -> tuple[int, ...]:
    """Return explicit pads; auto_pad excludes them, and ceil_mode (ONNX is unclear on both)."""
    mode = string_attribute(view, "auto_pad", "NOTSET")
    if mode not in AUTO_PADS:
        raise refusal(view, "attribute value", f"auto_pad must be one of {AUTO_PADS}, got {mode!r}")
    if mode == "NOTSET":
        return pads
    if any(pads):
        raise refusal(view, "attribute value", f"pads {list(pads)} together with auto_pad {mode}")
    if round_up:
        raise refusal(
            view, "attribute value", f"ceil_mode together with auto_pad {mode}; write the pads out"
        )
    if mode == "VALID":
        return pads
    before, after = [], []
    for length, extent, stride in zip(spatial, extents, strides, strict=True):
        outputs = -(-length // stride)
        total = max((outputs - 1) * stride + extent - length, 0)
        small, large = total // 2, total - total // 2
        before.append(small if mode == "SAME_UPPER" else large)
        after.append(large if mode == "SAME_UPPER" else small)
    return (*before, *after)


def _output_length(
    view: NodeView,
    length: int,
    extent: int,
    stride: int,
    pad_begin: int,
    pad_end: int,
    round_up: bool,
) -> int:
    """Return how many windows fit one axis, refusing none at all."""
    room = length + pad_begin + pad_end - extent
    if room < 0:
        raise refusal(
            view,
            "operand shape",
            f"kernel extent {extent} exceeds the padded axis {pad_begin} + {length} + {pad_end}",
        )
    outputs = room // stride + 1
    if round_up and room % stride and outputs * stride < length + pad_begin:
        outputs += 1
    return outputs


def taps(window: Window, spatial: Shape) -> Iterator[Tap]:
    """Yield, in row-major order of the kernel, the taps that lie inside the input for any output.

    For a given output a tap is padded unless the output is in `Tap.outputs`.
    """
    axes = [
        [_axis_tap(window, axis, tap, length) for tap in range(window.kernel_shape[axis])]
        for axis, length in enumerate(spatial)
    ]
    for index in product(*(range(extent) for extent in window.kernel_shape)):
        spans = [axes[axis][tap] for axis, tap in enumerate(index)]
        if all(first < last for first, last, _ in spans):
            yield Tap(
                index,
                tuple(slice(first, last) for first, last, _ in spans),
                tuple(
                    slice(start, start + (last - first - 1) * stride + 1, stride)
                    for (first, last, start), stride in zip(spans, window.strides, strict=True)
                ),
            )


def _axis_tap(window: Window, axis: int, tap: int, length: int) -> tuple[int, int, int]:
    """Return the outputs [first, last) that read inside the axis, and what `first` reads."""
    stride = window.strides[axis]
    offset = tap * window.dilations[axis] - window.pads[axis]
    first = max(0, -(offset // stride))
    last = min(window.output_shape[axis], (length - 1 - offset) // stride + 1)
    return first, last, first * stride + offset
