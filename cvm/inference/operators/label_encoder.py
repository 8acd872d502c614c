"""LabelEncoder: a number looked up among keys and replaced by the value that belongs to it."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import (
    float_attribute,
    int_attribute,
    string_attribute,
    strings_attribute,
)
from cvm.inference.operators.op_spec import ML_DOMAIN, OpSpec
from cvm.inference.operators.operands import operand_type, require_operand_count
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.unchanged_type import UnchangedType
from cvm.inference.operators.weight_lists import float_list, integer_list, require_length
from cvm.inference.tensor_type import Array, TensorType

WEIGHT_LISTS = frozenset({"keys_floats", "keys_int64s", "values_floats", "values_int64s"})


@dataclass(frozen=True, slots=True)
class LabelEncoderParameters(UnchangedType):
    """The type of x, the keys in ascending order, their values, and what else gives."""

    keys: Array
    values: Array
    default: Array


def parse(view: NodeView) -> LabelEncoderParameters:
    """Check x of int64 or float32, keys of its dtype, each once, and as many values."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, ("float32", "int64"))
    string_attribute(view, "default_string", "")
    if any(strings_attribute(view, name) for name in ("keys_strings", "values_strings")):
        raise refusal(view, "attribute value", "keys and values are numbers; map texts outside")
    keys = _one_of(view, "keys")
    values = _one_of(view, "values")
    if keys.dtype != x.dtype:
        raise refusal(view, "operand dtype", f"keys are {keys.dtype}, x is {x.dtype}")
    require_length(view, {"values": values}, keys.size)
    if values.dtype == np.int64:
        default = np.asarray(int_attribute(view, "default_int64", -1), np.int64)
    else:
        default = np.asarray(float_attribute(view, "default_float", -0.0))
    ascending, order = np.unique(keys, return_index=True)
    if ascending.size != keys.size:
        raise refusal(view, "attribute value", "a key stands twice")
    return LabelEncoderParameters(x.dtype, x.shape, ascending, values[order], default)


def _one_of(view: NodeView, what: str) -> Array:
    """Return the list of integers or of floats, whichever is there."""
    integers, floats = integer_list(view, f"{what}_int64s"), float_list(view, f"{what}_floats")
    if bool(integers.size) == bool(floats.size):
        raise refusal(view, "attribute value", f"needs either {what}_int64s or {what}_floats")
    return integers if integers.size else floats


def output_types(parameters: LabelEncoderParameters, _view: NodeView) -> tuple[TensorType, ...]:
    """Return the dtype of the values and the shape of x."""
    return (TensorType(str(parameters.values.dtype), parameters.shape),)


def cost(
    parameters: LabelEncoderParameters, _view: NodeView, outputs: tuple[TensorType, ...]
) -> Cost:
    """Count the steps of a binary search for each element, and the lists."""
    stored = parameters.keys.nbytes + parameters.values.nbytes
    steps = 1 + int(parameters.keys.size).bit_length()
    return Cost(
        elementwise=7 * SERIAL * steps * outputs[0].size,
        nodes=3,
        bytes_moved=stored,
        weight_bytes=stored,
    )


def label_encoder(parameters: LabelEncoderParameters, x: Array) -> tuple[Array, ...]:
    """Return LabelEncoder-2: the value of the key that equals x, or the default.

    -0 equals +0; a NaN equals no key.
    """
    keys = parameters.keys
    places = np.searchsorted(keys, x)
    places = np.where(places == keys.size, 0, places)
    return (np.where(keys[places] == x, parameters.values[places], parameters.default),)


LABEL_ENCODER = OpSpec(
    "LabelEncoder",
    2,
    WEIGHT_LISTS
    | {"default_float", "default_int64", "default_string", "keys_strings", "values_strings"},
    parse,
    output_types,
    cost,
    label_encoder,
    domain=ML_DOMAIN,
    weight_lists=WEIGHT_LISTS,
)
