"""Writes nodes in the plainest form that computes the same bits, which later steps know."""

from models_registry.cli.prepare.draft import Draft


def bring_to_plain_forms(draft: Draft) -> list[str]:
    """Make a Sum of two values an Add, and a Sum of one an Identity."""
    found = 0
    for node in draft.nodes:
        if node.is_default("Sum") and len(node.inputs) <= 2:
            node.op_type = "Add" if len(node.inputs) == 2 else "Identity"
            found += node.op_type == "Add"
    return [f"made {found} Sum of two values Add"] if found else []
