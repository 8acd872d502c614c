"""Dropout in inference: the tensor itself, and a mask that keeps everything."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
    require_scalar,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType


@dataclass(frozen=True, slots=True)
class DropoutParameters:
    """The tensor's shape, and whether the mask is wanted."""

    shape: Shape
    has_mask: bool


def parse(view: NodeView) -> DropoutParameters:
    """Check a float32 tensor; the ratio is not read, training_mode is absent or constant false."""
    require_operand_count(view, 1, 3)
    data = operand_type(view, 0, ("float32",))
    int_attribute(view, "seed", 0)
    if view.type_at(1) is not None:
        require_scalar(view, 1, operand_type(view, 1, ("float32",)))
    if view.type_at(2) is not None:
        require_scalar(view, 2, operand_type(view, 2, ("bool",)))
        if constant_operand(view, 2, "training_mode"):
            raise refusal(view, "operand value", "training_mode must be false: inference only")
    return DropoutParameters(data.shape, view.wants(1))


def output_types(parameters: DropoutParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 of the tensor's shape and, where it is wanted, bool of that shape."""
    data = TensorType("float32", parameters.shape)
    return (data, TensorType("bool", parameters.shape)) if parameters.has_mask else (data,)


def cost(parameters: DropoutParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each element of the mask."""
    return Cost(elementwise=outputs[0].size if parameters.has_mask else 0)


def dropout(
    parameters: DropoutParameters,
    data: Array,
    _ratio: Array | None = None,
    _training_mode: Array | None = None,
) -> tuple[Array, ...]:
    """Return Dropout-13 outside training: the input, bits unchanged, and a mask of true."""
    if not parameters.has_mask:
        return (data,)
    return data, np.ones(parameters.shape, np.bool_)


DROPOUT = OpSpec(
    "Dropout", 13, frozenset({"seed"}), parse, output_types, cost, dropout, is_view=True
)
