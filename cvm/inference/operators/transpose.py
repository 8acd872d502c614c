"""Transpose: the axes in another order."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import ints_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.inner_runs import turned_axes
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType

FEW_AXES = {1: 10, 4: 10, 8: 36}
MANY_AXES = {1: 48, 4: 24, 8: 48}
"""Steps of an element by its bytes, where up to three axes turn, and where more do."""


@dataclass(frozen=True, slots=True)
class TransposeParameters(ResultType):
    """The result's type; its axis i is axis `order[i]` of the input."""

    order: tuple[int, ...]


def parse(view: NodeView) -> TransposeParameters:
    """Check that `perm`, by default the axes backwards, names every axis once."""
    require_operand_count(view, 1)
    data = any_operand(view, 0)
    order = ints_attribute(view, "perm")
    if order is None:
        order = tuple(reversed(range(data.rank)))
    if sorted(order) != list(range(data.rank)):
        raise refusal(
            view, "attribute value", f"perm {list(order[:20])} must order {data.rank} axes"
        )
    return TransposeParameters(data.dtype, tuple(data.shape[axis] for axis in order), order)


def transpose(parameters: TransposeParameters, data: Array) -> tuple[Array, ...]:
    """Return Transpose-21: the same elements, axis i being the input's axis `order[i]`."""
    return (
        np.ascontiguousarray(data.transpose(parameters.order)).reshape(parameters.output_shape),
    )


def cost(parameters: TransposeParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count the steps of each element, by its size and by how many axes turn, and the runs."""
    x = view.types[0]
    shape = () if x is None else x.shape
    axes = turned_axes(shape, parameters.order)
    size = outputs[0].size
    each = (FEW_AXES if len(axes) <= 3 else MANY_AXES)[outputs[0].size_bytes // size]
    return Cost(elementwise=each * size + RUN // 16 * prod(axes[:-1]))


TRANSPOSE = OpSpec("Transpose", 21, frozenset({"perm"}), parse, result_type, cost, transpose)
