"""ArrayFeatureExtractor: elements of the last axis, chosen by indices."""

import numpy as np

from cvm.inference.cost import SERIAL
from cvm.inference.graph import NodeView
from cvm.inference.operators.gather import GatherParameters
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.result_type import result_type, steps_each
from cvm.inference.operators.run_time_indices import checked_indices
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


def parse(view: NodeView) -> GatherParameters:
    """Check data of rank 1 or more and int64 indices; data of rank 1 gives one row."""
    require_operand_count(view, 2)
    data = operand_type(view, 0, DTYPES)
    indices = operand_type(view, 1, ("int64",))
    require_elements(view, 0, data)
    require_elements(view, 1, indices)
    if data.rank == 0:
        raise refusal(view, "operand shape", f"data must have an axis, found {data}")
    leading = data.shape[:-1] or (1,)
    shape = (*leading, indices.size)
    return GatherParameters(data.dtype, shape, data.rank - 1, data.shape, view.name)


def array_feature_extractor(
    parameters: GatherParameters, data: Array, indices: Array
) -> tuple[Array, ...]:
    """Return ArrayFeatureExtractor-1: the elements of the last axis at the indices, flattened.

    A negative index counts from the end. Raises `InputOutOfRange` before any element moves for
    one outside [-n, n - 1].
    """
    length = parameters.data_shape[parameters.axis]
    places = checked_indices(parameters.node, indices.reshape(-1, 1), (length,))[:, 0]
    return (np.take(data, places, axis=parameters.axis).reshape(parameters.output_shape),)


ARRAY_FEATURE_EXTRACTOR = OpSpec(
    "ArrayFeatureExtractor",
    1,
    frozenset(),
    parse,
    result_type,
    steps_each(5 * SERIAL, passes=1),
    array_feature_extractor,
    domain=ML_DOMAIN,
    reads_part=True,
)
