"""Converts every node to the form of opset 21 (ai.onnx.ml 3)."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import defs, helper, shape_inference

from cvm.inference.model_checks import ML_OPSET, OPSET
from cvm.inference.operators.op_spec import ML_DOMAIN
from models_registry.cli.prepare.draft import Attribute, Draft, DraftNode, FreshNames
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.ml_rules import convert_ml_node
from models_registry.cli.prepare.opset_rules import RULES, Conversion
from models_registry.cli.prepare.write_onnx import model_of

OLDEST_OPSET = 7
NEEDS_SHAPES = frozenset({"Softmax", "LogSoftmax", "Hardmax", "GroupNormalization"})


def check_signatures(draft: Draft) -> list[str]:
    """Want of every node the inputs, outputs and attributes that ONNX declares of its operator.

    Later steps rely on that. An operator that ONNX does not know is left to them. Raises
    `CannotPrepare` naming the node.
    """
    _check_nodes(draft, draft.opsets)
    return []


def _check_nodes(draft: Draft, versions: Mapping[str, int]) -> None:
    for node in draft.nodes:
        for graph in node.subgraphs():
            _check_nodes(graph, versions)
        schema = _schema(node, versions.get(node.domain, 0))
        problem = "" if schema is None else _broken_signature(node, schema)
        if problem:
            raise CannotPrepare(f"{node.label()} is not what ONNX declares: {problem}")


def _schema(node: DraftNode, version: int) -> defs.OpSchema | None:
    """Return the declaration in force, or the engine's where the operator came later."""
    newest = ML_OPSET if node.domain == ML_DOMAIN else OPSET
    if version < 1 or not defs.has(node.op_type, newest, node.domain):
        return None
    since = version if defs.has(node.op_type, version, node.domain) else newest
    return defs.get_schema(node.op_type, since, node.domain)


def _broken_signature(node: DraftNode, schema: defs.OpSchema) -> str:
    """Return how a node differs from its operator's declaration, empty where it does not."""
    if not schema.min_input <= len(node.inputs) <= schema.max_input:
        return f"{len(node.inputs)} inputs, not {schema.min_input} to {schema.max_input}"
    single = defs.OpSchema.FormalParameterOption.Single
    for formal, name in zip(schema.inputs, node.inputs, strict=False):
        if formal.option == single and not name:
            return f"input {formal.name} is missing"
    if not 1 <= len(node.outputs) <= schema.max_output:
        return f"{len(node.outputs)} outputs, not 1 to {schema.max_output}"
    for name, declared in schema.attributes.items():
        if name not in node.attributes:
            if declared.required:
                return f"attribute {name} is missing"
        elif not _is_of_kind(node.attributes[name], declared.type):
            return f"attribute {name} is {node.attributes[name]!r:.80}, not of its type"
    return ""


def _is_of_kind(value: Attribute, kind: defs.OpSchema.AttrType) -> bool:
    """Return whether an attribute's value is what a declared type asks for."""
    kinds = defs.OpSchema.AttrType
    element = {
        **dict.fromkeys((kinds.INT, kinds.INTS), int),
        **dict.fromkeys((kinds.FLOAT, kinds.FLOATS), np.float32),
        **dict.fromkeys((kinds.STRING, kinds.STRINGS), str),
        **dict.fromkeys((kinds.TENSOR, kinds.SPARSE_TENSOR), np.ndarray),
        kinds.GRAPH: Draft,
    }.get(kind)
    if element is None:
        return True
    if kind in (kinds.INTS, kinds.FLOATS, kinds.STRINGS):
        return isinstance(value, tuple) and all(isinstance(item, element) for item in value)
    return isinstance(value, element)


def convert_opset(draft: Draft) -> list[str]:
    """Write every node in the form of opset 21; raises `CannotPrepare` naming what has none.

    onnx.version_converter is not used: it stops at the first operator that it has no adapter
    for and loses subgraphs; each operator's changes stand in `opset_rules`.
    """
    version = draft.opsets[""]
    if version < OLDEST_OPSET:
        raise CannotPrepare(
            f"opset {version} is older than {OLDEST_OPSET}; export the model again, or convert "
            "it with onnx.version_converter first"
        )
    shapes = _known_shapes(draft) if _needs_shapes(draft, version) else {}
    notes = [] if version == OPSET else [f"converted opset {version} to {OPSET}"]
    notes += _convert_graph(draft, version, shapes, FreshNames(draft.names()))
    draft.opsets[""] = OPSET
    return notes


def _needs_shapes(draft: Draft, version: int) -> bool:
    return version < OPSET and any(node.op_type in NEEDS_SHAPES for node in draft.nodes)


def _known_shapes(draft: Draft) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes that ONNX infers; a value without one is left out."""
    model = model_of(draft, {})
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*entry) for entry in draft.opsets.items())
    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except (RuntimeError, ValueError, shape_inference.InferenceError):
        return {}
    found = {}
    for value in [*graph.value_info, *graph.input]:
        tensor = value.type.tensor_type
        dims = [dim.dim_value for dim in tensor.shape.dim]
        if tensor.HasField("shape") and all(dims):
            found[value.name] = tuple(dims)
    return found


def _convert_graph(
    draft: Draft, version: int, shapes: Mapping[str, tuple[int, ...]], fresh: FreshNames
) -> list[str]:
    conversion = Conversion(shapes, draft.constants, fresh)
    nodes, notes = [], []
    for node in draft.nodes:
        for graph in node.subgraphs():
            notes += _convert_graph(graph, version, shapes, fresh)
        if node.domain == ML_DOMAIN:
            notes += convert_ml_node(node)
        nodes += [node] if node.domain else _converted(conversion, node, version)
    draft.nodes = nodes
    return notes


def _converted(conversion: Conversion, node: DraftNode, version: int) -> list[DraftNode]:
    """Apply a node's rules in order of the opset that each one belongs to."""
    rules = RULES.get(node.op_type, {})
    following = min((since for since in rules if since > version), default=None)
    if following is None:
        if version > OPSET:
            _drop_newer_attributes(node, version)
        return [node]
    made = rules[following](conversion, node)
    return [last for inner in made for last in _converted(conversion, inner, following)]


def _drop_newer_attributes(node: DraftNode, version: int) -> None:
    """Drop attributes that came after opset 21 where they ask for nothing new."""
    if not defs.has(node.op_type, OPSET, ""):
        return
    known = defs.get_schema(node.op_type, OPSET, "").attributes
    newer = defs.get_schema(node.op_type, version, "").attributes
    for name in [name for name in node.attributes if name not in known]:
        default = newer[name].default_value if name in newer else None
        if default is None or not _is_default(node.attributes[name], default):
            raise CannotPrepare(
                f"{node.op_type} node {node.name or node.outputs[0]!r} of opset {version}: "
                f"attribute {name!r} has no form in opset {OPSET}; export with opset {OPSET}"
            )
        del node.attributes[name]


def _is_default(value: Attribute, default: onnx.AttributeProto) -> bool:
    meant = helper.get_attribute_value(default) if default.name else None
    if isinstance(meant, bytes):
        return value == meant.decode()
    return isinstance(value, int | np.float32) and value == meant
