"""Cast: the elements of a tensor in another dtype."""

from dataclasses import dataclass

from cvm.inference.exact.casting import converted
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, int_attribute
from cvm.inference.operators.elementwise import NUMBERS, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape, TensorType

DTYPES = ("bool", *NUMBERS)

DTYPE_OF_CODE = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool"}
"""The values of attribute `to` (`TensorProto.DataType`) that are offered."""


@dataclass(frozen=True, slots=True)
class CastParameters:
    """The dtype of the result and the shape."""

    dtype: str
    shape: Shape


def parse(view: NodeView) -> CastParameters:
    """Check one operand, the dtype to make of it, and `saturate`, which changes nothing here."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, DTYPES)
    flag_attribute(view, "saturate", True)
    code = int_attribute(view, "to", 0)
    if code not in DTYPE_OF_CODE:
        offered = ", ".join(f"{number} ({dtype})" for number, dtype in DTYPE_OF_CODE.items())
        raise refusal(view, "attribute value", f"to must be one of {offered}; found {code}")
    return CastParameters(DTYPE_OF_CODE[code], x.shape)


def output_types(parameters: CastParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the dtype asked for and the input's shape."""
    return (TensorType(parameters.dtype, parameters.shape),)


def cast(parameters: CastParameters, x: Array) -> tuple[Array, ...]:
    """Return Cast-21 elementwise, among float32, int8, uint8, int32, int64 and bool.

    See `exact.casting.converted`: floats truncate and saturate, NaN gives 0, integers keep
    their low bits, float32 rounds once to nearest even, bool is whether a value differs from 0.
    """
    return (converted(x, parameters.dtype),)


CAST = OpSpec("Cast", 21, frozenset({"saturate", "to"}), parse, output_types, steps(0), cast)
