"""Turns an ordinary ONNX file into the strict form of engine 1, without changing what it computes.

The steps, in order: inline functions, sort, fix input shapes, convert to opset 21, Constant nodes
to initializers, infer the outputs' shapes, drop what only informs, write canonical bytes.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from onnx import inliner, numpy_helper, shape_inference, version_converter

OPSET = 21
ML_DOMAIN = "ai.onnx.ml"
IR_VERSION = 10
"""The IR version that belongs to opset 21."""

Shapes = Mapping[str, tuple[int, ...]]


class CannotPrepare(Exception):
    """The file cannot be brought into the strict form; the message says what to change."""


def prepare_model(data: bytes, shapes: Shapes) -> bytes:
    """Return the strict form of an ONNX file; `shapes` fixes inputs by name.

    A symbolic leading dimension becomes 1; any other open dimension must be in `shapes`. Raises
    `CannotPrepare`. Whether the result keeps every rule is for the strict check to say.
    """
    model = _parse(data)
    _refuse_external_data(model)
    if model.functions:
        model = inliner.inline_local_functions(model)
    _forget_initializer_inputs(model.graph)
    _sort_nodes(model.graph)
    _fix_input_shapes(model.graph, shapes)
    model = _convert_opset(model)
    _constants_to_initializers(model.graph)
    _infer_output_shapes(model)
    _drop_unused_initializers(model.graph)
    _pack_initializers(model.graph)
    _drop_remarks(model)
    return bytes(model.SerializeToString(deterministic=True))


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Return name and dimensions of `NAME=1,3,224,224`; raises `CannotPrepare`."""
    name, separator, dims = text.rpartition("=")
    numbers = dims.split(",")
    if not separator or not name or not all(n.isascii() and n.isdigit() for n in numbers):
        raise CannotPrepare(f"--shape {text!r} is not of the form NAME=1,3,224,224")
    return name, tuple(int(number) for number in numbers)


