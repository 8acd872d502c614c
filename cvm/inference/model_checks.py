"""The rules of a model file that look at names, versions and declarations, one function each."""

from collections.abc import Iterable, Mapping

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import Value
from cvm.inference.limits import MAX_ELEMENTS, MAX_NODES, MAX_OPERANDS
from cvm.inference.onnx_messages import OnnxGraph, OnnxModel, OnnxValue
from cvm.inference.tensor_type import TensorType
from cvm.inference.weights import checked_type

MIN_IR_VERSION, MAX_IR_VERSION = 8, 14
OPSET = 21
ML_OPSET = 3


def check_file_size(size_bytes: int, limit: int) -> None:
    """Refuse a file that is too large: of more than 64 MiB on a chain."""
    if size_bytes > limit:
        raise InvalidModel("file size", f"{size_bytes} bytes, limit {limit}")


def check_ir_version(model: OnnxModel) -> None:
    """Refuse IR versions outside those in which the fields that are read mean the same."""
    if not MIN_IR_VERSION <= model.ir_version <= MAX_IR_VERSION:
        raise InvalidModel(
            "IR version", f"{model.ir_version}, not {MIN_IR_VERSION} to {MAX_IR_VERSION}"
        )


def check_opsets(model: OnnxModel) -> None:
    """Want the default domain once, at opset 21, and beside it at most ai.onnx.ml 3."""
    found = [(entry.domain, entry.version) for entry in model.opset_import]
    if sorted(found) not in ([("", OPSET)], [("", OPSET), ("ai.onnx.ml", ML_OPSET)]):
        raise InvalidModel(
            "opset", f"{found!s:.200}; engine 1 takes ('', {OPSET}) and ('ai.onnx.ml', {ML_OPSET})"
            "; convert the file with `cvm model prepare`"
        )  # fmt: skip


def checked_graph(model: OnnxModel) -> OnnxGraph:
    """Return the graph, which must have nodes, inputs and outputs, and not too many of them."""
    graph = model.graph
    if graph is None or not graph.node or not graph.input or not graph.output:
        raise InvalidModel("graph", "a model has a graph with nodes, inputs and outputs")
    if len(graph.node) > MAX_NODES:
        raise InvalidModel("node count", f"{len(graph.node)} nodes, limit {MAX_NODES}")
    operands = len(graph.input) + sum(len(node.input) + len(node.output) for node in graph.node)
    if operands > MAX_OPERANDS:
        raise InvalidModel(
            "operand total", f"{operands} inputs and outputs of nodes, limit {MAX_OPERANDS}"
        )
    return graph


def check_names(graph: OnnxGraph) -> None:
    """Want one name and one maker for every value: an input, an initializer or a node.

    A node leaves an output out by an empty name.
    """
    made = [value.name for value in graph.input]
    made += [tensor.name for tensor in graph.initializer]
    made += [name for node in graph.node for name in node.output if name]
    check_unique(made, "a value that is made")
    check_unique((value.name for value in graph.output), "a graph output")
    check_unique((value.name for value in graph.value_info), "a value_info")


def check_unique(names: Iterable[str], what: str) -> None:
    """Refuse names that are empty or stand twice."""
    seen: set[str] = set()
    for name in names:
        if not name:
            raise InvalidModel("value name", f"{what} has an empty name")
        if name in seen:
            raise InvalidModel("value name", f"{what} stands twice: {name!r:.80}")
        seen.add(name)


def declared_value(value: OnnxValue, what: str, max_elements: int = MAX_ELEMENTS) -> Value:
    """Return a declared value with its type, which must be a tensor with fixed dimensions."""
    label = f"{what} {value.name!r:.80}"
    tensor = value.type.tensor_type if value.type is not None else None
    if tensor is None or tensor.shape is None:
        raise InvalidModel("value type", f"{label} is not declared as a tensor with a shape")
    dims = tuple(dimension.dim_value for dimension in tensor.shape.dim)
    return Value(value.name, checked_type(tensor.elem_type, dims, label, max_elements))


def check_declaration(declared: Value, types: Mapping[str, TensorType], what: str) -> None:
    """Refuse a declared type that is not the inferred one."""
    inferred = types.get(declared.name)
    if inferred is None:
        raise InvalidModel("value name", f"{what} {declared.name!r:.80} is made by nothing")
    if declared.type != inferred:
        raise InvalidModel(
            "declared type",
            f"{what} {declared.name!r:.80} is declared as {declared.type}, inferred {inferred}",
        )
