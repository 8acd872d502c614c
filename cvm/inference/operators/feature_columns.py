"""Rows of features that keep their shape, and numbers that belong to each feature."""

from collections.abc import Collection
from dataclasses import dataclass

from cvm.inference.graph import NodeView
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.tensor_type import Array, Shape


@dataclass(frozen=True, slots=True)
class FeatureColumns:
    """The dtype and the shape, (features) or (rows, features)."""

    dtype: str
    shape: Shape


def feature_columns(view: NodeView, dtypes: Collection[str]) -> FeatureColumns:
    """Check the one input: rank 1 or 2 and one of `dtypes`."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, dtypes)
    require_elements(view, 0, x)
    if x.rank not in (1, 2):
        raise refusal(view, "operand shape", f"x must be (rows, features), found {x}")
    return FeatureColumns(x.dtype, x.shape)


def per_feature(view: NodeView, given: FeatureColumns, name: str, values: Array) -> Array:
    """Return a list that has one number for all features or one for each."""
    if values.size not in (1, given.shape[-1]):
        found = f"{name} has {values.size} elements"
        raise refusal(view, "attribute value", f"{found}, needs 1 or {given.shape[-1]}")
    return values
