"""EyeLike: ones on a diagonal of a matrix, zeros elsewhere."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.constant_lists import any_operand
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.operators.operands import require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import ResultType, result_type, steps_each
from cvm.inference.tensor_type import Array
from cvm.inference.weights import ELEMENT_TYPES


@dataclass(frozen=True, slots=True)
class EyeLikeParameters(ResultType):
    """The result's type and the diagonal, clamped to the matrix."""

    diagonal: int


def parse(view: NodeView) -> EyeLikeParameters:
    """Check a matrix, the diagonal `k`, and the number of an element type in `dtype`."""
    require_operand_count(view, 1)
    x = any_operand(view, 0)
    if x.rank != 2:
        raise refusal(view, "operand shape", f"{x} is no matrix")
    dtype = x.dtype
    if "dtype" in view.attributes:
        number = int_attribute(view, "dtype", 0)
        if number not in ELEMENT_TYPES:
            raise refusal(
                view, "attribute value", f"dtype must be one of {ELEMENT_TYPES}, found {number}"
            )
        dtype = ELEMENT_TYPES[number]
    k = min(max(int_attribute(view, "k", 0), -x.shape[0]), x.shape[1])
    return EyeLikeParameters(dtype, x.shape, k)


def eye_like(parameters: EyeLikeParameters, _x: Array | None) -> tuple[Array, ...]:
    """Return EyeLike-9: 1 (true) at (i, i + k), 0 elsewhere; the input's elements are not read."""
    rows, columns = parameters.output_shape
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    return ((distance == parameters.diagonal).astype(parameters.dtype),)


EYE_LIKE = OpSpec(
    "EyeLike",
    9,
    frozenset({"dtype", "k"}),
    parse,
    result_type,
    steps_each(2 * SERIAL, passes=2),
    eye_like,
    reads_types_only=True,
)