def _parse(data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise CannotPrepare("the file is not ONNX: its bytes are no protobuf message") from error
    if not model.graph.node:
        raise CannotPrepare("the file is not ONNX, or its graph has no nodes")
    return model


def _refuse_external_data(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise CannotPrepare(
                f"initializer {tensor.name!r} lies in another file: save the model with its "
                "weights inside (onnx.save with save_as_external_data=False)"
            )


def _forget_initializer_inputs(graph: onnx.GraphProto) -> None:
    """Drop graph inputs that are weights, as IR version 3 lists them."""
    constants = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name not in constants]
    _replace(graph.input, kept)


def _fix_input_shapes(graph: onnx.GraphProto, shapes: Shapes) -> None:
    names = [value.name for value in graph.input]
    for name in shapes:
        if name not in names:
            raise CannotPrepare(f"--shape names {name!r}; the inputs are {', '.join(names)}")
    for value in graph.input:
        _fix_input_shape(value, shapes.get(value.name))


def _fix_input_shape(value: onnx.ValueInfoProto, wanted: tuple[int, ...] | None) -> None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        if wanted is None:
            raise CannotPrepare(f"input {value.name!r} has no shape: give --shape {value.name}=...")
        tensor.shape.dim.extend(onnx.TensorShapeProto.Dimension() for _ in wanted)
    dims = tensor.shape.dim
    if wanted is not None and len(wanted) != len(dims):
        raise CannotPrepare(
            f"--shape gives input {value.name!r} {len(wanted)} dimensions; it has {len(dims)}"
        )
    for axis, dim in enumerate(dims):
        known = dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
        size = known if wanted is None else wanted[axis]
        if known is not None and size != known:
            raise CannotPrepare(
                f"--shape makes dimension {axis} of input {value.name!r} {size}; the file says "
                f"{known}"
            )
        if size is None and axis > 0:
            raise CannotPrepare(
                f"dimension {axis} of input {value.name!r} is open ({dim.dim_param or 'unnamed'}): "
                f"give --shape {value.name}=..."
            )
        dim.dim_value = 1 if size is None else size


def _convert_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    version = next((e.version for e in model.opset_import if e.domain in ("", "ai.onnx")), None)
    if version is None:
        raise CannotPrepare("the file imports no version of the default ONNX operators")
    if version != OPSET:
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")
        del model.graph.value_info[:]
        try:
            model = version_converter.convert_version(model, OPSET)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise CannotPrepare(f"opset {version} does not convert to {OPSET}: {reason}") from error
    model.ir_version = IR_VERSION
    for node in model.graph.node:
        if node.domain == "ai.onnx":
            node.domain = ""
    domains = sorted({node.domain for node in model.graph.node} | {""})
    versions = {entry.domain: entry.version for entry in model.opset_import} | {"": OPSET}
    imports = [onnx.helper.make_opsetid(name, versions.get(name, 1)) for name in domains]
    _replace(model.opset_import, imports)
    return model


def _constants_to_initializers(graph: onnx.GraphProto) -> None:
    kept = []
    for node in graph.node:
        tensor = _constant_value(node) if node.op_type == "Constant" and not node.domain else None
        if tensor is None:
            kept.append(node)
        else:
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
    _replace(graph.node, kept)


def _constant_value(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """Return the value of a Constant node, or None for a kind that the strict check names."""
    for attribute in node.attribute:
        if attribute.name == "value":
            tensor = onnx.TensorProto()
            tensor.CopyFrom(attribute.t)
            return tensor
        if attribute.name == "value_float":
            return numpy_helper.from_array(np.array(attribute.f, np.float32))
        if attribute.name == "value_floats":
            return numpy_helper.from_array(np.array(attribute.floats, np.float32))
        if attribute.name == "value_int":
            return numpy_helper.from_array(np.array(attribute.i, np.int64))
        if attribute.name == "value_ints":
            return numpy_helper.from_array(np.array(attribute.ints, np.int64))
    return None


def _infer_output_shapes(model: onnx.ModelProto) -> None:
    """Give every output the shape that follows from the inputs."""
    bare = onnx.ModelProto.FromString(model.SerializeToString())
    del bare.graph.value_info[:]
    for value in bare.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True)
    except shape_inference.InferenceError as error:
        reason = " ".join(str(error).split())
        raise CannotPrepare(f"the shapes do not fit together: {reason}") from error
    for value, found in zip(model.graph.output, inferred.graph.output, strict=True):
        dims = found.type.tensor_type.shape.dim
        if not found.type.tensor_type.HasField("shape") or any(d.dim_value < 1 for d in dims):
            raise CannotPrepare(
                f"the shape of output {value.name!r} cannot be inferred: fix every input with "
                "--shape, and shapes that are computed at run time with constants"
            )
        value.CopyFrom(found)


def _sort_nodes(graph: onnx.GraphProto) -> None:
    """Put every node after the makers of its inputs, else keep the order (Kahn)."""
    made = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    waiting = list(graph.node)
    ordered: list[onnx.NodeProto] = []
    while waiting:
        later = []
        for node in waiting:
            if all(not name or name in made for name in node.input):
                ordered.append(node)
                made.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            missing = next(name for name in later[0].input if name and name not in made)
            raise CannotPrepare(f"value {missing!r} is made by no node, or by a cycle of nodes")
        waiting = later
    _replace(graph.node, ordered)


def _drop_unused_initializers(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    used.update(value.name for value in graph.output)
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])


def _pack_initializers(graph: onnx.GraphProto) -> None:
    """Write every weight as raw bytes; kinds without raw bytes are left to the strict check."""
    packed = []
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.STRING:
            packed.append(tensor)
            continue
        try:
            values = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            raise CannotPrepare(f"initializer {tensor.name!r} is damaged: {error}") from error
        packed.append(numpy_helper.from_array(values, tensor.name))
    _replace(graph.initializer, packed)


def _drop_remarks(model: onnx.ModelProto) -> None:
    """Drop names, dates and texts that change no result."""
    for field in ("producer_name", "producer_version", "domain", "model_version"):
        model.ClearField(field)
    del model.graph.value_info[:]
    _clear_everywhere(model, frozenset({"doc_string", "metadata_props", "denotation"}))
    model.graph.name = "model"


def _clear_everywhere(message: Message, names: frozenset[str]) -> None:
    """Clear fields by name in a message and everything in it."""
    for field, value in message.ListFields():
        if field.name in names:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for child in [value] if isinstance(value, Message) else value:
                _clear_everywhere(child, names)


def _replace(repeated: object, items: Iterable[Message]) -> None:
    """Replace what a repeated protobuf field holds."""
    copies = []
    for item in items:
        copy = type(item)()
        copy.CopyFrom(item)
        copies.append(copy)
    del repeated[:]  # type: ignore[attr-defined]
    repeated.extend(copies)  # type: ignore[attr-defined]
