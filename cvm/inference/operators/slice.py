"""Slice: every n-th element between two constant places of each axis."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.constant_lists import (
    INDEX_DTYPES,
    any_operand,
    constant_integers,
    resolve_axes,
)
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class SliceParameters(ResultType):
    """The result's type and, for every axis, its first element and the step to the next."""

    starts: tuple[int, ...]
    steps: tuple[int, ...]


def parse(view: NodeView) -> SliceParameters:
    """Check the tensor and the constant starts, ends, axes and steps."""
    require_operand_count(view, 3, 5)
    data = any_operand(view, 0)
    lists = [
        _listed(view, index, name) for index, name in enumerate(("starts", "ends", "axes", "steps"))
    ]
    begins, ends = lists[0] or (), lists[1] or ()
    axes = tuple(range(len(begins))) if lists[2] is None else lists[2]
    strides = (1,) * len(begins) if lists[3] is None else lists[3]
    if not len(begins) == len(ends) == len(axes) == len(strides):
        raise refusal(
            view, "operand shape", f"lists of {list(map(len, (begins, ends, axes, strides)))}"
        )
    if 0 in strides:
        raise refusal(view, "operand value", f"steps {list(strides)} hold a 0")
    starts, steps, shape = [0] * data.rank, [1] * data.rank, list(data.shape)
    resolved = resolve_axes(view, axes, data.rank)
    for axis, begin, end, stride in zip(resolved, begins, ends, strides, strict=True):
        places = range(*slice(begin, end, stride).indices(data.shape[axis]))
        starts[axis], steps[axis], shape[axis] = places.start, stride, len(places)
    return SliceParameters(data.dtype, tuple(shape), tuple(starts), tuple(steps))


def _listed(view: NodeView, position: int, name: str) -> tuple[int, ...] | None:
    """Return one of the four lists, or None where it is absent."""
    if view.type_at(position + 1) is None:
        return None
    return constant_integers(view, position + 1, name, MAX_RANK, INDEX_DTYPES)


def slice_tensor(
    parameters: SliceParameters, data: Array, *_lists: Array | None
) -> tuple[Array, ...]:
    """Return Slice-13: element start + i * step of each axis; ends clamp as in Python."""
    result = data
    shape = parameters.output_shape
    for axis, (start, step) in enumerate(zip(parameters.starts, parameters.steps, strict=True)):
        places = start + step * np.arange(shape[axis])
        result = np.take(result, places, axis=axis)
    return (result,)


def cost(parameters: SliceParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count seven steps for each element, more where the last axis has gaps, and the runs."""
    x, size = view.types[0], outputs[0].size
    shape = () if x is None else x.shape
    made = outputs[0].shape
    cut = max((axis for axis, n in enumerate(shape) if made[axis] != n), default=-1)
    has_gaps = bool(made) and parameters.steps[-1] != 1
    each = 7 + (SERIAL // 2 if has_gaps else 0)
    return Cost(elementwise=each * size + RUN // 2 * prod(made[:cut] if cut > 0 else ()))


SLICE = OpSpec("Slice", 13, frozenset(), parse, result_type, cost, slice_tensor, reads_part=True)
