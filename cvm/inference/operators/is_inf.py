"""IsInf: where a float is infinite."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32",)


@dataclass(frozen=True, slots=True)
class IsInfParameters(UnchangedType):
    """The type of the tensor, and which of the two infinities count."""

    detect_negative: bool
    detect_positive: bool


def parse(view: NodeView) -> IsInfParameters:
    """Check one float32 operand and the two flags, which are on by default."""
    x = one_operand(view, DTYPES)
    return IsInfParameters(
        x.dtype,
        x.shape,
        flag_attribute(view, "detect_negative", True),
        flag_attribute(view, "detect_positive", True),
    )


def output_types(parameters: IsInfParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return bool of the input's shape."""
    return (TensorType("bool", parameters.shape),)


def is_inf(parameters: IsInfParameters, x: Array) -> tuple[Array, ...]:
    """Return IsInf-20: true for the infinities that the flags name, and for nothing else."""
    found = np.zeros(x.shape, np.bool_)
    if parameters.detect_negative:
        found = found | (x == -np.inf)
    if parameters.detect_positive:
        found = found | (x == np.inf)
    return (np.asarray(found),)


IS_INF = OpSpec(
    "IsInf",
    20,
    frozenset({"detect_negative", "detect_positive"}),
    parse,
    output_types,
    steps(2),
    is_inf,
)
