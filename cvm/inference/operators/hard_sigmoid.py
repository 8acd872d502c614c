"""HardSigmoid: alpha * x + beta, kept in [0, 1]."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.exact.ordering import larger, smaller
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32",)


@dataclass(frozen=True, slots=True)
class HardSigmoidParameters(UnchangedType):
    """The type of the tensor, the slope and the value at 0."""

    alpha: np.float32
    beta: np.float32


def parse(view: NodeView) -> HardSigmoidParameters:
    """Check one float32 operand and alpha and beta."""
    x = one_operand(view, DTYPES)
    return HardSigmoidParameters(
        x.dtype,
        x.shape,
        float_attribute(view, "alpha", 0.2),
        float_attribute(view, "beta", 0.5),
    )


def hard_sigmoid(parameters: HardSigmoidParameters, x: Array) -> tuple[Array, ...]:
    """Return HardSigmoid-6 as its ONNX function body, each step rounded once.

    1. p = x * alpha
    2. s = p + beta
    3. m = Min(s, 1)
    4. y = Max(m, +0)

    NaN gives NaN.
    """
    return (hard_sigmoid_of(x, parameters.alpha, parameters.beta),)


def hard_sigmoid_of(x: Array, alpha: np.float32, beta: np.float32) -> Array:
    """Return Max(Min(x * alpha + beta, 1), +0), each step rounded once."""
    one, zero = np.ones((), np.float32), np.zeros((), np.float32)
    with np.errstate(all="ignore"):
        return larger(smaller(np.asarray(x * alpha + beta), one), zero)


HARD_SIGMOID = OpSpec(
    "HardSigmoid", 6, frozenset({"alpha", "beta"}), parse, same_type, steps(2), hard_sigmoid
)
