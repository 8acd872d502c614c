"""How many bytes a graph needs at once, known before anything is allocated."""

from collections.abc import Sequence

from cvm.inference.graph import Node, Value


def last_uses(nodes: Sequence[Node], outputs: Sequence[Value]) -> dict[str, int]:
    """Return, by value name, the index of the last node that reads it.

    Graph outputs live until the end (index `len(nodes)`). A value that no node reads is
    not listed: it dies where it is made.
    """
    uses = {name: index for index, node in enumerate(nodes) for name in node.inputs if name}
    uses.update((value.name, len(nodes)) for value in outputs)
    return uses


def live_bytes(
    inputs: Sequence[Value], outputs: Sequence[Value], nodes: Sequence[Node]
) -> list[int]:
    """Return the bytes of live activations while each node runs.

    A value lives from the node that makes it (graph inputs: from the start) to the last node
    that reads it, both included; graph outputs live to the end. Views count as copies.
    """
    uses = last_uses(nodes, outputs)
    dying_after = [0] * (len(nodes) + 1)
    live = 0
    for value in inputs:
        live += value.type.size_bytes
        dying_after[uses.get(value.name, 0)] += value.type.size_bytes
    at_node: list[int] = []
    for index, node in enumerate(nodes):
        for name, tensor_type in zip(node.outputs, node.output_types, strict=True):
            live += tensor_type.size_bytes
            dying_after[uses.get(name, index)] += tensor_type.size_bytes
        at_node.append(live)
        live -= dying_after[index]
    return at_node
