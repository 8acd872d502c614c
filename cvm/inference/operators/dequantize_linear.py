"""DequantizeLinear: quantised integers as float32 multiples of a scale."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.axis_scale import AxisScale, resolve_axis_scale
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("int8", "int32", "uint8")

STEPS = 2
"""Per element: subtract the zero point, multiply."""


@dataclass(frozen=True, slots=True)
class DequantizeLinearParameters(AxisScale):
    """The scale and the zero point."""


def parse(view: NodeView) -> DequantizeLinearParameters:
    """Check x, a constant float32 scale and an optional constant zero point of x's dtype.

    int32 takes no zero point but 0 (ONNX); the blocked form (`block_size`) is refused.
    """
    require_operand_count(view, 2, 3)
    x = operand_type(view, 0, DTYPES)
    resolved = resolve_axis_scale(view, x, x.dtype)
    if x.dtype == "int32" and resolved.zero.any():
        raise refusal(view, "zero point", "int32 is dequantised without a zero point other than 0")
    return DequantizeLinearParameters(resolved.shape, resolved.scale, resolved.zero)


def output_types(parameters: DequantizeLinearParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 of the input's shape."""
    return (TensorType("float32", parameters.shape),)


def cost(
    parameters: DequantizeLinearParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count two steps for each output."""
    runs = RUN // 4 * (parameters.runs - 1)
    return Cost(elementwise=outputs[0].size * STEPS + runs)


def dequantize_linear(
    parameters: DequantizeLinearParameters, x: Array, *_constants: Array | None
) -> tuple[Array, ...]:
    """Return DequantizeLinear-21: float32(x - zero) * scale.

    The difference is an exact int32; its conversion and the product round once each. Scale
    and zero point are scalars or one per index of `axis`.
    """
    difference = np.asarray(x.astype(np.int32) - parameters.zero)
    with np.errstate(all="ignore"):
        return (np.asarray(difference.astype(np.float32) * parameters.scale),)


DEQUANTIZE_LINEAR = OpSpec(
    "DequantizeLinear",
    21,
    frozenset({"axis", "block_size"}),
    parse,
    output_types,
    cost,
    dequantize_linear,
)
