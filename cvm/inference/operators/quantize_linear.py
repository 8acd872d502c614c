"""QuantizeLinear: float32 values as 8-bit multiples of a scale."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.axis_scale import AxisScale, resolve_axis_scale
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.quantisation import LIMITS, saturate
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, TensorType

OUTPUT_DTYPES = {2: "uint8", 3: "int8"}
"""The values of attribute `output_dtype` (`TensorProto.DataType`) that are offered."""

STEPS = 4
"""Per element: divide, round, saturate, add the zero point."""


@dataclass(frozen=True, slots=True)
class QuantizeLinearParameters(AxisScale):
    """The scale, the zero point and the dtype of the result."""

    dtype: str


def parse(view: NodeView) -> QuantizeLinearParameters:
    """Check float32 x, a constant scale, an optional constant zero point, the result's dtype.

    The blocked form (`block_size`) and results other than int8 and uint8 are refused.
    """
    require_operand_count(view, 2, 3)
    x = operand_type(view, 0, ("float32",))
    if int_attribute(view, "saturate", 1) != 1:
        raise refusal(view, "attribute value", "saturate must be 1 for 8-bit integers")
    dtype = _result_dtype(view)
    resolved = resolve_axis_scale(view, x, dtype)
    return QuantizeLinearParameters(resolved.shape, resolved.scale, resolved.zero, dtype)


def _result_dtype(view: NodeView) -> str:
    """Return the dtype of the zero point, else of `output_dtype`, else uint8."""
    asked = int_attribute(view, "output_dtype", 0)
    if asked and asked not in OUTPUT_DTYPES:
        raise refusal(
            view, "attribute value", f"output_dtype must be 2 (uint8) or 3 (int8), found {asked}"
        )
    if view.type_at(2) is None:
        return OUTPUT_DTYPES.get(asked, "uint8")
    dtype = operand_type(view, 2, LIMITS).dtype
    if asked and OUTPUT_DTYPES[asked] != dtype:
        raise refusal(
            view,
            "attribute value",
            f"output_dtype {OUTPUT_DTYPES[asked]} differs from the zero point's {dtype}",
        )
    return dtype


def output_types(parameters: QuantizeLinearParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int8 or uint8 of the input's shape."""
    return (TensorType(parameters.dtype, parameters.shape),)


def cost(
    parameters: QuantizeLinearParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count four steps for each output."""
    runs = RUN // 2 * (parameters.runs - 1)
    return Cost(elementwise=outputs[0].size * STEPS + runs)


def quantize_linear(
    parameters: QuantizeLinearParameters, x: Array, *_constants: Array | None
) -> tuple[Array, ...]:
    """Return QuantizeLinear-21: clip(rint(x / scale), lo - zero, hi - zero) + zero.

    The division rounds once (it is no multiplication by a reciprocal); halves go to the even
    integer; saturation comes before the conversion; the zero point is added as an integer.
    NaN gives the zero point. Scale and zero point are scalars or one per index of `axis`.
    """
    with np.errstate(all="ignore"):
        return (saturate(np.asarray(x / parameters.scale), parameters.zero, parameters.dtype),)


QUANTIZE_LINEAR = OpSpec(
    "QuantizeLinear",
    21,
    frozenset({"axis", "block_size", "output_dtype", "saturate"}),
    parse,
    output_types,
    cost,
    quantize_linear,
)
