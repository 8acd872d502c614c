"""Brings every float of a file to finite float32, the only float of the engine."""

from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import Attribute, Draft, DraftNode
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.read_onnx import dtype_name

OTHER_FLOATS = ("float64", "float16", "bfloat16")
LARGEST = np.finfo(np.float32).max
_DTYPE_ATTRIBUTES = {
    "Cast": ("to",),
    "EyeLike": ("dtype",),
    "DequantizeLinear": ("output_dtype",),
}


@dataclass(slots=True)
class Changes:
    """What was changed, for the report."""

    dtypes: set[str] = field(default_factory=set)
    infinite: list[str] = field(default_factory=list)


def bring_to_float32(draft: Draft) -> list[str]:
    """Convert weights, inputs and Cast from other floats; clamp infinite weights.

    An infinity becomes the largest float32 of its sign: a mask of -inf keeps its effect on a
    softmax. Raises `CannotPrepare` for a NaN.
    """
    changes = Changes()
    _convert(draft, changes)
    notes = [f"converted {dtype} to float32" for dtype in sorted(changes.dtypes)]
    if changes.infinite:
        shown = ", ".join(changes.infinite[:5])
        notes.append(f"made infinite weights the largest float32: {shown}")
    return notes


def _convert(draft: Draft, changes: Changes) -> None:
    for value in draft.inputs:
        if value.dtype in OTHER_FLOATS:
            changes.dtypes.add(value.dtype)
            value.dtype = "float32"
    for name, array in draft.constants.items():
        draft.constants[name] = _finite_float32(name, array, changes)
    for node in draft.nodes:
        _convert_dtype_attributes(node, changes)
        for name, attribute in node.attributes.items():
            node.attributes[name] = _converted_attribute(node, name, attribute, changes)


def _convert_dtype_attributes(node: DraftNode, changes: Changes) -> None:
    for name in _DTYPE_ATTRIBUTES.get(node.op_type, ()):
        element_type = node.integer(name, 0)
        if element_type and element_type != TensorProto.STRING:
            dtype = dtype_name(element_type)
            if dtype in OTHER_FLOATS:
                changes.dtypes.add(dtype)
                node.attributes[name] = int(TensorProto.FLOAT)
    if node.is_default("DequantizeLinear"):
        node.attributes.pop("output_dtype", None)


def _converted_attribute(
    node: DraftNode, name: str, value: Attribute, changes: Changes
) -> Attribute:
    if isinstance(value, Draft):
        _convert(value, changes)
        return value
    label = f"{name} of {node.op_type} {node.name or node.outputs[0]}"
    if isinstance(value, np.ndarray):
        return _finite_float32(label, value, changes)
    if isinstance(value, np.float32):
        return np.float32(_finite_float32(label, np.array(value), changes)[()])
    if isinstance(value, tuple) and any(isinstance(item, np.float32) for item in value):
        return tuple(map(np.float32, _finite_float32(label, np.array(value), changes)))
    return value


def _finite_float32(name: str, array: Array, changes: Changes) -> Array:
    """Return a weight as finite float32 if it is a float at all."""
    dtype = str(array.dtype)
    if dtype in OTHER_FLOATS:
        changes.dtypes.add(dtype)
        with np.errstate(over="ignore"):
            array = np.asarray(array.astype(np.float32))
    if array.dtype != np.float32:
        return array
    if np.isnan(array).any():
        raise CannotPrepare(f"weight {name!r} holds a NaN; a model file holds finite weights")
    if np.isinf(array).any():
        changes.infinite.append(name)
        array = np.where(np.isinf(array), np.copysign(LARGEST, array), array)
    return array
