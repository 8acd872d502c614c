"""How an operator says that a node breaks one of its rules."""

from cvm.inference.faults import InvalidModel
from cvm.inference.graph import NodeView


def refusal(view: NodeView, rule: str, detail: str) -> InvalidModel:
    """Return the fault for `rule`, its detail opening with the operator and the node's name."""
    return InvalidModel(rule, f"{view.op_type} node {view.name!r}: {detail}")
