"""Resize: axes made longer or shorter, by repeating elements or between two of them."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor, prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM, MAX_RANK
from cvm.inference.operators.attributes import (
    flag_attribute,
    float_attribute,
    int_attribute,
    ints_attribute,
    string_attribute,
)
from cvm.inference.operators.constant_lists import any_operand, constant_integers, resolve_axes
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.resize_coordinates import (
    MAX_DENOMINATOR,
    NEAREST_MODES,
    TRANSFORMATIONS,
    ResizedAxis,
    coordinate,
    linear_taps,
    nearest_places,
)
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType

POLICIES = ("stretch", "not_larger", "not_smaller")

MAX_SPREAD = 4
"""How many times larger than both ends a tensor between two axes may be: one axis made longer and
the next shorter would need memory that neither the input nor the output shows."""

NEAREST_STEPS = 10
LINEAR_STEPS = 12
"""Per element and axis: two products and their sum."""


@dataclass(frozen=True, slots=True)
class ResizeParameters(ResultType):
    """The result's type, the axes that change, and how.

    `nearest_mode` is empty for linear interpolation.
    """

    resized: tuple[ResizedAxis, ...]
    transformation: str
    nearest_mode: str


def parse(view: NodeView) -> ResizeParameters:
    """Check x, constant scales or sizes, and the modes.

    Refused: cubic, antialias, tf_crop_and_resize, and linear on integers, for which no order
    of roundings is laid down. `roi`, `cubic_coeff_a`, `exclude_outside` and
    `extrapolation_value` belong to them and are not read.
    """
    require_operand_count(view, 1, 4)
    x = any_operand(view, 0)
    require_elements(view, 0, x)
    mode = _chosen(view, "mode", ("nearest", "linear"))
    if mode == "linear":
        operand_type(view, 0, ("float32",))
    transformation = _chosen(view, "coordinate_transformation_mode", TRANSFORMATIONS)
    nearest_mode = _chosen(view, "nearest_mode", NEAREST_MODES)
    if flag_attribute(view, "antialias", False):
        raise refusal(view, "attribute value", "antialias must be 0")
    float_attribute(view, "cubic_coeff_a", -0.75)
    float_attribute(view, "extrapolation_value", 0)
    int_attribute(view, "exclude_outside", 0)
    resized = _resized_axes(view, x)
    for entry in resized:
        if coordinate(entry, transformation)[2] > MAX_DENOMINATOR:
            raise refusal(
                view,
                "operand value",
                f"{transformation} by {float(entry.scale)} on axis {entry.axis}; give sizes",
            )
    shape = list(x.shape)
    for entry in resized:
        shape[entry.axis] = entry.length
    nearest = nearest_mode if mode == "nearest" else ""
    parameters = ResizeParameters(x.dtype, tuple(shape), resized, transformation, nearest)
    if mode == "linear":
        _require_small_steps(view, parameters, x)
    return parameters


def _require_small_steps(view: NodeView, parameters: ResizeParameters, x: TensorType) -> None:
    """Refuse a tensor between two axes that is much larger than the input and the output."""
    between = max(_sizes_made(parameters), default=0)
    ends = max(x.size, prod(parameters.output_shape))
    if between > MAX_SPREAD * ends:
        raise refusal(
            view, "operand value", f"{between} elements between two axes, {ends} before or after"
        )


def _chosen(view: NodeView, name: str, known: tuple[str, ...]) -> str:
    """Return a string attribute that is one of `known`, the first of which is the default."""
    value = string_attribute(view, name, known[0])
    if value not in known:
        raise refusal(
            view, "attribute value", f"{name} must be one of {known}, found {value!r:.80}"
        )
    return value


def _resized_axes(view: NodeView, x: TensorType) -> tuple[ResizedAxis, ...]:
    """Return the axes that are listed, from the last to the first."""
    listed = ints_attribute(view, "axes")
    axes = resolve_axes(
        view, tuple(range(x.rank)) if listed is None else listed, x.rank, "attribute value"
    )
    has_scales = view.type_at(2) is not None
    if has_scales == (view.type_at(3) is not None):
        raise refusal(view, "operand count", "give either scales or sizes")
    policy = _chosen(view, "keep_aspect_ratio_policy", POLICIES)
    pairs = _by_scales(view, x, axes) if has_scales else _by_sizes(view, x, axes, policy)
    resized = []
    for axis, (length, scale) in zip(axes, pairs, strict=True):
        if not 1 <= length <= MAX_DIM:
            raise refusal(view, "operand value", f"axis {axis} of {x} would become {length}")
        resized.append(ResizedAxis(axis, x.shape[axis], length, scale))
    return tuple(sorted(resized, key=lambda entry: -entry.axis))


def _by_scales(view: NodeView, x: TensorType, axes: tuple[int, ...]) -> list[tuple[int, Fraction]]:
    """Return floor(length * scale) and the exact scale for each axis."""
    found = operand_type(view, 2, ("float32",))
    values = constant_operand(view, 2, "scales")
    if found.shape != (len(axes),) or not (np.isfinite(values) & (values > 0)).all():
        raise refusal(
            view, "operand value", f"scales {found} must be {len(axes)} finite numbers above 0"
        )
    scales = [Fraction(value.item()) for value in values]
    return [(floor(x.shape[a] * scale), scale) for a, scale in zip(axes, scales, strict=True)]


def _by_sizes(
    view: NodeView, x: TensorType, axes: tuple[int, ...], policy: str
) -> list[tuple[int, Fraction]]:
    """Return the length and the exact scale for each axis.

    Under not_larger (not_smaller) all axes take the least (greatest) scale, and a length is
    length * scale rounded, halves up.
    """
    sizes = constant_integers(view, 3, "sizes", MAX_RANK)
    if len(sizes) != len(axes) or any(not 1 <= size <= MAX_DIM for size in sizes):
        raise refusal(
            view,
            "operand value",
            f"sizes {list(sizes)} must be {len(axes)} lengths up to {MAX_DIM}",
        )
    scales = [Fraction(size, x.shape[axis]) for size, axis in zip(sizes, axes, strict=True)]
    if policy == "stretch" or not scales:
        return list(zip(sizes, scales, strict=True))
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [(floor(x.shape[axis] * scale + Fraction(1, 2)), scale) for axis in axes]


def cost(parameters: ResizeParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output, and in linear mode three for each axis that is made."""
    rows = RUN // 2 * prod(outputs[0].shape[:-1])
    if parameters.nearest_mode:
        return Cost(elementwise=NEAREST_STEPS * outputs[0].size + rows)
    return Cost(elementwise=sum(LINEAR_STEPS * size for size in _sizes_made(parameters)) + rows)


