"""Imputer: a marked value, often NaN, replaced by a value of its feature."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import int_attribute
from cvm.inference.operators.feature_columns import FeatureColumns, feature_columns, per_feature
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import float_list, integer_list
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = frozenset({"imputed_value_floats", "imputed_value_int64s"})


@dataclass(frozen=True, slots=True)
class ImputerParameters:
    """The rows, the value that is replaced, and what replaces it: one number or one a feature."""

    given: FeatureColumns
    replaced: np.float32 | int
    imputed: Array


def parse(view: NodeView) -> ImputerParameters:
    """Check x of float32 or int64 and the attributes of its dtype."""
    given = feature_columns(view, ("float32", "int64"))
    if given.dtype == "int64":
        imputed = integer_list(view, "imputed_value_int64s")
        replaced: np.float32 | int = int_attribute(view, "replaced_value_int64", 0)
        name = "imputed_value_int64s"
    else:
        imputed = float_list(view, "imputed_value_floats")
        replaced = _float_or_nan(view)
        name = "imputed_value_floats"
    return ImputerParameters(given, replaced, per_feature(view, given, name, imputed))


def _float_or_nan(view: NodeView) -> np.float32:
    """Return `replaced_value_float`, by default 0; a NaN is allowed."""
    value = view.attributes.get("replaced_value_float", np.float32(0))
    if not isinstance(value, np.float32) or np.isinf(value):
        found = f"replaced_value_float must be a number or NaN, found {value!r:.40}"
        raise refusal(view, "attribute type", found)
    return value


def output_types(parameters: ImputerParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the type of the input."""
    return (TensorType(parameters.given.dtype, parameters.given.shape),)


def cost(parameters: ImputerParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count one comparison for each element, and the list."""
    stored = parameters.imputed.nbytes
    return Cost(
        elementwise=2 * SERIAL * outputs[0].size, nodes=2, bytes_moved=stored, weight_bytes=stored
    )


def imputer(parameters: ImputerParameters, x: Array) -> tuple[Array, ...]:
    """Return Imputer-1: elements equal to the replaced value give the imputed one.

    A replaced value that is NaN stands for every NaN; -0 equals +0.
    """
    replaced = parameters.replaced
    marked = np.isnan(x) if np.isnan(replaced) else x == x.dtype.type(replaced)
    return (np.where(marked, parameters.imputed, x),)


IMPUTER = OpSpec(
    "Imputer",
    1,
    WEIGHT_LISTS | {"replaced_value_float", "replaced_value_int64"},
    parse,
    output_types,
    cost,
    imputer,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
    nan_attributes=frozenset({"replaced_value_float"}),
)
