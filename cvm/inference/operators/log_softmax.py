"""LogSoftmax: the logarithms of Softmax, without its quotients."""

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.exact.exponential import exp32
from cvm.inference.exact.logarithm import log32
from cvm.inference.exact.ordered_sum import ordered_sum
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.softmax import STEPS, SoftmaxParameters, parse, strided_steps
from cvm.inference.operators.unchanged_type import same_type
from cvm.inference.tensor_type import Array, TensorType


def cost(parameters: SoftmaxParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count four steps and one exponential for each output, and one logarithm for each slice."""
    size = outputs[0].size
    slices = size // parameters.shape[parameters.axis]
    return Cost(
        elementwise=size * STEPS + strided_steps(parameters) // 2 + 3 * RUN * slices,
        transcendental=3 * size + slices,
    )


def log_softmax(parameters: SoftmaxParameters, x: Array) -> tuple[Array, ...]:
    """Return LogSoftmax-13 along one axis, as its ONNX function body, each step rounded once.

    1. m = fold of Max along the axis (NaN if any element is NaN)
    2. d = x - m
    3. e = exp32(d)
    4. s = ordered_sum(e) along the axis: chunks of 256, ascending
    5. y = d - log32(s)

    A slice with a NaN or +inf, or with nothing but -inf, is NaN throughout.
    """
    terms = np.moveaxis(x, parameters.axis, 0)
    greatest = terms[0]
    for term in terms[1:]:
        greatest = larger(greatest, term)
    with np.errstate(all="ignore"):
        distances = terms - greatest
        logarithms = distances - log32(ordered_sum(exp32(distances)))
    return (np.ascontiguousarray(np.moveaxis(logarithms, 0, parameters.axis)),)


LOG_SOFTMAX = OpSpec("LogSoftmax", 13, frozenset({"axis"}), parse, same_type, cost, log_softmax)
