"""Softmax: exponentials of one axis, divided by their sum."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import axis_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

STEPS = 4
"""Per element: a comparison, a subtraction, an addition, a division (and one exponential)."""

STRIDED_STEPS = 30 * SERIAL
"""Per element, where an axis is not the last: its elements do not lie side by side."""


@dataclass(frozen=True, slots=True)
class SoftmaxParameters(UnchangedType):
    """The type of the tensor and the axis, counted from the front."""

    axis: int


def parse(view: NodeView) -> SoftmaxParameters:
    """Check a float32 tensor of rank 1 or more and the axis, by default the last."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    return SoftmaxParameters(x.dtype, x.shape, axis_attribute(view, -1, x.rank))


def strided_steps(parameters: SoftmaxParameters) -> int:
    """Return what the place of the axis adds to the steps of all elements."""
    is_last = prod(parameters.shape[parameters.axis + 1 :]) == 1
    return 0 if is_last else STRIDED_STEPS * prod(parameters.shape)


def cost(parameters: SoftmaxParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count four steps and one exponential for each output."""
    size = outputs[0].size
    runs = 2 * RUN * (size // parameters.shape[parameters.axis])
    return Cost(elementwise=size * STEPS + strided_steps(parameters) + runs, transcendental=size)


def softmax(parameters: SoftmaxParameters, x: Array) -> tuple[Array, ...]:
    """Return Softmax-13 along one axis, as its ONNX function body, each step rounded once.

    1. m = fold of Max along the axis (NaN if any element is NaN)
    2. d = x - m
    3. e = exp32(d)
    4. s = ordered_sum(e) along the axis: chunks of 256, ascending
    5. y = e / s

    A slice with a NaN or +inf, or with nothing but -inf, is NaN throughout (+inf: where
    inf - inf enters the sum).
    """
    terms = np.moveaxis(x, parameters.axis, 0)
    greatest = terms[0]
    for term in terms[1:]:
        greatest = larger(greatest, term)
    with np.errstate(all="ignore"):
        exponentials = exp32(terms - greatest)
        quotients = exponentials / ordered_sum(exponentials)
    return (np.ascontiguousarray(np.moveaxis(quotients, 0, parameters.axis)),)


SOFTMAX = OpSpec("Softmax", 13, frozenset({"axis"}), parse, same_type, cost, softmax)
