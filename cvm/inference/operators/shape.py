"""Shape: the lengths of a tensor's axes."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.tensor_type import Array, TensorType


@dataclass(frozen=True, slots=True)
class LengthsParameters:
    """The lengths that are asked for."""

    lengths: tuple[int, ...]


def parse(view: NodeView) -> LengthsParameters:
    """Check one tensor; `start` and `end` cut its list of lengths, negative ones from the end."""
    require_operand_count(view, 1)
    data = any_operand(view, 0)
    start, end = int_attribute(view, "start", 0), int_attribute(view, "end", data.rank)
    return LengthsParameters(data.shape[start:end])


def output_types(parameters: LengthsParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return int64 (n)."""
    return (TensorType("int64", (len(parameters.lengths),)),)


def cost(_parameters: object, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one step for each length."""
    return Cost(elementwise=outputs[0].size, nodes=1)


def shape(parameters: LengthsParameters, _data: Array | None) -> tuple[Array, ...]:
    """Return Shape-21: lengths start to end - 1 as int64, both clamped to [0, rank]."""
    return (np.array(parameters.lengths, np.int64),)


SHAPE = OpSpec(
    "Shape",
    21,
    frozenset({"start", "end"}),
    parse,
    output_types,
    cost,
    shape,
    reads_types_only=True,
)
