"""The input of ai.onnx.ml's models: rows of features, taken as float32."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array

DTYPES = ("float32", "int32", "int64")


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """How many rows there are, and how many features each has."""

    rows: int
    features: int


def feature_rows(view: NodeView) -> FeatureRows:
    """Check the one input, (rows, features) or (features), of float32, int32 or int64."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, DTYPES)
    require_elements(view, 0, x)
    if x.rank not in (1, 2):
        raise refusal(view, "operand shape", f"x must be (rows, features), found {x}")
    return FeatureRows(1 if x.rank == 1 else x.shape[0], x.shape[-1])


def as_float_rows(given: FeatureRows, x: Array) -> Array:
    """Return x as float32 (rows, features); an integer is rounded once, to nearest even."""
    return x.astype(np.float32).reshape(given.rows, given.features)
