"""CastLike: the elements of a tensor in the dtype of another tensor."""

from cvm.inference.exact.casting import converted
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.cast import DTYPES, CastParameters, output_types
from cvm.inference.operators.elementwise import steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> CastParameters:
    """Check an operand and another whose dtype counts; its values and shape do not."""
    require_operand_count(view, 2)
    flag_attribute(view, "saturate", True)
    x, like = operand_type(view, 0, DTYPES), operand_type(view, 1, DTYPES)
    return CastParameters(like.dtype, x.shape)


def cast_like(parameters: CastParameters, x: Array, _like: Array) -> tuple[Array, ...]:
    """Return CastLike-21: Cast (`exact.casting.converted`) to the dtype of the second input."""
    return (converted(x, parameters.dtype),)


CAST_LIKE = OpSpec(
    "CastLike", 21, frozenset({"saturate"}), parse, output_types, steps(0, repeats=False), cast_like
)
