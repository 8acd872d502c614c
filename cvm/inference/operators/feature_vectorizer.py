"""FeatureVectorizer: the columns of several inputs side by side, as float32."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import RUN, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import ints_attribute
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True, slots=True)
class FeatureVectorizerParameters(ResultType):
    """The result's type, and how many columns each input gives."""

    widths: tuple[int, ...]


def parse(view: NodeView) -> FeatureVectorizerParameters:
    """Check matrices of one dtype with as many rows, and a width for each, by default its own."""
    count = max(len(view.types), 1)
    require_operand_count(view, count)
    first = operand_type(view, 0, DTYPES)
    own: list[int] = []
    for index in range(count):
        x = operand_type(view, index, (first.dtype,))
        require_elements(view, index, x)
        if x.rank != 2 or x.shape[0] != first.shape[0]:
            raise refusal(
                view, "operand shape", f"input {index} must be (rows, features), found {x}"
            )
        own.append(x.shape[1])
    widths = ints_attribute(view, "inputdimensions") or tuple(own)
    if len(widths) != count or any(not 1 <= width <= 2**20 for width in widths):
        raise refusal(
            view, "attribute value", f"inputdimensions {widths!s:.80}: {count} widths needed"
        )
    return FeatureVectorizerParameters("float32", (first.shape[0], sum(widths)), widths)


def feature_vectorizer(
    parameters: FeatureVectorizerParameters, *operands: Array
) -> tuple[Array, ...]:
    """Return FeatureVectorizer-1: float32 (rows, sum of widths).

    Of each input the first `width` columns, with +0 for those that it does not have; an integer
    is rounded once.
    """
    result = np.zeros(parameters.output_shape, np.float32)
    start = 0
    for x, width in zip(operands, parameters.widths, strict=True):
        kept = x[:, :width].astype(np.float32)
        result[:, start : start + kept.shape[1]] = kept
        start += width
    return (result,)


def cost(_parameters: object, view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count five steps for each element, half a run for each piece of a row, and three passes."""
    pieces = outputs[0].shape[0] * len(view.types)
    return Cost(elementwise=5 * outputs[0].size + RUN // 2 * pieces, nodes=2)


FEATURE_VECTORIZER = OpSpec(
    "FeatureVectorizer",
    1,
    frozenset({"inputdimensions"}),
    parse,
    result_type,
    cost,
    feature_vectorizer,
    domain=ML_DOMAIN,
)