def _sizes_made(parameters: ResizeParameters) -> list[int]:
    """Return how many elements there are after each axis, from the last to the first."""
    size = prod(parameters.output_shape)
    for entry in parameters.resized:
        size = size // entry.length * entry.original
    sizes = []
    for entry in parameters.resized:
        size = size // entry.original * entry.length
        sizes.append(size)
    return sizes


def resize(
    parameters: ResizeParameters,
    x: Array,
    _roi: Array | None = None,
    _scales: Array | None = None,
    _sizes: Array | None = None,
) -> tuple[Array, ...]:
    """Return Resize-19 in mode nearest (any dtype, bits unchanged) or linear (float32).

    Coordinates are exact rationals (`resize_coordinates`), clamped to the axis. In mode linear
    axes are done one after the other, from the last to the first. A place whose coordinate is
    whole is a copy; any other is `low_weight * low + high_weight * high`: two products, each
    rounded, and their sum, rounded.
    """
    if parameters.nearest_mode:
        return (_repeated(parameters, x),)
    for entry in parameters.resized:
        taps = linear_taps(entry, parameters.transformation)
        along = [1] * x.ndim
        along[entry.axis] = entry.length
        low, high = np.take(x, taps.low, axis=entry.axis), np.take(x, taps.high, axis=entry.axis)
        with np.errstate(all="ignore"):
            between = low * taps.low_weight.reshape(along) + high * taps.high_weight.reshape(along)
        x = np.where(taps.single.reshape(along), low, between)
    return (x,)


def _repeated(parameters: ResizeParameters, x: Array) -> Array:
    """Return the element at the nearest original place of every axis."""
    places = [np.arange(length) for length in x.shape]
    for entry in parameters.resized:
        places[entry.axis] = nearest_places(
            entry, parameters.transformation, parameters.nearest_mode
        )
    along = [np.newaxis] * x.ndim
    index = [
        chosen[(*along[:axis], slice(None), *along[axis + 1 :])]
        for axis, chosen in enumerate(places)
    ]
    return np.asarray(x[tuple(index)])


RESIZE = OpSpec(
    "Resize",
    19,
    frozenset(
        {
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
        }
    ),
    parse,
    result_type,
    cost,
    resize,
)
