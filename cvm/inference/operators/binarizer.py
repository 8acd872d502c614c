"""Binarizer: 1 where an element is above a threshold, else 0."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import float_attribute
from cvm.inference.operators.elementwise import one_operand, steps
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.unchanged_type import UnchangedType, same_type
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True, slots=True)
class BinarizerParameters(UnchangedType):
    """The type and the threshold."""

    threshold: np.float32


def parse(view: NodeView) -> BinarizerParameters:
    """Check one operand and the threshold, by default 0."""
    x = one_operand(view, DTYPES)
    return BinarizerParameters(x.dtype, x.shape, float_attribute(view, "threshold", 0.0))


def binarizer(parameters: BinarizerParameters, x: Array) -> tuple[Array, ...]:
    """Return Binarizer-1: 1 where x > threshold, else 0, in the dtype of x; NaN gives 0.

    The comparison is exact: an integer is above the threshold where it is above its floor.
    """
    if x.dtype == np.float32:
        return (np.asarray(x > parameters.threshold).astype(x.dtype),)
    floor, limits = int(np.floor(parameters.threshold)), np.iinfo(x.dtype)
    if floor < limits.min:
        return (np.ones_like(x),)
    if floor >= limits.max:
        return (np.zeros_like(x),)
    return (np.asarray(x > x.dtype.type(floor)).astype(x.dtype),)


BINARIZER = OpSpec(
    "Binarizer",
    1,
    frozenset({"threshold"}),
    parse,
    same_type,
    steps(1, passes=1),
    binarizer,
    domain=ML_DOMAIN,
)
