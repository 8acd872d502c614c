"""IsNaN: where a float is no number."""

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32",)


def parse(view: NodeView) -> UnchangedType:
    """Check one float32 operand."""
    return one_operand(view, DTYPES)


def output_types(parameters: UnchangedType, _view: NodeView) -> tuple[TensorType, ...]:
    """Return bool of the input's shape."""
    return (TensorType("bool", parameters.shape),)


def is_nan(_parameters: UnchangedType, x: Array) -> tuple[Array, ...]:
    """Return IsNaN-20: true for every NaN, whatever its bits, and for nothing else."""
    return (np.asarray(np.isnan(x)),)


IS_NAN = OpSpec("IsNaN", 20, frozenset(), parse, output_types, steps(), is_nan)
