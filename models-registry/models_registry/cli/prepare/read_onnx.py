"""Reads ONNX messages into a draft; what only informs is left behind."""

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from cvm.inference.model_checks import OPSET
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import Attribute, Draft, DraftInput, DraftNode
from models_registry.cli.prepare.faults import CannotPrepare

DEFAULT_DOMAINS = ("", "ai.onnx")


def draft_of(model: onnx.ModelProto) -> Draft:
    """Return the graph of a model; raises `CannotPrepare` for kinds that no step can change."""
    draft = _graph(model.graph)
    for entry in model.opset_import:
        domain = "" if entry.domain in DEFAULT_DOMAINS else entry.domain
        draft.opsets[domain] = entry.version
    if "" not in draft.opsets:
        if any(node.domain in DEFAULT_DOMAINS for node in draft.nodes):
            raise CannotPrepare("the file imports no version of the default ONNX operators")
        draft.opsets[""] = OPSET
    return draft


def _graph(graph: onnx.GraphProto, is_inner: bool = False) -> Draft:
    constants = {tensor.name: array_of(tensor) for tensor in graph.initializer}
    for sparse in graph.sparse_initializer:
        constants[sparse.values.name] = _dense(sparse)
    return Draft(
        inputs=[_input(value, is_inner) for value in graph.input if value.name not in constants],
        outputs=[value.name for value in graph.output],
        nodes=[_node(node) for node in graph.node],
        constants=constants,
    )


def _input(value: onnx.ValueInfoProto, is_inner: bool) -> DraftInput:
    if is_inner and not value.HasField("type"):
        return DraftInput(value.name, "float32", None)
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value") or "nothing"
        raise CannotPrepare(f"input {value.name!r} is a {kind}; a model takes tensors only")
    tensor = value.type.tensor_type
    if tensor.elem_type == TensorProto.STRING:
        raise CannotPrepare(
            f"input {value.name!r} holds texts; a model takes numbers: encode them before the call"
        )
    dims = [_dim(dim) for dim in tensor.shape.dim] if tensor.HasField("shape") else None
    return DraftInput(value.name, dtype_name(tensor.elem_type), dims)


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    if dim.HasField("dim_value") and dim.dim_value > 0:
        return int(dim.dim_value)
    return dim.dim_param or None


def dtype_name(element_type: int) -> str:
    """Return NumPy's name of an ONNX element type."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(element_type))
    except KeyError as error:
        raise CannotPrepare(f"element type {element_type} is unknown to ONNX") from error


def _node(node: onnx.NodeProto) -> DraftNode:
    return DraftNode(
        op_type=node.op_type,
        inputs=_without_trailing_absent(node.input),
        outputs=_without_trailing_absent(node.output),
        attributes={a.name: _attribute(node, a) for a in node.attribute},
        name=node.name,
        domain="" if node.domain in DEFAULT_DOMAINS else node.domain,
    )


def _without_trailing_absent(names: Iterable[str]) -> list[str]:
    kept = list(names)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _attribute(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> Attribute:
    match attribute.type:
        case AttributeProto.INT:
            return int(attribute.i)
        case AttributeProto.FLOAT:
            return np.float32(attribute.f)
        case AttributeProto.STRING:
            return _text(node, attribute.name, attribute.s)
        case AttributeProto.INTS:
            return tuple(int(value) for value in attribute.ints)
        case AttributeProto.FLOATS:
            return tuple(np.float32(value) for value in attribute.floats)
        case AttributeProto.STRINGS:
            return tuple(_text(node, attribute.name, value) for value in attribute.strings)
        case AttributeProto.TENSOR:
            return array_of(attribute.t)
        case AttributeProto.GRAPH:
            return _graph(attribute.g, is_inner=True)
        case AttributeProto.SPARSE_TENSOR:
            return _dense(attribute.sparse_tensor)
        case _:
            kind = AttributeProto.AttributeType.Name(attribute.type)
            raise CannotPrepare(
                f"attribute {attribute.name!r} of {node.op_type} node {node.name!r} is a {kind}; "
                "numbers, texts, tensors and graphs are taken"
            )


def _text(node: onnx.NodeProto, name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CannotPrepare(
            f"attribute {name!r} of {node.op_type} node {node.name!r} is not UTF-8"
        ) from error


def array_of(tensor: onnx.TensorProto) -> Array:
    """Return a tensor's elements; refuses texts and damaged tensors."""
    if tensor.data_type == TensorProto.STRING:
        raise CannotPrepare(
            f"initializer {tensor.name!r} holds texts; a model holds numbers: give indices instead"
        )
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise CannotPrepare(f"initializer {tensor.name!r} is damaged: {error}") from error


def _dense(sparse: onnx.SparseTensorProto) -> Array:
    """Return a sparse tensor with its zeros; indices are linear or one row per value."""
    values, places = array_of(sparse.values), array_of(sparse.indices)
    shape = tuple(sparse.dims)
    dense = np.zeros(shape, values.dtype)
    try:
        flat = places if places.ndim == 1 else np.ravel_multi_index(tuple(places.T), shape)
        dense.reshape(-1)[flat] = values
    except (ValueError, IndexError) as error:
        name = sparse.values.name
        raise CannotPrepare(f"sparse initializer {name!r} is damaged: {error}") from error
    return dense
