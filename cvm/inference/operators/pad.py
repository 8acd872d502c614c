"""Pad: elements added before and after each axis, or taken away."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_DIM, MAX_RANK
from cvm.inference.operators.attributes import string_attribute
from cvm.inference.operators.constant_lists import (
    INDEX_DTYPES,
    any_operand,
    constant_integers,
    resolve_axes,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type, steps_by_row
from cvm.inference.tensor_type import Array, Shape

MODES = ("constant", "reflect", "edge", "wrap")


@dataclass(frozen=True, slots=True)
class PadParameters(ResultType):
    """The result's type, the input's shape, the elements added before each axis, the mode."""

    input_shape: Shape
    before: tuple[int, ...]
    mode: str


def parse(view: NodeView) -> PadParameters:
    """Check data, constant pads, an optional scalar of its dtype, optional constant axes.

    Negative pads take elements away, in mode constant only.
    """
    require_operand_count(view, 2, 4)
    data = any_operand(view, 0)
    require_elements(view, 0, data)
    mode = string_attribute(view, "mode", "constant")
    if mode not in MODES:
        raise refusal(view, "attribute value", f"mode must be one of {MODES}, found {mode!r:.80}")
    if view.type_at(2) is not None and operand_type(view, 2, (data.dtype,)).size != 1:
        raise refusal(view, "operand shape", f"constant_value must be a scalar: {view.type_at(2)}")
    axes = tuple(range(data.rank))
    if view.type_at(3) is not None:
        listed = constant_integers(view, 3, "axes", MAX_RANK, INDEX_DTYPES)
        axes = resolve_axes(view, listed, data.rank)
    pads = constant_integers(view, 1, "pads", 2 * MAX_RANK)
    if len(pads) != 2 * len(axes):
        raise refusal(view, "operand shape", f"pads {list(pads)} for {len(axes)} axes")
    before, after = [0] * data.rank, [0] * data.rank
    for axis, begin, end in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        before[axis], after[axis] = begin, end
    _check_pads(view, data.shape, before, after, mode)
    shape = tuple(b + n + a for b, n, a in zip(before, data.shape, after, strict=True))
    return PadParameters(data.dtype, shape, data.shape, tuple(before), mode)


def _check_pads(
    view: NodeView, shape: Shape, before: list[int], after: list[int], mode: str
) -> None:
    """Refuse a huge pad, one that takes away too much, and one below 0 outside mode constant."""
    for length, begin, end in zip(shape, before, after, strict=True):
        if mode != "constant" and min(begin, end) < 0:
            raise refusal(view, "operand value", f"pads {begin}, {end} below 0 in mode {mode}")
        if not (-length <= begin <= MAX_DIM and -length <= end <= MAX_DIM):
            raise refusal(view, "operand value", f"pads {begin}, {end} of an axis of {length}")
        if begin + length + end < 0:
            raise refusal(view, "operand value", f"pads {begin}, {end} of an axis of {length}")


def source_places(parameters: PadParameters, axis: int) -> Array:
    """Return, for each place of the result's axis, the place of the input that it repeats.

    edge clamps to the axis, wrap counts modulo its length n, reflect modulo 2 * (n - 1) there
    and back. For mode constant the place may lie outside the axis.
    """
    n = parameters.input_shape[axis]
    places = np.arange(parameters.output_shape[axis]) - parameters.before[axis]
    if parameters.mode == "edge":
        return np.asarray(np.where(places < 0, 0, np.where(places >= n, n - 1, places)))
    if parameters.mode == "wrap":
        return np.asarray(places % n)
    if parameters.mode == "reflect":
        period = 2 * (n - 1) if n > 1 else 1
        folded = places % period
        return np.asarray(np.where(folded < n, folded, period - folded))
    return places


def pad(
    parameters: PadParameters,
    data: Array,
    _pads: Array,
    constant_value: Array | None = None,
    _axes: Array | None = None,
) -> tuple[Array, ...]:
    """Return Pad-21 in one of four modes, bits unchanged.

    constant puts `constant_value` (by default +0, 0 or false) outside the data; reflect, edge
    and wrap repeat the data as `source_places` says, axis by axis.
    """
    rank = len(parameters.output_shape)
    if parameters.mode != "constant":
        for axis in range(rank):
            data = np.take(data, source_places(parameters, axis), axis=axis)
        return (data,)
    filling = np.zeros((), data.dtype) if constant_value is None else constant_value.reshape(())
    result = np.full(parameters.output_shape, filling)
    spans, targets = [], []
    for axis in range(rank):
        start, length = parameters.before[axis], parameters.output_shape[axis]
        low, high = max(0, start), min(length, start + parameters.input_shape[axis])
        spans.append(slice(low - start, max(high, low) - start))
        targets.append(slice(low, max(high, low)))
    result[tuple(targets)] = data[tuple(spans)]
    return (result,)


PAD = OpSpec("Pad", 21, frozenset({"mode"}), parse, result_type, steps_by_row(8), pad)
