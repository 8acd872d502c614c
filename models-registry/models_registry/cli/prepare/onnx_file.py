"""Parses a file, takes in weights that lie beside it, and inlines functions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from onnx import (
    TensorProto,
    checker,
    defs,
    external_data_helper,
    helper,
    inliner,
    shape_inference,
)

from cvm.inference.model_checks import OPSET
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.read_onnx import DEFAULT_DOMAINS

INLINER_FAULTS = (RuntimeError, ValueError, shape_inference.InferenceError)
"""What onnx raises where a function cannot be inlined."""


def parse_onnx(data: bytes, folder: Path | None) -> onnx.ModelProto:
    """Return the model in a file's bytes, its weights inside and its functions inlined.

    External data is read from `folder`, the file's own. Raises `CannotPrepare`.
    """
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise CannotPrepare("the file is not ONNX: its bytes are no protobuf message") from error
    if not model.graph.node:
        raise CannotPrepare("the file is not ONNX, or its graph has no nodes")
    _require_utf8(model)
    embed_external_data(model, folder)
    return inline_functions(model)


def _require_utf8(message: Message) -> None:
    """Refuse names that are not UTF-8, which protobuf gives as bytes or not at all."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in [value] if isinstance(value, Message) else value:
                _require_utf8(child)
        elif field.type == FieldDescriptor.TYPE_STRING:
            texts = value if not isinstance(value, str | bytes) else [value]
            try:
                is_text = all(isinstance(text, str) for text in texts)
            except UnicodeDecodeError:
                is_text = False
            if not is_text:
                raise CannotPrepare(f"the file is damaged: its {field.name} is not UTF-8")


def embed_external_data(model: onnx.ModelProto, folder: Path | None) -> None:
    """Read weights that lie in other files of the model's folder, and in no other folder."""
    for tensor in _tensors(model.graph):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        if folder is None:
            raise CannotPrepare(
                f"initializer {tensor.name!r} lies in another file: save the model with its "
                "weights inside (onnx.save with save_as_external_data=False)"
            )
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, checker.ValidationError) as error:
            reason = " ".join(str(error).split())
            raise CannotPrepare(
                f"the external data of initializer {tensor.name!r} cannot be read: {reason}"
            ) from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)


def inline_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace calls of the file's own functions, and of operators that came after opset 21.

    The latter (RMSNormalization, Attention ...) become the nodes of ONNX's own definition.
    """
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", 0))
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        return inline_operators(model, version, lambda name: not defs.has(name, OPSET, ""))
    except INLINER_FAULTS as error:
        reason = " ".join(str(error).split())
        raise CannotPrepare(f"the functions of the file cannot be inlined: {reason}") from error


def inline_operators(
    model: onnx.ModelProto, version: int, is_wanted: Callable[[str], bool]
) -> onnx.ModelProto:
    """Replace operators by the functions that define them in ONNX, until none is wanted."""
    before: list[tuple[str, str]] = []
    while True:
        found = sorted({n.op_type for n in model.graph.node if n.domain in DEFAULT_DOMAINS})
        wanted = [("", n) for n in found if is_wanted(n) and _has_function(n, version)]
        if wanted in ([], before):
            return model
        _write_defaults(model, {name for _, name in wanted}, version)
        model = inliner.inline_selected_functions(
            _with_types(model), wanted, inline_schema_functions=True
        )
        before = wanted


def _write_defaults(model: onnx.ModelProto, names: set[str], version: int) -> None:
    """Write out attributes that are left to their defaults, which the inliner does not do."""
    for node in model.graph.node:
        if node.op_type not in names or node.domain not in DEFAULT_DOMAINS:
            continue
        given = {attribute.name for attribute in node.attribute}
        for name, formal in defs.get_schema(node.op_type, version, "").attributes.items():
            if name not in given and formal.default_value.name:
                node.attribute.append(formal.default_value)


def _with_types(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the type of every value, which a function's body may depend on."""
    del model.graph.value_info[:]
    for tensor in model.graph.initializer:
        model.graph.value_info.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    typed = shape_inference.infer_shapes(model, data_prop=True)
    # The inliner asks for the type of absent optional inputs too, whose name is empty.
    typed.graph.value_info.append(helper.make_tensor_value_info("", TensorProto.FLOAT, None))
    return typed


def _has_function(name: str, version: int) -> bool:
    if not defs.has(name, version, ""):
        return False
    schema: Any = defs.get_schema(name, version, "")  # the stubs lack both properties
    return bool(schema.has_function or schema.has_context_dependent_function)
