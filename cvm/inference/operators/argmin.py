"""ArgMin: where along an axis the smallest value stands."""

import numpy as np

from cvm.inference.exact.ordering import index_of_smallest
from cvm.inference.operators.argmax import ArgMaxParameters, cost, output_types, parse
from cvm.inference.operators.op_spec import OpSpec
from cvm.inference.tensor_type import Array


def argmin(parameters: ArgMaxParameters, data: Array) -> tuple[Array, ...]:
    """Return ArgMin-13 as int64, for float32, int8, uint8 and int32.

    NaN stands above +inf and all NaN are equal, as in ArgMax; -0 equals +0. Of equal values
    the lowest index wins, or the highest under `select_last_index`.
    """
    values = np.moveaxis(data, parameters.axis, 0)
    index = index_of_smallest(values, last=parameters.select_last)
    return (index.reshape(parameters.output_shape),)


ARGMIN = OpSpec(
    "ArgMin",
    13,
    frozenset({"axis", "keepdims", "select_last_index"}),
    parse,
    output_types,
    cost,
    argmin,
)
