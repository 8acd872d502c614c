"""Range: numbers from a start in equal steps up to a limit."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.graph import NodeView
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import (
    constant_operand,
    operand_type,
    require_operand_count,
    require_scalar,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type, steps_each
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True, slots=True)
class RangeParameters(ResultType):
    """The result's type, which holds the number of elements."""


def parse(view: NodeView) -> RangeParameters:
    """Check three constant scalars of one dtype; n is ceil((limit - start) / delta), exactly."""
    require_operand_count(view, 3)
    dtype = operand_type(view, 0, DTYPES).dtype
    numbers: list[Fraction] = []
    for index, name in enumerate(("start", "limit", "delta")):
        require_scalar(view, index, operand_type(view, index, (dtype,)))
        numbers.append(Fraction(constant_operand(view, index, name).item()))
    start, limit, delta = numbers
    if delta == 0:
        raise refusal(view, "operand value", "delta must not be 0")
    return RangeParameters(dtype, (max(0, ceil((limit - start) / delta)),))


def range_of_numbers(
    parameters: RangeParameters, start: Array, _limit: Array, delta: Array
) -> tuple[Array, ...]:
    """Return Range-11: start + i * delta for i = 0 ... n - 1.

    In float32, i is rounded to float32, then the product is rounded, then the sum. Integers
    do not leave their dtype, because every element lies between start and limit.
    """
    places = np.arange(parameters.output_shape[0]).astype(parameters.dtype)
    with np.errstate(all="ignore"):
        return (start + places * delta,)


RANGE = OpSpec(
    "Range", 11, frozenset(), parse, result_type, steps_each(SERIAL, passes=2), range_of_numbers
)
