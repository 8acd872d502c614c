"""Writes a draft as the canonical bytes of the strict form."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cvm.inference.model_checks import ML_OPSET, OPSET
from cvm.inference.operators.op_spec import ML_DOMAIN
from cvm.inference.tensor_type import Array, TensorType
from models_registry.cli.prepare.draft import Attribute, Draft, DraftNode
from models_registry.cli.prepare.faults import CannotPrepare

IR_VERSION = 10
"""The IR version that belongs to opset 21."""


def encode_model(draft: Draft, output_types: Mapping[str, TensorType]) -> bytes:
    """Return the file: nodes in order, attributes by name, weights as raw bytes, no remarks."""
    return bytes(model_of(draft, output_types).SerializeToString(deterministic=True))


def model_of(draft: Draft, output_types: Mapping[str, TensorType]) -> onnx.ModelProto:
    """Return a draft in the forms of opset 21 as a message; outputs may have no type yet."""
    graph = _graph(draft, output_types)
    opsets = [helper.make_opsetid("", OPSET)]
    if any(node.domain == ML_DOMAIN for node in draft.nodes):
        opsets.append(helper.make_opsetid(ML_DOMAIN, ML_OPSET))
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _graph(draft: Draft, output_types: Mapping[str, TensorType]) -> onnx.GraphProto:
    return helper.make_graph(
        [node_of(node) for node in draft.nodes],
        "model",
        [_input(value.name, value.dtype, value.dims) for value in draft.inputs],
        [_output(name, output_types) for name in draft.outputs],
        [tensor_of(name, array) for name, array in draft.constants.items()],
    )


def _input(name: str, dtype: str, dims: list[int | str | None] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element_type(dtype), dims)


def _output(name: str, types: Mapping[str, TensorType]) -> onnx.ValueInfoProto:
    found = types.get(name)
    if found is None:
        return onnx.ValueInfoProto(name=name)
    return helper.make_tensor_value_info(name, element_type(found.dtype), found.shape)


def element_type(dtype: str) -> int:
    """Return ONNX's number of an element type."""
    try:
        return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    except (TypeError, ValueError) as error:
        raise CannotPrepare(f"element type {dtype} has no form in ONNX") from error


def tensor_of(name: str, array: Array) -> onnx.TensorProto:
    """Return a weight as raw bytes."""
    return numpy_helper.from_array(np.asarray(array, order="C"), name)


def node_of(node: DraftNode) -> onnx.NodeProto:
    """Return a node as a message, its attributes by name."""
    made = helper.make_node(node.op_type, node.inputs, node.outputs, node.name or None)
    if node.domain:
        made.domain = node.domain
    for name in sorted(node.attributes):
        value = node.attributes[name]
        if not isinstance(value, tuple) or value:
            made.attribute.append(_attribute(name, value))
    return made


def _attribute(name: str, value: Attribute) -> onnx.AttributeProto:
    """Return an attribute of a value that is not an empty list."""
    if isinstance(value, Draft):
        return helper.make_attribute(name, _graph(value, {}))
    if isinstance(value, np.ndarray):
        return helper.make_attribute(name, tensor_of("", value))
    if isinstance(value, np.float32):
        return helper.make_attribute(name, float(value))
    if isinstance(value, tuple):
        return helper.make_attribute(name, [_plain(item) for item in value])
    return helper.make_attribute(name, value)


def _plain(item: int | np.float32 | str) -> int | float | str:
    return float(item) if isinstance(item, np.float32) else item
