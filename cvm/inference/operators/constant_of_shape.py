"""ConstantOfShape: one value throughout a constant shape."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.constant_lists import constant_integers
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type, steps_each
from cvm.inference.tensor_type import Array


@dataclass(frozen=True, slots=True)
class ConstantOfShapeParameters(ResultType):
    """The result's type and the one value, of shape ()."""

    value: Array


def parse(view: NodeView) -> ConstantOfShapeParameters:
    """Check the constant shape and `value`, a tensor of one element, by default float32 +0."""
    require_operand_count(view, 1)
    shape = constant_integers(view, 0, "shape", MAX_RANK)
    if min(shape, default=0) < 0:
        raise refusal(view, "operand value", f"shape {list(shape)} holds a negative length")
    value = view.attributes.get("value", np.zeros(1, np.float32))
    if not isinstance(value, np.ndarray) or value.size != 1:
        raise refusal(view, "attribute value", "value must be a tensor of one element")
    return ConstantOfShapeParameters(str(value.dtype), shape, value.reshape(()))


def constant_of_shape(parameters: ConstantOfShapeParameters, _shape: Array) -> tuple[Array, ...]:
    """Return ConstantOfShape-21: the value at every place."""
    return (np.full(parameters.output_shape, parameters.value),)


CONSTANT_OF_SHAPE = OpSpec(
    "ConstantOfShape",
    21,
    frozenset({"value"}),
    parse,
    result_type,
    steps_each(1, passes=1),
    constant_of_shape,
)
