"""Gives every value one name and one maker, and every node a place after its makers."""

from onnx import defs

from cvm.inference.model_checks import OPSET
from cvm.inference.tensor_type import TensorType
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames
from models_registry.cli.prepare.faults import CannotPrepare

FormalParameterOption = defs.OpSchema.FormalParameterOption


def repair_names(draft: Draft) -> list[str]:
    """Rename values that are made twice; each reader keeps what it would read in file order."""
    fresh = FreshNames(draft.names())
    made = {value.name for value in draft.inputs} | set(draft.constants)
    made_twice = {name for node in draft.nodes for name in node.outputs if name in made}
    seen: set[str] = set(made)
    for node in draft.nodes:
        for name in node.outputs:
            if name and name in seen:
                made_twice.add(name)
            seen.add(name)
    if not made_twice:
        return []
    current: dict[str, str] = {}
    for node in draft.nodes:
        _rename_inputs(node, current)
        for index, name in enumerate(node.outputs):
            if name in made:
                current[name] = node.outputs[index] = fresh.take(name)
            elif name:
                made.add(name)
    draft.outputs = [current.get(name, name) for name in draft.outputs]
    return [f"renamed values that are made twice: {', '.join(sorted(made_twice))}"]


def _rename_inputs(node: DraftNode, renamed: dict[str, str]) -> None:
    node.inputs = [renamed.get(name, name) for name in node.inputs]
    for graph in node.subgraphs():
        graph.rename_reads(renamed)
        graph.outputs = [renamed.get(name, name) for name in graph.outputs]


def sort_nodes(draft: Draft) -> list[str]:
    """Put every node after the makers of what it reads, else keep the order (Kahn)."""
    made = {value.name for value in draft.inputs} | set(draft.constants) | {""}
    waiting = draft.nodes
    ordered: list[DraftNode] = []
    while waiting:
        later = []
        for node in waiting:
            if _reads(node) <= made:
                ordered.append(node)
                made.update(node.outputs)
            else:
                later.append(node)
        if len(later) == len(waiting):
            missing = min(_reads(later[0]) - made)
            raise CannotPrepare(f"value {missing!r} is made by no node, or by a cycle of nodes")
        waiting = later
    is_sorted = all(a is b for a, b in zip(ordered, draft.nodes, strict=True))
    draft.nodes = ordered
    for name in draft.outputs:
        if name not in made or not name:
            raise CannotPrepare(f"graph output {name!r} is made by no node")
    return [] if is_sorted else ["sorted the nodes"]


def _reads(node: DraftNode) -> set[str]:
    """Return what a node reads, through its subgraphs too."""
    reads = set(node.inputs)
    for graph in node.subgraphs():
        inside = {value.name for value in graph.inputs} | set(graph.constants)
        for inner in graph.nodes:
            reads |= _reads(inner) - inside
            inside.update(inner.outputs)
        reads |= set(graph.outputs) - inside
    return reads


def drop_unused(draft: Draft) -> list[str]:
    """Drop nodes whose results nobody reads, output names nobody reads, and unused constants."""
    before = len(draft.nodes), len(draft.constants)
    wanted = set(draft.outputs)
    kept = []
    for node in reversed(draft.nodes):
        if not any(name in wanted for name in node.outputs if name):
            continue
        _drop_optional_outputs(node, wanted)
        wanted |= _reads(node)
        kept.append(node)
    draft.nodes = kept[::-1]
    draft.constants = {name: a for name, a in draft.constants.items() if name in wanted}
    nodes, constants = before[0] - len(draft.nodes), before[1] - len(draft.constants)
    found = [counted(nodes, "node")] if nodes else []
    found += [counted(constants, "constant")] if constants else []
    return [f"dropped {' and '.join(found)} that nothing reads"] if found else []


def make_outputs(draft: Draft, types: dict[str, TensorType]) -> list[str]:
    """Let a node make every output: an Identity where it is a constant or an input."""
    fresh, notes = FreshNames(draft.names()), []
    inputs = {value.name for value in draft.inputs}
    for index, name in enumerate(draft.outputs):
        source = target = name
        if name in inputs:
            target = draft.outputs[index] = fresh.take(f"{name}_output")
            types[target] = types[name]
            notes.append(f"output {name}, which is an input, is called {target}")
        elif name in draft.constants:
            source = fresh.take(f"{name}_constant")
            draft.rename_reads({name: source})
            draft.constants[source] = draft.constants.pop(name)
        else:
            continue
        draft.nodes.append(DraftNode("Identity", [source], [target]))
    return notes


def _drop_optional_outputs(node: DraftNode, wanted: set[str]) -> None:
    """Leave out outputs that nobody reads and that the operator need not make."""
    if node.domain or not defs.has(node.op_type, OPSET, ""):
        return
    formal = defs.get_schema(node.op_type, OPSET, "").outputs
    for index, name in enumerate(node.outputs):
        is_optional = index < len(formal) and formal[index].option == FormalParameterOption.Optional
        if name not in wanted and is_optional:
            node.outputs[index] = ""
    while not node.outputs[-1]:
        node.outputs.pop()
