"""Concat: tensors joined along one axis."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class ConcatParameters(ResultType):
    """The result's type and the axis, counted from the front."""

    axis: int


def parse(view: NodeView) -> ConcatParameters:
    """Check one or more tensors of one dtype whose shapes differ along `axis` at most."""
    first = any_operand(view, 0)
    if "axis" not in view.attributes:
        raise refusal(view, "attribute value", "axis is required")
    axis = axis_attribute(view, 0, first.rank)
    total = 0
    for index in range(len(view.types)):
        found = operand_type(view, index, (first.dtype,))
        rest = (*found.shape[:axis], *found.shape[axis + 1 :])
        if found.rank != first.rank or rest != (*first.shape[:axis], *first.shape[axis + 1 :]):
            raise refusal(
                view, "operand shape", f"input {index} {found} does not join {first} on axis {axis}"
            )
        total += found.shape[axis]
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    return ConcatParameters(first.dtype, shape, axis)


def concat(parameters: ConcatParameters, *tensors: Array) -> tuple[Array, ...]:
    """Return Concat-13: the inputs one after the other along the axis, bits unchanged."""
    return (np.concatenate(tensors, axis=parameters.axis),)


def cost(parameters: ConcatParameters, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each element, and a run for each piece; a tensor starts with four."""
    pieces = prod(outputs[0].shape[: parameters.axis])
    return Cost(elementwise=outputs[0].size + RUN // 2 * (pieces + 7) * len(view.types))


CONCAT = OpSpec("Concat", 13, frozenset({"axis"}), parse, result_type, cost, concat)
