"""OneHotEncoder: a 1 in the place of the category that each element is."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, strings_attribute
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.operators.weight_lists import integer_list
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = frozenset({"cats_int64s"})


@dataclass(frozen=True, slots=True)
class OneHotEncoderParameters(ResultType):
    """The result's type, and the categories in the order of the result's last axis."""

    categories: Array


def parse(view: NodeView) -> OneHotEncoderParameters:
    """Check x of int32 or int64 and categories that are integers, each once.

    With `zeros` 0 an unknown element would be an error of the run, so it is refused.
    """
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("int32", "int64"))
    require_elements(view, 0, x)
    if strings_attribute(view, "cats_strings"):
        raise refusal(view, "attribute value", "cats_strings: categories are integers here")
    if not flag_attribute(view, "zeros", True):
        raise refusal(view, "attribute value", "zeros 0 fails at an unknown element; set it to 1")
    categories = integer_list(view, "cats_int64s")
    if not categories.size or np.unique(categories).size != categories.size:
        raise refusal(view, "attribute value", "cats_int64s lists no category, or one twice")
    return OneHotEncoderParameters("float32", (*x.shape, categories.size), categories)


def cost(
    parameters: OneHotEncoderParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count one comparison for each output, and the categories."""
    stored = parameters.categories.nbytes
    return Cost(
        elementwise=SERIAL * outputs[0].size, nodes=2, bytes_moved=stored, weight_bytes=stored
    )


def one_hot_encoder(parameters: OneHotEncoderParameters, x: Array) -> tuple[Array, ...]:
    """Return OneHotEncoder-1: float32 (*x's shape, categories), 1 where x is the category."""
    return (np.asarray(x[..., np.newaxis] == parameters.categories).astype(np.float32),)


ONE_HOT_ENCODER = OpSpec(
    "OneHotEncoder",
    1,
    WEIGHT_LISTS | {"cats_strings", "zeros"},
    parse,
    result_type,
    cost,
    one_hot_encoder,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
