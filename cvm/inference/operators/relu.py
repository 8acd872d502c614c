"""Relu: negative values become zero."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.exact.ordering import larger
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int8", "int32", "int64")


@dataclass(frozen=True, slots=True)
class ReluParameters(UnchangedType):
    """The type of the tensor."""


def parse(view: NodeView) -> ReluParameters:
    """Check one operand of a signed dtype."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, DTYPES)
    return ReluParameters(x.dtype, x.shape)


def cost(_parameters: ReluParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each output."""
    return Cost(elementwise=outputs[0].size)


def relu(_parameters: ReluParameters, x: Array) -> tuple[Array, ...]:
    """Return Relu-14: Max(x, +0) elementwise, for float32, int8, int32 and int64.

    NaN gives NaN; -0 and every negative value, subnormals included, give +0.
    """
    return (larger(x, np.zeros((), x.dtype)),)


RELU = OpSpec("Relu", 14, frozenset(), parse, same_type, cost, relu)
