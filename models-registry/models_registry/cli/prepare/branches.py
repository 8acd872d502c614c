"""Puts the taken branch of an If in the place of the node."""

from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames
from models_registry.cli.prepare.faults import CannotPrepare


def inlined_branch(node: DraftNode, is_true: bool, fresh: FreshNames) -> Draft:
    """Return the branch under names that nothing else has, its outputs named as the If's."""
    branch = node.attributes.get("then_branch" if is_true else "else_branch")
    if not isinstance(branch, Draft) or len(branch.outputs) < len(node.outputs):
        raise CannotPrepare(f"If node {node.name or node.outputs[0]!r} lacks a branch or an output")
    renamed = {name: fresh.take(name) for name in branch.constants}
    for inner in branch.nodes:
        renamed.update((name, fresh.take(name)) for name in inner.outputs if name)
    branch.rename_reads(renamed)
    nodes = branch.nodes
    for inner in nodes:
        inner.outputs = [renamed.get(name, name) for name in inner.outputs]
    for inner_name, outer in zip(branch.outputs, node.outputs, strict=False):
        if outer:
            nodes.append(DraftNode("Identity", [renamed.get(inner_name, inner_name)], [outer]))
    constants = {renamed[name]: array for name, array in branch.constants.items()}
    return Draft([], [], nodes, constants)
