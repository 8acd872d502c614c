"""Removes nodes that hand on what they read: Identity, Dropout, ZipMap, Cast to the same dtype."""

from collections.abc import Mapping

from cvm.inference.operators.op_spec import ML_DOMAIN
from cvm.inference.tensor_type import TensorType
from models_registry.cli.prepare.draft import Draft, DraftNode
from models_registry.cli.prepare.read_onnx import dtype_name


def bypass(draft: Draft, types: Mapping[str, TensorType]) -> list[str]:
    """Let readers read what the node read; types of values are given where they are known.

    A graph output keeps its name, and is made by a node: where the value is an input, a
    constant or another output too, an Identity stays.
    """
    makers, protected = draft.makers(), set(draft.outputs)
    removed: dict[str, int] = {}
    for node in list(draft.nodes):
        if not _hands_on(node, types) or _is_training(draft, node):
            continue
        source, target = node.inputs[0], node.outputs[0]
        if target in protected:
            maker = makers.get(source)
            if maker is None or source in protected:
                _become_identity(node)
                continue
            maker.outputs = [target if name == source else name for name in maker.outputs]
            makers[target] = maker
            draft.rename_reads({source: target})
        else:
            draft.rename_reads({target: source})
        draft.nodes.remove(node)
        removed[node.op_type] = removed.get(node.op_type, 0) + 1
    listed = ", ".join(f"{count} {name}" for name, count in sorted(removed.items()))
    return [f"removed {listed}"] if removed else []


def _is_training(draft: Draft, node: DraftNode) -> bool:
    """Return whether a Dropout may drop something, which the engine then refuses."""
    mode = node.input_at(2) if node.is_default("Dropout") else ""
    known = draft.constants.get(mode)
    return bool(mode) and (known is None or bool(known.any()))


def _hands_on(node: DraftNode, types: Mapping[str, TensorType]) -> bool:
    if node.is_default("Identity") or (node.domain == ML_DOMAIN and node.op_type == "ZipMap"):
        return True
    if node.is_default("Dropout"):
        return len(node.outputs) == 1
    if node.is_default("Cast", "Reshape") and node.inputs[0] in types:
        before = types[node.inputs[0]]
        if node.op_type == "Cast":
            return before.dtype == dtype_name(node.integer("to", 0))
        return before == types.get(node.outputs[0])
    return False


def _become_identity(node: DraftNode) -> None:
    node.op_type, node.domain, node.attributes = "Identity", "", {}
    del node.inputs[1:]
