"""Size: the number of a tensor's elements."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.result_type import ResultType, result_type, steps_each
from cvm.inference.tensor_type import Array


@dataclass(frozen=True, slots=True)
class SizeParameters(ResultType):
    """The result's type and the number."""

    count: int


def parse(view: NodeView) -> SizeParameters:
    """Check one tensor of any dtype."""
    require_operand_count(view, 1)
    return SizeParameters("int64", (), any_operand(view, 0).size)


def size(parameters: SizeParameters, _data: Array | None) -> tuple[Array, ...]:
    """Return Size-21: the number of elements as an int64 scalar."""
    return (np.array(parameters.count, np.int64),)


SIZE = OpSpec(
    "Size",
    21,
    frozenset(),
    parse,
    result_type,
    steps_each(1, passes=1),
    size,
    reads_types_only=True,
)
