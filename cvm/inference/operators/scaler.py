"""Scaler: each feature moved and scaled by numbers of its own."""

from dataclasses import dataclass
from math import prod

import numpy as np

from cvm.inference.cost import RUN, SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.feature_columns import FeatureColumns, feature_columns, per_feature
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.weight_lists import float_list
from cvm.inference.tensor_type import Array, TensorType

DTYPES = ("float32", "int32", "int64")
WEIGHT_LISTS = frozenset({"offset", "scale"})


@dataclass(frozen=True, slots=True)
class ScalerParameters:
    """The rows, and float32 offset and scale: one for all features or one for each."""

    given: FeatureColumns
    offset: Array
    scale: Array


def parse(view: NodeView) -> ScalerParameters:
    """Check x (features) or (rows, features), and both lists of one number or one a feature."""
    given = feature_columns(view, DTYPES)
    offset, scale = (
        per_feature(view, given, name, float_list(view, name)) for name in ("offset", "scale")
    )
    return ScalerParameters(given, offset, scale)


def output_types(parameters: ScalerParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return float32 of the input's shape."""
    return (TensorType("float32", parameters.given.shape),)


def cost(parameters: ScalerParameters, _view: NodeView, outputs: tuple[TensorType, ...]) -> Cost:
    """Count a difference and a product for each element, and the lists."""
    stored = parameters.offset.nbytes + parameters.scale.nbytes
    steps = SERIAL * outputs[0].size + RUN // 8 * prod(parameters.given.shape[:-1])
    return Cost(elementwise=steps, bytes_moved=stored, weight_bytes=stored)


def scaler(parameters: ScalerParameters, x: Array) -> tuple[Array, ...]:
    """Return Scaler-1: (x - offset) * scale in float32, each step rounded once.

    An integer is first rounded to float32.
    """
    with np.errstate(all="ignore"):
        return ((x.astype(np.float32) - parameters.offset) * parameters.scale,)


SCALER = OpSpec(
    "Scaler",
    1,
    WEIGHT_LISTS,
    parse,
    output_types,
    cost,
    scaler,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
