"""Expand: a tensor repeated to a constant shape."""

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.broadcasting import broadcast_shape
from cvm.inference.operators.constant_lists import any_operand, constant_integers
from cvm.inference.operators.inner_runs import broadcast_runs
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType


def parse(view: NodeView) -> ResultType:
    """Check the tensor and the constant shape; each stretches to the other."""
    require_operand_count(view, 2)
    data = any_operand(view, 0)
    shape = constant_integers(view, 1, "shape", MAX_RANK)
    if min(shape, default=0) < 0:
        raise refusal(view, "operand value", f"shape {list(shape)} holds a negative length")
    return ResultType(data.dtype, broadcast_shape(view, data.shape, shape))


def expand(parameters: ResultType, data: Array, _shape: Array) -> tuple[Array, ...]:
    """Return Expand-13: axes of length 1 repeated, as in `numpy.broadcast_to`."""
    return (np.broadcast_to(data, parameters.output_shape).copy(),)


def cost(_parameters: ResultType, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count four steps for each element, and the runs of elements that lie or repeat together."""
    x = view.types[0]
    runs = 1 if x is None else broadcast_runs([x.shape], outputs[0].shape)
    return Cost(elementwise=4 * outputs[0].size + RUN // 4 * runs)


EXPAND = OpSpec("Expand", 13, frozenset(), parse, result_type, cost, expand)
