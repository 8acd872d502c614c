"""Sign: -1, 0 or 1 for each element."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import NUMBERS, one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array


def parse(view: NodeView) -> UnchangedType:
    """Check one operand that holds numbers."""
    return one_operand(view, NUMBERS)


def sign(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return Sign-13: 1 for x > 0, -1 for x < 0, else +0; NaN gives NaN.

    For float32, int8, uint8, int32 and int64.
    """
    return (sign_of(x),)


def sign_of(x: Array) -> Array:
    """Return the sign of each element, in the dtype of x."""
    one, zero = np.ones((), x.dtype), np.zeros((), x.dtype)
    result = np.where(x > 0, one, np.where(x < 0, zero - one, zero))
    return np.where(np.isnan(x), x, result) if x.dtype == np.float32 else result


SIGN = OpSpec("Sign", 13, frozenset(), parse, same_type, steps(), sign)
