"""GlobalAveragePool: the mean over all spatial axes."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.exact.ordered_sum import mean
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class GlobalAveragePoolParameters:
    """The input's shape and the number of elements in each mean."""

    input_shape: Shape
    count: int


def parse(view: NodeView) -> GlobalAveragePoolParameters:
    """Check float32 x (n, c, *spatial) with at least one spatial axis."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("float32",))
    require_elements(view, 0, x)
    if x.rank < 3:
        raise refusal(view, "operand shape", f"x must be (n, c, spatial ...), found {x}")
    return GlobalAveragePoolParameters(x.shape, prod(x.shape[2:]))


def output_types(
    parameters: GlobalAveragePoolParameters, _view: NodeView
) -> tuple[TensorType, ...]:
    """Return float32 (n, c, 1 ...)."""
    ones = (1,) * (len(parameters.input_shape) - 2)
    return (TensorType("float32", (*parameters.input_shape[:2], *ones)),)


def cost(
    parameters: GlobalAveragePoolParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one addition for each input and one division for each output."""
    return Cost(elementwise=outputs[0].size * (SERIAL * (parameters.count + 1) + RUN // 4))


def global_average_pool(parameters: GlobalAveragePoolParameters, x: Array) -> tuple[Array, ...]:
    """Return GlobalAveragePool-1: the mean of float32 x (n, c, *spatial) as (n, c, 1 ...).

    The elements of a channel, row-major, are added up in chunks of 256 (`ordered_sum`); the
    sum is divided by float32(count). Each step rounds once.
    """
    batch, channels = parameters.input_shape[:2]
    terms = x.reshape(batch * channels, parameters.count).transpose()
    ones = (1,) * (len(parameters.input_shape) - 2)
    return (mean(np.ascontiguousarray(terms)).reshape(batch, channels, *ones),)


GLOBAL_AVERAGE_POOL = OpSpec(
    "GlobalAveragePool", 1, frozenset(), parse, output_types, cost, global_average_pool
)
